"""What a feed is worth: counted, and judged with reasons."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds.hours import rhythm
from pipeline.feeds.worth import Around, worth
from pipeline.feeds_shown import overlap_in_words
from schemas.feed import DateQuality, KeyBasis, ParsedEntry, ParsedFeed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FINE = Around(conditional="304", page="ok", page_robots="allowed", languages={"de": 3})


def entry(n: int, **more: object) -> ParsedEntry:
    known = {
        "key": str(n), "key_basis": KeyBasis.GUID, "title": f"T{n}", "url": f"https://a.example/{n}",
        "published_at": NOW - timedelta(hours=12 * n), "date_quality": DateQuality.EXACT,
    } | more  # fmt: skip
    return ParsedEntry(**known)  # type: ignore[arg-type]


def feed(*entries: ParsedEntry, **more: object) -> ParsedFeed:
    return ParsedFeed(version="rss20", title="T", entries=entries, **more)  # type: ignore[arg-type]


GOOD = feed(entry(0), entry(1, authors=("A",)), entry(2, content_html=f"<p>{'x' * 600}</p>"), ttl_minutes=30)


def test_everything_is_counted() -> None:
    w = worth(GOOD, FINE, NOW)
    assert (w.format, w.entries, w.with_text, w.with_author, w.with_link) == ("RSS 2.0", 3, 1, 1, 3)
    assert (w.newest, w.oldest, w.per_day) == (NOW, NOW - timedelta(days=1), 2.0)
    assert (w.dates, w.keys, w.usable_guids, w.ttl_minutes) == ({"exact": 3}, {"guid": 3}, 1.0, 30)
    assert (w.rhythm, w.newest_age_h, w.known) == (None, 0.0, None)
    assert (w.verdict, w.reasons) == ("good", ())


SHORT = feed(entry(0), entry(1))
OLD = feed(*(entry(n, published_at=NOW - timedelta(days=90)) for n in range(2)))
UNDATED = feed(entry(0, published_at=None, date_quality=DateQuality.MISSING), entry(1, date_quality=DateQuality.ASSUMED_ZONE))
VERDICTS = [
    (feed(), FINE, "poor", ("it has no entries",)),
    (feed(entry(0, url=None)), FINE, "poor", ("no entry has a link or a text of its own",)),
    (SHORT, replace(FINE, page="disallowed (robots.txt disallows it)", page_robots="disallowed"), "poor",
     ("robots.txt disallows its pages, and it carries no texts",)),
    (SHORT, replace(FINE, page="status (status 403)"), "poor", ("the page of its first entry: status (status 403)",)),
    (GOOD, replace(FINE, page="status (status 403)"), "good", ()),
    (OLD, FINE, "poor", ("its newest entry is 90 days old",)),
    (UNDATED, FINE, "usable", ("1 of 2 entries have no usable date", "1 dates lack their zone")),
    (feed(entry(0, key_basis=KeyBasis.LINK), entry(1)), FINE, "usable", ("1 of 2 entries have no usable guid",)),
    (SHORT, replace(FINE, conditional="the server names neither"), "usable",
     ("it is asked in full each time: the server names neither",)),
    (replace(SHORT, problem="not well-formed"), FINE, "usable", ("it is malformed: not well-formed",)),
    (replace(SHORT, dropped=4), FINE, "usable", ("only the first 2 of its entries are taken",)),
    (SHORT, replace(FINE, known=2, known_from={"a": 2}), "usable", ("most of its entries are in the lake already",)),
    (SHORT, replace(FINE, known=1, known_from={"a": 1}), "good", ()),
]  # fmt: skip


@pytest.mark.parametrize(("parsed", "around", "verdict", "reasons"), VERDICTS)
def test_the_verdict_has_its_reasons(parsed: ParsedFeed, around: Around, verdict: str, reasons: tuple[str, ...]) -> None:
    w = worth(parsed, around, NOW)
    assert (w.verdict, w.reasons) == (verdict, reasons)


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (range(7), None),
        ([8 + n % 10 for n in range(20)], "mostly 08:00 to 16:00 UTC"),
        ([*[24 * d + 9 for d in range(5)], *[24 * (d + 7) + 9 for d in range(5)]], "on weekdays, 09:00 to 10:00 UTC"),
        ([24 * d + h for d in range(8) for h in (22, 23, 24)], "every day, 22:00 to 01:00 UTC"),
        ([*[24 * d + h for d in range(5) for h in (9, 10, 11, 11, 20)], 24 * 5 + 9, 24 * 7 + 9],
         "mostly on weekdays, mostly 09:00 to 12:00 UTC"),
        (range(0, 24 * 3, 2), "around the clock"),
    ],
)  # fmt: skip
def test_when_entries_come_in_words(hours: Iterable[int], said: str | None) -> None:
    assert rhythm([MONDAY + timedelta(hours=h) for h in hours]) == said


def test_overlap_in_words() -> None:
    known = [(None, {}), (0, {}), (1, {"a": 1}), (2, {"b": 2, "a": 1})]
    assert [overlap_in_words(worth(SHORT, replace(FINE, known=n, known_from=of), NOW)) for n, of in known] == [
        "not known, there is no lake",
        "none of 2 entries is in the lake from another feed",
        "1 of 2 entries is in the lake, all of them from a",
        "2 of 2 entries are in the lake, all of them from b, others from 1 more feed",
    ]
