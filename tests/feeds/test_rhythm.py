"""How often a feed brings something, and how long to wait for more."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds.rhythm import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    UNKNOWN_PACE,
    expected,
    first_pace,
    mean_pace,
    next_pace,
    next_span,
    own_wait,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOON = MONDAY + timedelta(hours=12)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: An entry an hour from 4 to 20 o'clock UTC on working days.
OFFICE = (0.0, 1.0, 1.0, 1.0, 1.0, 0.0) + (0.0,) * 6


def _minutes(wait: timedelta) -> int:
    return round(wait / timedelta(minutes=1))


def _even(pace: float) -> tuple[float, ...]:
    return (pace,) * 12


@pytest.mark.parametrize(
    ("an_hour", "minutes"), [(60, 5), (4, 11), (1, 21), (1 / 24, 104), (1 / 168, 274), (1 / 24 / 365, 24 * 60), (0, 24 * 60)]
)
def test_the_wait_grows_with_the_root_of_the_time_between_entries(an_hour: float, minutes: int) -> None:
    assert _minutes(own_wait(_even(an_hour), NOON)) == minutes


def test_a_feed_of_office_hours_is_left_alone_by_night_and_waited_for_in_the_morning() -> None:
    assert _minutes(own_wait(OFFICE, NOON)) == 22
    assert _minutes(own_wait(OFFICE, MONDAY + timedelta(hours=21))) > 90
    before = own_wait(OFFICE, MONDAY + timedelta(hours=3, minutes=50))
    assert timedelta(minutes=20) < before < timedelta(minutes=35)  # into the first half hour of the office
    assert own_wait(OFFICE, NOON + 5 * DAY) > 3 * own_wait(OFFICE, NOON)  # a Saturday


def test_a_burst_shortens_the_next_hour_s_waits() -> None:
    assert _minutes(own_wait(OFFICE, NOON, lately=20)) == 5


def test_the_dates_of_the_first_document_say_the_pace() -> None:
    hourly = first_pace([NOON - n * HOUR for n in range(1, 25)], NOON)
    assert 0.7 < mean_pace(hourly) < 1.3
    assert first_pace([], NOON) == _even(UNKNOWN_PACE)
    old = first_pace([NOON - timedelta(days=90 + n) for n in range(20)], NOON)
    assert own_wait(old, NOON) > timedelta(hours=8)


def _days(pace: tuple[float, ...], days: int, at: tuple[int, ...]) -> tuple[float, ...]:
    """The pace after so many working days from Monday, visited each half hour, with an entry in each of these hours."""
    now = MONDAY
    while now < MONDAY + days * DAY:
        new = [now + HOUR / 4] if now.hour in at and now.minute == 0 else []
        pace, now = next_pace(pace, now, now + HOUR / 2, new), now + HOUR / 2
    return pace


def test_the_pace_of_each_part_of_the_day_is_learnt() -> None:
    pace = _days(_even(UNKNOWN_PACE), 5, tuple(range(8, 16)))
    assert [round(p, 1) for p in pace[:6]] == [0.1, 0.1, 0.9, 0.9, 0.1, 0.1]
    assert pace[6:] == _even(UNKNOWN_PACE)[6:]  # nothing is known of weekends yet
    silent = _days(pace, 5, ())
    assert max(silent[:6]) < 0.25


def test_what_is_expected_is_the_pace_over_the_time() -> None:
    assert expected(OFFICE, MONDAY, MONDAY + DAY) == pytest.approx(16)
    assert expected(OFFICE, MONDAY + 5 * DAY, MONDAY + 7 * DAY) == 0
    assert expected((), MONDAY, NOON) == 0


def test_no_pace_gives_a_wait_out_of_bounds_or_a_pace_that_is_none() -> None:
    draw = random.Random(7)
    for _ in range(500):
        pace = tuple(draw.choice((0.0, 1e-300, draw.uniform(0, 60))) for _ in range(12))
        now = MONDAY + timedelta(seconds=draw.uniform(0, 1e8))
        assert SHORTEST_WAIT <= own_wait(pace, now, draw.choice((0, 1e4))) <= LONGEST_WAIT
        moments = [now + timedelta(seconds=draw.uniform(-1e5, 1e5)) for _ in range(draw.randrange(50))]
        for learnt in (next_pace(pace, now - draw.choice((0, 1, 2000)) * HOUR, now, moments), first_pace(moments, now)):
            assert len(learnt) == 12 and all(0 <= p <= 60 for p in learnt)


@pytest.mark.parametrize(
    ("known", "times", "share", "span"),
    [
        ((None, None), [1, 2, 9], 1.0, 9 * 3600),
        ((3600.0, NOON), [1, 2, 9], 0.1, 3600),
        ((9e9, NOON), [1, 2, 9], 0.1, 9 * 3600),
        ((3600.0, NOON - timedelta(days=7)), [], 0.0, 3600 * 2.718281828),  # slowly forgotten
        ((None, None), [3, 3, 3, 3], 1.0, None),  # brought whole, or dated by its making
        ((None, NOON - 2 * HOUR), [], 0.5, 4 * 3600),  # no dates, and half of it new in two hours
        ((None, NOON - 2 * HOUR), [], 0.1, None),
    ],
)
def test_the_time_in_which_a_document_is_replaced(
    known: tuple[float | None, datetime | None], times: list[int], share: float, span: float | None
) -> None:
    found = next_span(known, NOON, [NOON - n * HOUR for n in times], share)
    assert found == (span and round(span))
