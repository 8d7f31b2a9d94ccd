"""How an attempt that brought nothing ends: how long until the next, which attempts count, when an entry is given up. Pure."""

from datetime import timedelta

import pytest

from pipeline.run.ledger import Ledger, Memory
from schemas.article import Attempt
from schemas.columns import from_arrow
from schemas.outcome import Outcome, OutcomeCode
from tests.run.publisher import START

UNREACHABLE, DEFERRED, GIVEN_UP = OutcomeCode.UNREACHABLE, OutcomeCode.DEFERRED, OutcomeCode.GIVEN_UP
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ended(*attempts: Attempt, deferred: int = 0) -> list[Outcome]:
    """The outcomes of these attempts, of which so many before sent nothing."""
    before = {(a.entry_id, a.revision): deferred for a in attempts}
    ledger = Ledger(Memory(keys={}, texts={}, current={}, attempts={}, deferred=before))
    for one in attempts:
        ledger.enter(one)
    return from_arrow(ledger.tables()["outcomes"], Outcome)


def attempt(number: int, code: str | None, entry: str = "e_1", wait_s: float | None = None, age: timedelta = HOUR) -> Attempt:
    return Attempt(
        entry_id=entry,
        revision="r",
        feed_id="t",
        source="T",
        attempt=number,
        seen_at=START - age,
        position=0,
        title="",
        link_key="x.example/a",
        code=code,
        detail="why",
        retry_after_s=wait_s,
        ended_at=START,
    )


@pytest.mark.parametrize(
    ("number", "deferred", "code", "wait_s", "end", "after"),
    [
        (1, 0, "unreachable", None, UNREACHABLE, 5 * MINUTE),
        (3, 2, "unreachable", None, UNREACHABLE, 5 * MINUTE),
        (5, 2, "unreachable", 7200, UNREACHABLE, 2 * HOUR),
        (5, 0, "unreachable", 1e12, UNREACHABLE, DAY),
        (6, 0, "unreachable", None, GIVEN_UP, None),
        (6, 1, "unreachable", None, UNREACHABLE, 1280 * MINUTE),
        (7, 1, "unreachable", None, GIVEN_UP, None),
        (1, 0, "deferred", 90, DEFERRED, 90 * timedelta(seconds=1)),
        (40, 39, "deferred", 1e12, DEFERRED, DAY),
        (2, 1, "gone", None, OutcomeCode.GONE, None),
    ],
)
def test_which_attempts_count_and_how_long_is_waited(
    number: int, deferred: int, code: str, wait_s: float | None, end: OutcomeCode, after: timedelta | None
) -> None:
    (outcome,) = ended(attempt(number, code, wait_s=wait_s), deferred=deferred)
    assert (outcome.code, outcome.due_at) == (end, after and START + after)


def test_an_entry_whose_host_is_closed_for_more_than_a_week_is_given_up() -> None:
    (outcome,) = ended(attempt(9, "deferred", wait_s=60, age=7 * DAY + MINUTE), deferred=8)
    assert (outcome.code, outcome.final, outcome.detail) == (GIVEN_UP, True, "7 days after it was seen: why")


def test_another_entry_with_the_address_waits_as_long() -> None:
    first, other = ended(attempt(1, "deferred", wait_s=600), attempt(1, None, "e_2"))
    assert (first.due_at, other.due_at, other.code) == (START + 10 * MINUTE, START + 10 * MINUTE, DEFERRED)
    assert other.detail == "same address as e_1: why"
