"""At which address a feed is asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds import Moved, address_of, moved
from schemas.feed import Feed, Visit, VisitCode

OLD, NEW, OTHER = "https://old.example/rss", "https://new.example/rss", "https://other.example/rss"
FEED = Feed(feed_id="f", url=OLD, source="S")
START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def _visit(day: float, code: VisitCode = VisitCode.PARSED, **more: object) -> Visit:
    at = START + day * DAY
    known = {"visited_at": at, "next_due_at": at, "url": OLD, **more}
    return Visit(visit_id="v", feed_id="f", source="S", outcome=code, due_rule="", **known)  # type: ignore[arg-type]


def _with(visit: Visit, now: Moved) -> Visit:
    return replace(visit, moved_to=now.to, moved_since=now.since, moved_visits=now.visits)


def _after(*seen: tuple[float, str | None]) -> Visit:
    """The last visit, after the catalogue's address was asked on these days and led there."""
    last: Visit | None = None
    for day, to in seen:
        last = _with(_visit(day), moved(_visit(day), OLD, to, last))
    assert last
    return last


ADOPTED = ((0, NEW), (1, NEW), (7, NEW))


@pytest.mark.parametrize(
    ("seen", "address"),
    [
        (ADOPTED, NEW),
        (((0, NEW), (7, NEW)), OLD),  # twice only
        (((0, NEW), (1, NEW), (2, NEW), (6.9, NEW)), OLD),  # not a week
        (((0, NEW), (1, NEW), (3, None), (8, NEW)), OLD),  # not at every visit
        (((0, NEW), (1, OTHER), (7, NEW), (8, NEW)), OLD),
        (((0, None), (7, None), (8, None)), OLD),
    ],
)
def test_a_move_is_believed_after_three_sights_over_a_week(seen: tuple[tuple[float, str | None], ...], address: str) -> None:
    assert address_of(FEED, _after(*seen)) == address


def test_without_a_visit_or_with_another_address_in_the_catalogue_that_is_asked() -> None:
    assert address_of(FEED, None) == OLD
    assert address_of(replace(FEED, url=OTHER), _after(*ADOPTED)) == OTHER


def test_credentials_stay_with_the_catalogues_address() -> None:
    assert address_of(replace(FEED, credentials="c"), _after(*ADOPTED)) == OLD


@pytest.mark.parametrize(
    ("failure", "address"),
    [
        (_visit(8, VisitCode.NOT_A_FEED), OLD),
        (_visit(8, VisitCode.GONE, status=410), OLD),
        (_visit(8, VisitCode.HTTP_ERROR, status=404), OLD),
        (_visit(8, VisitCode.UNREACHABLE, failing_since=START + 7.5 * DAY), NEW),
        (_visit(9, VisitCode.UNREACHABLE, failing_since=START + 7.5 * DAY), OLD),
        (_visit(8, VisitCode.UNCHANGED), NEW),
    ],
)
def test_an_adopted_address_that_fails_is_left_again(failure: Visit, address: str) -> None:
    assert address_of(FEED, _with(failure, moved(failure, NEW, None, _after(*ADOPTED)))) == address


def test_a_page_about_repairs_is_no_new_address_and_silence_at_the_old_one_says_nothing() -> None:
    seen = _after((0, NEW), (1, NEW))
    repair = _visit(2, VisitCode.NOT_A_FEED, redirects=(OTHER,))
    assert moved(repair, OLD, OTHER, seen) == Moved()
    assert moved(_visit(2, VisitCode.UNREACHABLE), OLD, None, seen) == Moved(NEW, START, 2)


def test_a_feed_that_moves_on_is_asked_at_the_catalogues_address_until_that_lasts_too() -> None:
    visit = _visit(8)
    assert moved(visit, NEW, OTHER, _after(*ADOPTED)) == Moved(OTHER, visit.visited_at, 1)
    assert moved(visit, NEW, None, _after(*ADOPTED)) == Moved(NEW, START, 4)
