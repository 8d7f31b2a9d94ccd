"""Which entries the sample wire shows at a moment: a function of the clock and of the moment of its first start. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pipeline.wire import reports
from pipeline.wire.newsroom import Article, Placement, Publisher

#: Entries that a feed or a list of headlines shows at most.
LATEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An article in a publisher's feed; `number` counts the publisher's entries and never changes."""

    number: int
    publisher: Publisher
    host: Publisher  # whose page it links to
    article: Article
    placement: Placement
    published_at: datetime

    @property
    def available_at(self) -> datetime:
        """From when its page can be had."""
        return self.published_at + timedelta(minutes=self.placement.unavailable_minutes)

    @property
    def page_path(self) -> str:
        """Path of the page on its host."""
        return self.host.page_path.format(section=self.placement.section, slug=self.article.slug)

    @property
    def link_path(self) -> str:
        """Path as the feed links it: by way of a redirect, or with tracking parameters."""
        path = f"/r/{self.article.slug}" if self.placement.redirect else self.page_path
        return f"{path}?{self.placement.query}" if self.placement.query else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything written, placed in time, and the reports that follow without end."""

    start: datetime
    publishers: Mapping[str, Publisher]
    written: tuple[Entry, ...]  # oldest first

    def latest(self, now: datetime, *keys: str) -> list[Entry]:
        """What these publishers (all, where none is named) show at a moment, newest first."""
        wanted = keys or tuple(self.publishers)
        on_wire = (entry for entry in reversed(self.written) if entry.published_at <= now)
        follow = self._reports(now) if reports.PUBLISHER in wanted else ()
        return list(islice((entry for part in (follow, on_wire) for entry in part if entry.publisher.key in wanted), LATEST))

    def page(self, key: str, path: str, now: datetime) -> Entry | None:
        """The entry whose own page lies at this path of a publisher by now; None where there is none, or none any more."""
        number = reports.number_in(path) if key == reports.PUBLISHER else None
        if number is not None:
            candidates: Iterable[Entry] = (self._report(number),)
        else:
            candidates = (entry for entry in self.written if entry.host is entry.publisher and entry.article.body)
        return next((e for e in candidates if (e.host.key, e.page_path) == (key, path) and e.published_at <= now), None)

    def related(self, entry: Entry) -> list[Entry]:
        """Up to three earlier stories of the same publisher; the same ones at any time."""
        earlier = self.latest(entry.published_at, entry.publisher.key)
        return [e for e in earlier if e.number != entry.number and e.host is e.publisher and e.article.body][:3]

    def redirect(self, key: str, path: str, now: datetime) -> Entry | None:
        """The entry that this path of a publisher redirects to by now."""
        wanted = (e for e in self.written if e.placement.redirect and (e.publisher.key, e.link_path) == (key, path))
        return next((entry for entry in wanted if entry.published_at <= now), None)

    def next_at(self, now: datetime) -> datetime:
        """When the next entry appears."""
        coming = [entry.published_at for entry in self.written if entry.published_at > now]
        return min([*coming, self._report(reports.count(now - self.start)).published_at])

    def _reports(self, now: datetime) -> Iterable[Entry]:
        count = reports.count(now - self.start)
        return (self._report(number) for number in range(count - 1, max(-1, count - 1 - LATEST), -1))

    def _report(self, number: int) -> Entry:
        article = reports.report(number)
        before = sum(entry.publisher.key == reports.PUBLISHER for entry in self.written)
        return _entry(before + number, article, article.placements[0], self.publishers, self.start)


def timeline(start: datetime, publishers: Mapping[str, Publisher], articles: Iterable[Article]) -> Timeline:
    """Place the written articles in time; `start` is aware."""
    placed = sorted(((p, a) for a in articles for p in a.placements), key=lambda pair: (pair[0].minutes, pair[1].slug))
    written: list[Entry] = []
    for placement, article in placed:
        number = sum(entry.publisher.key == placement.publisher for entry in written)
        written.append(_entry(number, article, placement, publishers, start))
    return Timeline(start=start, publishers=publishers, written=tuple(written))


def _entry(number: int, article: Article, placement: Placement, publishers: Mapping[str, Publisher], start: datetime) -> Entry:
    publisher = publishers[placement.publisher]
    return Entry(
        number=number,
        publisher=publisher,
        host=publishers[placement.page_at or placement.publisher],
        article=article,
        placement=placement,
        published_at=start.replace(microsecond=0) + timedelta(minutes=placement.minutes),
    )
