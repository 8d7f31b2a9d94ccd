"""Which entries under new keys are known ones, and which are not: storms, single changes, columns, tickers, front pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.dedupe import url_key
from pipeline.lake.work import LastRevision
from pipeline.run.recognise import recognise
from schemas import ids
from schemas.feed import DateQuality, Entry, KeyBasis

SEEN = datetime(2026, 11, 23, 12, tzinfo=UTC)
NINE, TEN = "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"
NEXT_DAY, DAY = "2026-11-24T09:00:00Z", "2026-11-23"


def entry(guid: str, title: str, url: str | None, date: str | None = NINE, *, seen_at: datetime = SEEN) -> Entry:
    at = datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None
    wording = ids.wording_of(title, None, url_key(url) if url else None, None)
    return Entry(
        entry_id=ids.entry_id("f", guid), revision=wording, wording=wording, feed_id="f", source="F", visit_id="v",
        seen_at=seen_at, position=0, key=guid, key_basis=KeyBasis.GUID, url=url, title=title, published_raw=date, published_at=at,
        date_quality=DateQuality.MISSING if at is None else DateQuality.DAY if len(date or "") == 10 else DateQuality.EXACT,
    )  # fmt: skip


def known_as(before: list[Entry], document: list[Entry]) -> list[str | None]:
    """By which key each entry of a document is known after `before`, as the pull stage would ask."""
    last = {e.entry_id: LastRevision(e.revision, e.wording, e.seen_at, e.number) for e in before}
    taken = {e.entry_id for e in document if e.entry_id in last and last[e.entry_id].wording == e.wording}
    new = [e for e in document if e.entry_id not in taken]
    titles, times = {e.title for e in new if e.title}, {e.published_at for e in new} - {None}
    like = [b for b in before if b.title in titles or b.published_at in times or b.url in {e.url for e in new}]
    found = recognise(new, like, last, taken, whole=True)
    own = {e.entry_id: e.key for e in before}
    return [found[e.entry_id].key if e.entry_id in found else own.get(e.entry_id) for e in document]


A, B = "https://a.example/news", "https://b.example/artikel"

FOCUS, FRONT = "Aktie im Fokus: SAP", "https://a.example"
ONE = {
    "the same under a new guid": (("SAP wächst", f"{A}/1", NINE), ("SAP wächst", f"{A}/1", NINE), True),
    "no dates": (("SAP wächst", f"{A}/1", None), ("SAP wächst", f"{A}/1", None), True),
    "from http to https, www and tracking": (
        ("SAP wächst", "http://www.a.example/news/1", NINE), ("SAP wächst", f"{A}/1?utm_source=rss&utm_medium=x", NINE), True),
    "the date moved with an update": (("SAP wächst", f"{A}/1", NINE), ("SAP wächst", f"{A}/1", TEN), True),
    "a new headline at the same link and time": (("SAP wächst", f"{A}/1", NINE), ("SAP wächst weiter", f"{A}/1", NINE), True),
    "a new headline and time at the same link": (("SAP wächst", f"{A}/1", NINE), ("SAP wächst weiter", f"{A}/1", TEN), False),
    "a new headline at the same link, days only": (("SAP wächst", f"{A}/1", DAY), ("SAP fällt", f"{A}/1", DAY), False),
    "midnight is no time": (
        ("SAP wächst", f"{A}/1", "2026-11-23T00:00:00"), ("SAP fällt", f"{A}/1", "2026-11-23T00:00:00"), False),
    "nine at an offset of none is one": (
        ("SAP wächst", f"{A}/1", "2026-11-23T09:30:00+00:00"), ("SAP fällt", f"{A}/1", "2026-11-23T09:30:00+00:00"), True),
    "ten o'clock is one": (("SAP wächst", f"{A}/1", TEN), ("SAP wächst", f"{B}/1", TEN), True),
    "a site that moved": (("SAP wächst", f"{A}/1", NINE), ("SAP wächst", f"{B}/x", NINE), True),
    "the same title at another link and time": ((FOCUS, f"{A}/1", NINE), (FOCUS, f"{A}/2", TEN), False),
    "the same title on the same day": ((FOCUS, f"{A}/1", DAY), (FOCUS, f"{A}/2", DAY), False),
    "no titles at one time": (("", f"{A}/1", NINE), ("", f"{A}/2", NINE), False),
    "a title and nothing else": (("Marktbericht", None, None), ("Marktbericht", None, None), False),
    "the next day's column at its one link": (
        ("Tagesausblick", f"{A}/ausblick", NINE), ("Tagesausblick", f"{A}/ausblick", NEXT_DAY), False),
    "the next day's column by a date in its link": (
        ("Tagesausblick", f"{A}/ausblick?tag=23", NINE), ("Tagesausblick", f"{A}/ausblick?tag=24", NEXT_DAY), False),
    "the front page as link, without dates": (("Marktbericht", FRONT, None), ("Marktbericht", f"{FRONT}/", None), False),
    "the front page as link, at one time": (("DAX fester", FRONT, NINE), ("DAX fester", f"{FRONT}/", NINE), True),
    "a live ticker": (("Bayer steigt", f"{A}/ticker", NINE), ("Bayer fällt", f"{A}/ticker", TEN), False),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE)
def test_one_entry_under_a_new_guid(case: str) -> None:
    was, now, same = ONE[case]
    others = [entry(f"o{n}", f"Other {n}", f"{A}/o{n}", f"2026-11-20T0{n}:30:00Z") for n in range(9)]
    assert known_as([entry("old", *was), *others], [entry("new", *now), *others])[0] == ("old" if same else None)


def several(prefix: str, path: str, *, day: str | None = "23", titles: str = "Title {}") -> list[Entry]:
    dates = [f"2026-11-{day}T0{n}:30:00Z" if day else DAY for n in range(8)]
    return [entry(f"{prefix}{n}", titles.format(n), path.format(n), dates[n]) for n in range(8)]


STORMS = {
    "guids": (several("old", f"{A}/{{}}"), several("new", f"{A}/{{}}"), True),
    "guids and links": (several("old", f"{A}/{{}}"), several("new", f"{B}/{{}}.html"), True),
    "guids and dates": (several("old", f"{A}/{{}}"), several("new", f"{A}/{{}}", day="27"), True),
    "guids and links, days only": (several("old", f"{A}/{{}}", day=None), several("new", f"{B}/{{}}", day=None), True),
    "guids, front page for all": (several("old", "https://a.example/"), several("new", "https://a.example/"), True),
    "guids, links and dates": (several("old", f"{A}/{{}}"), several("new", f"{B}/{{}}", day="27"), False),
    "a column of one link and title": (
        several("old", f"{A}/ausblick", titles="Ausblick"), several("new", f"{A}/ausblick", titles="Ausblick", day="27"), False),
    "columns of one title, days only": (
        several("old", f"{A}/{{}}", titles="Fokus", day=None), several("new", f"{B}/{{}}", titles="Fokus", day=None), False),
    "a live ticker's lines": (several("old", f"{A}/live"), several("new", f"{A}/live", titles="Line {}"), False),
}  # fmt: skip


@pytest.mark.parametrize("case", STORMS)
def test_a_storm(case: str) -> None:
    before, document, same = STORMS[case]
    assert known_as(before, document) == [f"old{n}" if same else None for n in range(8)]


def test_less_than_half_of_a_document_is_no_storm() -> None:
    before, moved = several("old", f"{A}/{{}}"), several("new", f"{A}/{{}}", day="27")
    assert known_as(before, [*moved[:4], *before[4:]]) == [None] * 4 + [f"old{n}" for n in range(4, 8)]
    assert known_as(before, [*moved[:5], *before[5:]]) == [f"old{n}" for n in range(8)]


def test_no_two_entries_become_one() -> None:
    old = entry("old", "SAP wächst", f"{A}/1")
    both = [entry("new1", "SAP wächst", f"{A}/1"), entry("new2", "SAP wächst", f"{A}/1")]
    assert known_as([old], both) == ["old", None]
    assert known_as([old], [*both, old]) == [None, None, "old"], "what stands there under its own key is nobody else"
    twice = [replace(e, seen_at=SEEN - timedelta(minutes=n)) for n, e in enumerate((old, entry("older", "SAP wächst", f"{A}/1")))]
    assert known_as(twice, both) == ["old", "older"]


def test_the_most_alike_is_it() -> None:
    """A column's editions of one time at different links: each is its own, in whatever order they come."""
    old = [entry(f"old{n}", "Aktie im Fokus", f"{A}/{n}") for n in range(4)]
    new = [entry(f"new{n}", "Aktie im Fokus", f"{A}/{n}") for n in (2, 0, 3, 1)]
    assert known_as(old, new) == ["old2", "old0", "old3", "old1"]


def test_a_changed_entry_stays_what_it_is_unless_it_is_another_known_one() -> None:
    one, other = entry("1", "One", f"{A}/one"), entry("2", "Other", f"{A}/other", TEN)
    changed = entry("1", "One, corrected", f"{A}/corrected", NEXT_DAY)
    assert known_as([one, other], [changed, other]) == ["1", "2"]
    # guids that number the places in a document
    assert known_as([one, other], [entry("1", "New", f"{A}/new", NEXT_DAY), entry("2", "One", f"{A}/one")]) == ["1", "1"]


def test_where_links_are_the_keys_a_link_is_who_an_entry_is() -> None:
    by_link = replace(entry(f"{A}/1", "SAP wächst weiter", f"{A}/1", NEXT_DAY), key_basis=KeyBasis.LINK)
    assert known_as([entry("old", "SAP wächst", f"{A}/1")], [by_link]) == ["old"]


def test_announcements_under_one_title_at_one_time_are_each_its_own() -> None:
    """Exchanges publish dozens of "Holding(s) in Company" at seven sharp; what a document showed before has left it since."""
    many = [entry(f"g{n}", "Holding(s) in Company", f"{A}/{n}", "2026-11-23T07:00:00Z") for n in range(12)]
    assert known_as(many[:6], many[6:]) == [None] * 6
    assert known_as(many[:6], many[6:7]) == [None]
    assert known_as(many[:1], many[1:]) == [None] * 11
    assert known_as(many[:1], many[1:2]) == [None]
