"""What visits mean for the next ones, by batches against a publisher that lies, moves or sends the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.run.schedule import expires_s
from schemas.web import Body, FetchCode, Header, Kind
from tests.run.publisher import START, Desk, publishing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with publishing() as publisher:
        publisher.items = []
        yield Desk(tmp_path / "run", publisher)


def _items(desk: Desk, count: int) -> None:
    desk.publisher.items = [{"guid": f"g{n}", "title": f"Title {n}", "path": "/siemens"} for n in range(count)]


def _pulled(desk: Desk, after: timedelta) -> tuple[str, int, str | None]:
    counts = desk.batch(after)["pull"]
    ((outcome, detail),) = desk.rows("SELECT outcome, detail FROM feeds")
    return outcome, counts.get("entries new", 0), detail


def test_a_304_that_hides_entries_is_found_out_by_asking_without_conditions(desk: Desk) -> None:
    desk.publisher.tag = '"always the same"'
    _items(desk, 1)
    assert _pulled(desk, timedelta(0)) == ("parsed", 1, None)
    _items(desk, 2)
    assert _pulled(desk, HOUR) == ("unchanged", 0, None)
    assert _pulled(desk, HOUR)[:2] == ("parsed", 1)
    # a server that told of the news once is believed, but after a day, and then not when entries are overdue
    assert desk.rows("SELECT trusted_since, verified_at = visited_at FROM feeds") == [(None, True)]


def test_an_honest_304_comes_to_be_believed(desk: Desk) -> None:
    for hours, count, ended in ((0, 1, "parsed"), (1, 2, "parsed"), (30, 3, "parsed"), (1, 3, "unchanged"), (1, 3, "unchanged")):
        _items(desk, count)
        assert _pulled(desk, hours * HOUR)[0] == ended
    assert desk.rows("SELECT status FROM feeds") == [(304,)]
    assert desk.rows("SELECT trusted_since, verified_at FROM feeds") == [(START + HOUR, START + 31 * HOUR)]


def test_the_same_bytes_are_unchanged_and_not_parsed(desk: Desk) -> None:
    desk.publisher.tag = ""
    _items(desk, 2)
    assert _pulled(desk, timedelta(0)) == ("parsed", 2, None)
    assert _pulled(desk, HOUR) == ("unchanged", 0, None)
    assert desk.rows("SELECT status, entries_seen, body_sha256 IS NOT NULL FROM feeds") == [(200, 0, True)]


def test_a_lasting_move_is_followed_and_told_and_the_catalogue_takes_it_over(desk: Desk) -> None:
    publisher, catalogue = desk.publisher, desk.settings.catalogue
    publisher.pages["/old"] = "/feed"
    catalogue.write_text(catalogue.read_text().replace(f"{publisher.base}/feed", f"{publisher.base}/old"))
    for days in (0, 3, 4):
        _pulled(desk, days * DAY)
    publisher.asked.clear()
    told = f"asked at {publisher.base}/feed, where it moved for good: put that address into the catalogue"
    assert _pulled(desk, DAY)[2] == told
    assert "old" not in publisher.asked
    catalogue.write_text(catalogue.read_text().replace(f"{publisher.base}/old", f"{publisher.base}/feed"))
    assert _pulled(desk, DAY)[2] is None
    assert desk.rows("SELECT url, moved_to FROM feeds") == [(f"{publisher.base}/feed", None)]


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
