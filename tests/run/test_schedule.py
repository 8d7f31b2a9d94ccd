"""What visits mean for the next ones: talks with a server that lies, sends the same, or moves."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.feeds import address_of
from pipeline.run.schedule import expires_s, in_full, said, scheduled
from pipeline.run.visit import is_same, visit_of
from schemas.feed import DateQuality, Feed, KeyBasis, ParsedEntry, ParsedFeed, Visit
from schemas.web import Body, FetchCode, Header, Kind
from tests.run.publisher import START, Desk, publishing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed(feed_id="f", url="https://old.example/rss", source="S")


@dataclass
class Talk:
    """Visits to one feed, whose entries are dated by these moments."""

    liar: bool = False
    validators: bool = True
    dated: bool = True
    last: Visit | None = None
    now: datetime = START

    def visit(self, after: timedelta, *items: datetime) -> tuple[str, int | None, int]:
        """How the next visit ends: outcome, status, new entries."""
        self.now += after
        last, tag = self.last, f'"{0 if self.liar else len(items)}"'
        asked = last.etag if last and not in_full(last, self.now) else None
        body = self._answer(tag, len(items), unchanged=asked == tag)
        read = body.code == FetchCode.OK and not is_same(body, last)
        parsed = ParsedFeed(version="rss20", entries=self._entries(items)) if read else None
        new = items[self.known :] if parsed else ()
        self.known = max(self.known, len(items)) if parsed else self.known
        visit = visit_of(FEED, replace(body, content=None) if parsed is None else body, parsed, last, 0)
        self.last = scheduled(FEED, last, said(body, parsed), visit, [t if self.dated else None for t in new])
        return self.last.outcome, self.last.status, len(new)

    known: int = 0

    def _answer(self, tag: str, version: int, *, unchanged: bool) -> Body:
        at = {"asked_at": self.now, "answered_at": self.now, "url": FEED.url, "final_url": FEED.url}
        headers = (Header(name="etag", value=tag),) if self.validators else ()
        code, status = (FetchCode.NOT_MODIFIED, 304) if unchanged else (FetchCode.OK, 200)
        sha = None if unchanged else f"{version}"
        body = Body(kind=Kind.FEED, owner="v", target="f", code=code, status=status, headers=headers, **at)  # type: ignore[arg-type]
        return replace(body, sha256=sha, content=None if unchanged else b"-")

    def _entries(self, items: tuple[datetime, ...]) -> tuple[ParsedEntry, ...]:
        entries = (ParsedEntry(key=f"{n}", key_basis=KeyBasis.GUID, title="T", published_at=t) for n, t in enumerate(items))
        return tuple(replace(e, date_quality=DateQuality.EXACT) if self.dated else replace(e, published_at=None) for e in entries)


def test_a_304_that_hides_an_entry_is_found_out_within_an_hour_and_told() -> None:
    talk, items = Talk(liar=True), [START - 20 * DAY, START + HOUR / 4]
    assert talk.visit(HOUR * 0, *items[:1]) == ("parsed", 200, 1)
    assert [talk.visit(HOUR / 4, *items) for _ in range(3)] == [("unchanged", 304, 0)] * 3
    assert talk.visit(HOUR / 4, *items) == ("parsed", 200, 1)
    assert talk.last and talk.last.detail == "it answered 304 though there was something new: for a week it is read in full"
    assert (talk.last.trusted_since, talk.last.verified_at) == (talk.now + 7 * DAY, talk.now)
    assert [talk.visit(HOUR, *items)[:2] for _ in range(4)] == [("unchanged", 200)] * 4


def test_a_server_that_is_trusted_and_begins_to_lie_is_found_out_within_a_day() -> None:
    for dated, hours_between in ((True, 2), (False, 0.5)):
        talk, items = Talk(dated=dated), [START - 20 * DAY, START + HOUR, START + 40 * HOUR, START + 60 * HOUR]
        for hours, count in ((0, 1), (2, 2), (40, 3)):
            assert talk.visit(hours * HOUR, *items[:count]) == ("parsed", 200, 1)
        assert talk.last and talk.last.trusted_since == START + 2 * HOUR
        talk.liar, talk.last = True, replace(talk.last, etag='"0"')
        ends = [talk.visit(hours_between * HOUR, *items)[:2] for _ in range(int(26 / hours_between))]
        assert ("parsed", 200) in ends and ends[:2] == [("unchanged", 304)] * 2
        assert talk.last.trusted_since and talk.last.trusted_since > talk.now


def test_an_honest_304_comes_to_be_believed_and_is_verified_daily() -> None:
    talk, items = Talk(), [START - 20 * DAY, START + HOUR, START + 30 * HOUR]
    for hours, count in ((0, 1), (2, 2), (30, 3)):
        assert talk.visit(hours * HOUR, *items[:count]) == ("parsed", 200, 1)
    assert [talk.visit(4 * HOUR, *items)[1] for _ in range(7)] == [304, 304, 304, 304, 304, 200, 304]
    assert talk.last and talk.last.detail is None


def test_the_same_bytes_are_unchanged_without_being_parsed() -> None:
    talk = Talk(validators=False)
    assert talk.visit(HOUR * 0, START - DAY) == ("parsed", 200, 1)
    assert talk.visit(HOUR, START - DAY) == ("unchanged", 200, 0)
    assert talk.last and (talk.last.entries_seen, talk.last.body_sha256, talk.last.verified_at) == (0, "1", talk.now)


def test_validators_are_not_sent_to_another_address() -> None:
    talk = Talk()
    talk.visit(HOUR * 0, START - DAY)
    assert talk.last and talk.last.etag
    seen = replace(talk.last, moved_to="https://new.example/rss", moved_since=START - 7 * DAY, moved_visits=2)
    body = replace(talk._answer('"1"', 1, unchanged=True), moved_to="https://new.example/rss")
    visit = scheduled(FEED, seen, said(body, None), visit_of(FEED, body, None, seen, 0), [])
    assert (address_of(FEED, visit), visit.etag) == ("https://new.example/rss", None)


def test_a_lasting_move_is_followed_and_told_and_the_catalogue_takes_it_over(tmp_path: Path) -> None:
    with publishing() as publisher:
        publisher.items, publisher.pages["/old"] = [], "/feed"
        desk = Desk(tmp_path / "run", publisher)
        catalogue = desk.settings.catalogue
        catalogue.write_text(catalogue.read_text().replace(f"{publisher.base}/feed", f"{publisher.base}/old"))
        for days in (0, 3, 4):
            desk.batch(days * DAY)
        publisher.asked.clear()
        desk.batch(DAY)
        told = f"asked at {publisher.base}/feed, where it moved for good: put that address into the catalogue"
        assert desk.rows("SELECT detail FROM feeds") == [(told,)] and "old" not in publisher.asked
        catalogue.write_text(catalogue.read_text().replace(f"{publisher.base}/old", f"{publisher.base}/feed"))
        desk.batch(DAY)
        assert desk.rows("SELECT url, moved_to, detail FROM feeds") == [(f"{publisher.base}/feed", None, None)]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"expires": "Mon, 23 Nov 2026 10:00:00 GMT"}, 3600),
        ({"expires": "Mon, 23 Nov 2026 10:00:00 GMT", "date": "Mon, 23 Nov 2026 09:50:00 GMT"}, 600),
        ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "date": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"expires": "0"}, None),
        ({}, None),
    ],
)
def test_what_an_expires_says(headers: dict[str, str], seconds: float | None) -> None:
    named = tuple(Header(name=name, value=value) for name, value in headers.items())
    body = Body(
        kind=Kind.FEED, owner="v", target="f", url="u", asked_at=START, answered_at=START, code=FetchCode.OK, headers=named
    )
    assert expires_s(body) == seconds


def test_a_visit_that_was_deferred_leaves_all_as_it_was() -> None:
    talk = Talk()
    talk.visit(0 * HOUR, START - DAY)
    assert talk.last
    last = replace(
        talk.last, failures=3, failure_grade=0.75, failing_since=START, trusted_since=START, hub="h", topic="t",
        moved_to="https://new.example/rss", moved_since=START, moved_visits=2, key_policy=KeyBasis.LINK,
    )  # fmt: skip
    at = START + HOUR
    body = Body(
        kind=Kind.FEED,
        owner="w",
        target="f",
        url=FEED.url,
        asked_at=at,
        answered_at=at,
        code=FetchCode.DEFERRED,
        retry_after_s=900.0,
    )
    visit = scheduled(FEED, last, said(body, None), visit_of(FEED, body, None, last, 0), [])
    assert (visit.outcome, visit.due_rule, visit.next_due_at) == ("deferred", "host closed", at + HOUR / 4)
    own = ("visit_id", "visited_at", "outcome", "due_rule", "next_due_at", "status", "final_url", "body_bytes", "retry_after_s")
    told = {**dict.fromkeys(own), "entries_seen": 0, "entries_new": 0, "key_policy": None}
    assert replace(visit, **told) == replace(last, **told)
