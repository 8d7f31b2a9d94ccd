"""Which entries the sample wire shows at a moment: a function of the clock and of the moment of its first start. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from zoneinfo import ZoneInfo

from pipeline.wire import reports
from pipeline.wire.newsroom import Article, Placement, Publisher

#: Entries that a feed or a list of headlines shows at most.
LATEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An article in a publisher's feed, in its wording of a moment; `number` counts the publisher's entries and never changes."""

    number: int
    publisher: Publisher
    host: Publisher  # whose page it links to
    article: Article
    placement: Placement
    published_at: datetime
    updated_at: datetime  # when it was last revised, or published

    @property
    def local_date(self) -> datetime:
        """When it was published by its publisher's account, in the publisher's zone."""
        return self._claimed(self.published_at)

    @property
    def local_update(self) -> datetime:
        """When it was last changed by its publisher's account, in the publisher's zone."""
        return self._claimed(self.updated_at)

    def _claimed(self, moment: datetime) -> datetime:
        return (moment + timedelta(hours=self.placement.date_offset_hours)).astimezone(ZoneInfo(self.publisher.zone))

    @property
    def available_at(self) -> datetime:
        """From when its page can be had."""
        return self.published_at + timedelta(minutes=self.placement.unavailable_minutes)

    @property
    def has_page(self) -> bool:
        """Whether its page stands at its own publisher: it is not another one's, not gone, and not only in the feed."""
        return self.host is self.publisher and bool(self.article.body) and self.host.page_path != "/"

    @property
    def page_path(self) -> str:
        """Path of the page on its host."""
        return self.host.page_path.format(section=self.placement.section, slug=self.article.slug)

    @property
    def amp_path(self) -> str | None:
        """Path of the page's AMP version, where it has one."""
        return f"/amp{self.page_path}" if self.placement.page == "amp" else None

    @property
    def link_path(self) -> str:
        """Path as the feed links it: by way of a redirect, to the AMP version, or with tracking parameters."""
        path = f"/r/{self.article.slug}" if self.placement.redirect else self.amp_path or self.page_path
        return f"{path}?{self.placement.query}" if self.placement.query else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything written, placed in time, and the reports that follow without end."""

    start: datetime
    publishers: Mapping[str, Publisher]
    written: tuple[Entry, ...]  # oldest first

    def latest(self, now: datetime, *keys: str) -> list[Entry]:
        """What these publishers (all, where none is named) show in their main feeds at a moment, newest first."""
        wanted = keys or tuple(self.publishers)
        on_wire = (entry for entry in self._out(now) if entry.placement.feed != "sitemap" and entry.publisher.key in wanted)
        follow = self._reports(now) if reports.PUBLISHER in wanted else ()
        return list(islice(chain(follow, on_wire), LATEST))

    def feed(self, now: datetime, key: str, path: str) -> list[Entry]:
        """What this publisher's feed at this path shows: the latest, or in its sitemap everything that has a page there."""
        if path == self.publishers[key].sitemap_path:
            return [entry for entry in self._out(now) if entry.publisher.key == key and entry.has_page]
        return self.latest(now, key)

    def page(self, key: str, path: str, now: datetime) -> Entry | None:
        """The entry whose own page lies at this path of a publisher by now; None where there is none, or none any more."""
        number = reports.number_in(path) if key == reports.PUBLISHER else None
        if number is not None:
            candidates: Iterable[Entry] = (entry for entry in [self._report(number)] if entry.published_at <= now)
        else:
            candidates = (entry for entry in self._out(now) if entry.has_page)
        return next((e for e in candidates if e.host.key == key and path in (e.page_path, e.amp_path)), None)

    def related(self, entry: Entry) -> list[Entry]:
        """Up to three earlier stories of the same publisher; the same ones at any time."""
        earlier = self.latest(entry.published_at, entry.publisher.key)
        return [e for e in earlier if e.number != entry.number and e.has_page][:3]

    def redirect(self, key: str, path: str, now: datetime) -> Entry | None:
        """The entry that this path of a publisher redirects to by now."""
        wanted = (
            e for e in self.written if e.placement.redirect and (e.publisher.key, e.link_path.partition("?")[0]) == (key, path)
        )
        return next((entry for entry in wanted if entry.published_at <= now), None)

    def next_at(self, now: datetime) -> datetime:
        """When the next entry appears."""
        coming = [entry.published_at for entry in self.written if entry.published_at > now]
        return min([*coming, self._report(reports.count(now - self.start)).published_at])

    def _out(self, now: datetime) -> Iterator[Entry]:
        return (_at(entry, self.start, now) for entry in reversed(self.written) if entry.published_at <= now)

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
    published_at = start.replace(microsecond=0) + timedelta(minutes=placement.minutes)
    return Entry(
        number=number,
        publisher=publisher,
        host=publishers[placement.page_at or placement.publisher],
        article=article,
        placement=placement,
        published_at=published_at,
        updated_at=published_at,
    )


def _at(entry: Entry, start: datetime, now: datetime) -> Entry:
    """The entry as it is worded at a moment."""
    for revision in sorted(entry.article.revisions, key=lambda revision: revision.minutes):
        moment = start.replace(microsecond=0) + timedelta(minutes=revision.minutes)
        if moment <= now:
            updated_at = max(entry.updated_at, moment)
            entry = replace(entry, article=entry.article.revised(revision), updated_at=updated_at)
    return entry
