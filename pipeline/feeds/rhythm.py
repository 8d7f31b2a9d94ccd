"""How often a feed brings something new, and how long to wait for more of it. Pure.

What is known of a feed is its pace: new entries an hour, in each four hours of a working day and of a day at the weekend. News
of markets keeps office hours, of whatever zone; twelve numbers are enough to be silent with it and to be there when it begins.

Waits follow the square root of the time between entries: of all ways to spend a given number of requests over feeds, and over the
hours of a day, that one lets their entries wait least in sum (visits at rate f to entries at rate r wait r / 2f; the sum is least
where f goes with the root of r).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import exp, expm1, sqrt

HOUR = timedelta(hours=1)
SHORTEST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
#: What is supposed of a feed whose entries have no dates, until it has shown more: an entry in two hours.
UNKNOWN_PACE = 0.5
#: Hours of wait for a feed with an entry an hour; with one in four hours it is twice that.
WAIT_H = 0.37

_BLOCK_H = 4
_BLOCKS = 24 // _BLOCK_H
_MEMORY_H = 12.0  # hours of one class after which two thirds of its pace are what was seen in them: three working days
_MOST_A_DAY = 24 * 60.0
_LONGEST_LOOK = timedelta(days=28)
#: A share of a feed's mean pace is expected at all hours: what has been silent at night may speak at night.
_ALWAYS = 0.1
_SPAN_MEMORY_H = 24.0 * 7
#: Without dates it is guessed from how much of a document is new, from this share on, and not below this.
_NOTABLE, _SHORTEST_GUESS_S = 0.25, 1800.0

Pace = tuple[float, ...]


def first_pace(times: Sequence[datetime], now: datetime) -> Pace:
    """What the dates in a document, read for the first time, say of its feed."""
    dated = [t for t in times if now - _LONGEST_LOOK <= t <= now]
    if not dated:
        return (UNKNOWN_PACE if not times else 1 / (_LONGEST_LOOK / HOUR),) * (2 * _BLOCKS)
    hours = max(0.5, (now - min(dated)) / HOUR)
    return next_pace((len(dated) / hours,) * (2 * _BLOCKS), min(dated) - HOUR, now, dated)


def next_pace(pace: Pace, since: datetime, now: datetime, new: Iterable[datetime]) -> Pace:
    """The pace after some time in which these entries were new. An entry without a date in that time counts for now."""
    since = max(since, now - _LONGEST_LOOK)
    hours, count = [0.0] * len(pace), [0] * len(pace)
    for block, begin, end in _blocks(since, now):
        hours[block] += (end - begin) / HOUR
    for moment in new:
        count[_block(moment if since < moment <= now else now)] += 1
    return tuple(_learnt(*one) for one in zip(pace, hours, count, strict=True))


def _learnt(pace: float, hours: float, count: int) -> float:
    if not hours and not count:
        return pace
    hours = max(hours, 1e-3)
    share = -expm1(-hours / _MEMORY_H)
    return float(f"{min(60.0, pace + share * (count / hours - pace)):.3g}")


def expected(pace: Pace, since: datetime, now: datetime) -> float:
    """How many new entries are usual in this time."""
    return sum(pace[block] * ((end - begin) / HOUR) for block, begin, end in _blocks(since, now)) if pace else 0.0


def mean_pace(pace: Pace) -> float:
    """New entries an hour over a whole week."""
    return sum(pace[:_BLOCKS]) / _BLOCKS * 5 / 7 + sum(pace[_BLOCKS:]) / _BLOCKS * 2 / 7


def own_wait(pace: Pace, now: datetime, lately: float = 0.0) -> timedelta:
    """How long to wait from `now`; `lately` is the pace of the last hour, which the next one is expected to keep at least."""
    least, left, wait = _ALWAYS * mean_pace(pace), WAIT_H, timedelta(0)
    for block, begin, end in _blocks(now, now + LONGEST_WAIT, now + HOUR):
        expected_then = max(pace[block] + least, lately if begin < now + HOUR else 0.0)
        worth = sqrt(expected_then) * ((end - begin) / HOUR)
        if worth >= left:
            wait += (end - begin) * (left / worth)
            break
        left, wait = left - worth, wait + (end - begin)
    return max(SHORTEST_WAIT, wait)


Span = tuple[float | None, datetime | None]


def next_span(before: Span, now: datetime, times: Sequence[datetime], share: float) -> float | None:
    """Seconds in which all entries of a document have been replaced at the fastest, as far as seen; slowly forgotten.

    `before` is what was known, and when; `times` are those in the document just read, `share` is how much of it is new since.
    A document whose dates are all of one or two minutes was brought whole, or is dated by its making: they say nothing.
    """
    span_s, since = before
    spans = [(now - min(times)).total_seconds()] if len({t.replace(second=0, microsecond=0) for t in times}) > 2 else []
    if since and share > _NOTABLE and not times:
        spans.append(max(_SHORTEST_GUESS_S, (now - since).total_seconds() / share))
    if span_s is not None and since:
        spans.append(span_s * exp((now - since) / HOUR / _SPAN_MEMORY_H))
    return round(min(spans)) if spans else None


def _blocks(since: datetime, until: datetime, *also: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    """The stretches of `since` to `until` of one class each, divided at the moments `also` too."""
    begin = since.astimezone(UTC)
    while begin < until:
        full = begin.replace(hour=begin.hour // _BLOCK_H * _BLOCK_H, minute=0, second=0, microsecond=0)
        end = min([full + timedelta(hours=_BLOCK_H), until, *(moment for moment in also if begin < moment)])
        yield _block(begin), begin, end
        begin = end


def _block(moment: datetime) -> int:
    moment = moment.astimezone(UTC)
    return moment.hour // _BLOCK_H + (_BLOCKS if moment.weekday() >= 5 else 0)
