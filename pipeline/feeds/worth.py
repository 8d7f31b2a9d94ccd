"""Says what a feed is worth to a lake of news, from one visit, a second one with its validators, and its first page. Pure."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.feeds.hours import rhythm
from schemas.feed import DateQuality, KeyBasis, ParsedEntry, ParsedFeed

#: Characters of text from which on an entry counts as carrying its whole article.
FULL_TEXT = 600
STALE = timedelta(days=60)
#: From this share on, a feed brings little that is not in the lake already.
MOSTLY_KNOWN = 0.8

_FORMATS = {"rss20": "RSS 2.0", "rss10": "RSS 1.0", "rss090": "RSS 0.90", "atom10": "Atom 1.0", "atom03": "Atom 0.3"}
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known of a feed besides its document; None where it was not asked or not said."""

    conditional: str | None = None
    cache_max_age_s: float | None = None
    page: str | None = None
    page_robots: str | None = None
    languages: dict[str, int] = field(default_factory=dict)
    known: int | None = None  # entries that the lake has from other feeds
    known_from: dict[str, int] = field(default_factory=dict)  # how many of them each feed brought, the most first


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """A feed's worth: counts of entries by what they carry, what the server does, and a verdict with its reasons."""

    format: str
    title: str | None
    language: str | None
    entries: int
    with_text: int
    with_author: int
    with_link: int
    dates: dict[str, int]
    newest: datetime | None
    oldest: datetime | None
    per_day: float | None
    rhythm: str | None
    newest_age_h: float | None
    known: int | None
    known_from: dict[str, int]
    keys: dict[str, int]
    usable_guids: float
    languages: dict[str, int]
    conditional: str | None
    ttl_minutes: int | None
    cache_max_age_s: float | None
    page: str | None
    page_robots: str | None
    problem: str | None
    verdict: str
    reasons: tuple[str, ...]


def worth(feed: ParsedFeed, around: Around, now: datetime) -> Worth:
    """What the document and what is around it say, summed up; `verdict` is good, usable or poor."""
    entries = feed.entries
    times = [e.published_at for e in entries if e.published_at]
    newest, oldest = max(times, default=None), min(times, default=None)
    guids = sum(e.key_basis is KeyBasis.GUID for e in entries)
    poor, weak = _poor(feed, around, newest, now), _weak(feed, around, guids)
    return Worth(
        format=_FORMATS.get(feed.version, feed.version),
        title=feed.title,
        language=feed.language,
        entries=len(entries) + feed.dropped,
        with_text=sum(has_text(e) for e in entries),
        with_author=sum(bool(e.authors) for e in entries),
        with_link=sum(bool(e.url) for e in entries),
        dates=_counted(e.date_quality for e in entries),
        newest=newest,
        oldest=oldest,
        per_day=_per_day(times),
        rhythm=rhythm([e.published_at for e in entries if e.published_at and e.date_quality != DateQuality.DAY]),
        newest_age_h=round((now - newest) / timedelta(hours=1), 1) if newest else None,
        known=around.known,
        known_from=around.known_from,
        keys=_counted(e.key_basis for e in entries),
        usable_guids=round(guids / len(entries), 3) if entries else 0.0,
        languages=around.languages,
        conditional=around.conditional,
        ttl_minutes=feed.ttl_minutes,
        cache_max_age_s=around.cache_max_age_s,
        page=around.page,
        page_robots=around.page_robots,
        problem=feed.problem,
        verdict="poor" if poor else "usable" if weak else "good",
        reasons=(*poor, *weak),
    )


def has_text(entry: ParsedEntry) -> bool:
    """Whether an entry carries so much text that it may be the whole article."""
    return max(len(_TAG.sub("", entry.content_html or "")), len(entry.summary or "")) >= FULL_TEXT


def _poor(feed: ParsedFeed, around: Around, newest: datetime | None, now: datetime) -> list[str]:
    """Why little or nothing would come of it."""
    entries, some_text = feed.entries, any(map(has_text, feed.entries))
    unreachable = around.page not in (None, "ok") and not some_text
    found = {
        "it has no entries": not entries,
        "no entry has a link or a text of its own": bool(entries) and not any(e.url or has_text(e) for e in entries),
        "robots.txt disallows its pages, and it carries no texts": around.page_robots == "disallowed" and not some_text,
        f"the page of its first entry: {around.page}": unreachable and around.page_robots != "disallowed",
        f"its newest entry is {_days(newest, now)} days old": newest is not None and now - newest > STALE,
    }
    return [why for why, holds in found.items() if holds]


def _weak(feed: ParsedFeed, around: Around, guids: int) -> list[str]:
    """What is less than it could be, and can be lived with."""
    count, dates = len(feed.entries), Counter(e.date_quality for e in feed.entries)
    undated = count - dates[DateQuality.EXACT] - dates[DateQuality.ASSUMED_ZONE] - dates[DateQuality.DAY]
    found = {
        f"{undated} of {count} entries have no usable date": undated > 0,
        f"{dates[DateQuality.ASSUMED_ZONE]} dates lack their zone": dates[DateQuality.ASSUMED_ZONE] > 0,
        f"{count - guids} of {count} entries have no usable guid": guids < count,
        f"it is asked in full each time: {around.conditional}": around.conditional not in (None, "304"),
        f"it is malformed: {feed.problem}": feed.problem is not None,
        f"only the first {count} of its entries are taken": feed.dropped > 0,
        "most of its entries are in the lake already": (around.known or 0) >= MOSTLY_KNOWN * count > 0,
    }
    return [why for why, holds in found.items() if holds]


def _counted(values: object) -> dict[str, int]:
    return {str(value): n for value, n in Counter(values).most_common()}  # type: ignore[call-overload]


def _days(moment: datetime | None, now: datetime) -> int:
    return (now - moment).days if moment else 0


def _per_day(times: list[datetime]) -> float | None:
    """Entries a day over the time the document spans; None where that is nothing to measure by."""
    span = (max(times) - min(times)) / timedelta(days=1) if len(times) > 1 else 0.0
    return round((len(times) - 1) / span, 2) if span > 0 else None
