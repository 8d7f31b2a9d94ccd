"""When a feed's entries come, in words: on which days, at which hours. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

#: Fewer times tell of no rhythm.
LEAST = 8
_MOST_OF = 0.8
_WEEK = timedelta(days=7)
_SATURDAY = 5


def rhythm(times: Sequence[datetime]) -> str | None:
    """Like "on weekdays, mostly 07:00 to 18:00 UTC"; days where a week is to be seen. None where too few times are known."""
    if len(times) < LEAST:
        return None
    said = [_hours([t.astimezone(UTC).hour for t in times])]
    if max(times) - min(times) >= _WEEK:
        said.insert(0, _days(sum(t.astimezone(UTC).weekday() >= _SATURDAY for t in times) / len(times)))
    return ", ".join(said)


def _days(at_weekends: float) -> str:
    if at_weekends == 0:
        return "on weekdays"
    return "mostly on weekdays" if at_weekends < (1 - _MOST_OF) / 2 else "every day"


def _hours(hours: Sequence[int]) -> str:
    """The shortest stretch of hours in which most of them lie, past midnight too; half a day at most tells something."""
    counted, enough = Counter(hours), _MOST_OF * len(hours)
    for length in range(1, 13):
        for first in range(24):
            if sum(counted[(first + n) % 24] for n in range(length)) >= enough:
                whole = "" if sum(counted[(first + n) % 24] for n in range(length)) == len(hours) else "mostly "
                return f"{whole}{first:02}:00 to {(first + length) % 24:02}:00 UTC"
    return "around the clock"
