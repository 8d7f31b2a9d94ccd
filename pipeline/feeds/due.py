"""Decides when a feed is visited: `due` before a visit, `next_visit` after it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from pipeline.feeds.rhythm import LONGEST_WAIT, SHORTEST_WAIT, UNKNOWN_PACE, own_wait
from schemas.feed import Feed, Visit, VisitCode

#: A feed that says it is gone, or that has failed for long, is asked again all the same: a surprising number come back.
LONGEST_PAUSE = timedelta(days=30)
#: A feed whose document is replaced within a day is asked so often on the first day that it fails.
SHORTEST_PAUSE = timedelta(minutes=10)
#: So long a feed may answer 404 before that is taken for "gone".
MISSING_FOR = timedelta(days=7)
#: A feed that fails is asked daily at least, until a day is less than this share of the time it has failed.
SHARE_OF_FAILING = 1 / 7
#: Feeds of one interval drift apart by up to this share of it, instead of being asked in one burst for ever.
JITTER = 0.05
#: Up to this interval a visit must not miss the run of its minute: no jitter, and counted from the full minute, or from the full
#: five. Runs come every few minutes at full minutes; a feed due some seconds after one would wait for the next each time.
PROMPT = timedelta(hours=1)

BROUGHT_SOMETHING = frozenset({VisitCode.PARSED, VisitCode.UNCHANGED})
_HARD = frozenset({VisitCode.GONE, VisitCode.NOT_A_FEED})
_LASTING = ("name does not resolve", "tls:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How long the server wishes to be left alone, in seconds; None where it doesn't say. A feed's own wish is its `wish_s`."""

    max_age_s: float | None = None
    expires_s: float | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NextVisit:
    """When a feed is due again, and the rule that set it."""

    at: datetime
    rule: str


def due(feeds: Iterable[Feed], last: Mapping[str, Visit], now: datetime) -> tuple[Feed, ...]:
    """The enabled feeds to visit now, in the order given; `last` is by feed_id. A new address is a new feed: due at once."""
    return tuple(feed for feed in feeds if feed.enabled and _has_come(feed, last.get(feed.feed_id), now))


def _has_come(feed: Feed, visit: Visit | None, now: datetime) -> bool:
    return visit is None or visit.url != feed.url or visit.next_due_at <= now


def grade(code: VisitCode, detail: str | None) -> float:
    """How much a visit that ended in `code` weighs as a failure: 0 for none, 1 for one that will hardly mend."""
    if code in BROUGHT_SOMETHING:
        return 0.0
    if code in _HARD:
        return 1.0
    passing = code is VisitCode.BUSY or (code is VisitCode.UNREACHABLE and not (detail or "").startswith(_LASTING))
    return 0.25 if passing else 0.5


def next_visit(feed: Feed, visit: Visit, wishes: Wishes, before: Visit | None = None, lately: float = 0.0) -> NextVisit:
    """When to come back after `visit`, of which all is known but that; `before` is the one before it.

    A feed's own wait follows from its pace, and is `every_minutes` where the catalogue gives that. The longest of what is
    wished for wins, up to 24 hours, unless all entries of the document could be replaced in that time: half of that time is
    then the most. `lately` is the pace of the last hour, in new entries an hour.
    """
    wait, rule = _own(feed, visit, lately)
    if visit.outcome not in BROUGHT_SOMETHING:
        return _after_failure(feed, visit, before, wishes, wait)
    waits = {
        rule: wait,
        "ttl or sy:update": _believed(visit.wish_s, visit),
        "cache max-age": _believed(wishes.max_age_s, visit),
        "expires": _believed(wishes.expires_s, visit),
    }
    rule = max(waits, key=lambda name: waits[name])
    if rule != "every_minutes" and visit.span_s is not None:
        waits["turnover"] = max(SHORTEST_WAIT, timedelta(seconds=visit.span_s / 2))
        rule = min(rule, "turnover", key=lambda name: waits[name])
    return _at(feed, visit, waits[rule], rule)


def _own(feed: Feed, visit: Visit, lately: float) -> tuple[timedelta, str]:
    if feed.every_minutes is not None:
        return timedelta(minutes=feed.every_minutes), "every_minutes"
    return own_wait(visit.pace or (UNKNOWN_PACE,) * 12, visit.visited_at, lately), "rhythm"


def _after_failure(feed: Feed, visit: Visit, before: Visit | None, wishes: Wishes, wait: timedelta) -> NextVisit:
    least = max(wait, _capped(wishes.retry_after_s))
    failing = visit.visited_at - (visit.failing_since or visit.visited_at)
    missing = visit.status == 404 and before is not None and before.status == 404 and failing >= MISSING_FOR
    if visit.outcome is VisitCode.GONE or missing:
        return NextVisit(visit.visited_at + LONGEST_PAUSE, "muted")
    cap = min(LONGEST_PAUSE, max(LONGEST_WAIT, failing * SHARE_OF_FAILING))
    slowed = min(cap, wait * 4 ** min(visit.failure_grade, 10.0))
    # where no dates tell: ten entries are a short document
    replaced = (visit.span_s or 10 * (visit.rhythm_s or LONGEST_WAIT.total_seconds())) < LONGEST_WAIT.total_seconds()
    if replaced and failing < LONGEST_WAIT and feed.every_minutes is None:
        slowed = min(slowed, SHORTEST_PAUSE)  # when it is back, all that it still shows shall be seen
        wait, least = min(wait, slowed), _capped(wishes.retry_after_s)
    return _at(feed, visit, max(least, slowed), "retry-after" if least > max(slowed, wait) else f"failures: {visit.failures}")


def _at(feed: Feed, visit: Visit, wait: timedelta, rule: str) -> NextVisit:
    at = visit.visited_at
    if wait <= PROMPT and rule in ("every_minutes", "rhythm", "turnover"):
        at = at.replace(second=0, microsecond=0)
        if rule != "every_minutes":
            at -= timedelta(minutes=at.minute % 5)
    return NextVisit(at + wait + _jitter(feed.feed_id, wait), rule)


def _believed(seconds: float | None, visit: Visit) -> timedelta:
    """A wish for more than a day by a feed that brings something every day is none, but a server's default for all its files."""
    wish = _capped(seconds)
    return timedelta(0) if wish == LONGEST_WAIT and visit.rhythm_s and visit.rhythm_s <= wish.total_seconds() else wish


def _capped(seconds: float | None) -> timedelta:
    # 0.0 first: max() then answers 0.0 also for the NaN that a header can be read as.
    return timedelta(seconds=min(max(0.0, seconds or 0.0), LONGEST_WAIT.total_seconds()))


def _jitter(feed_id: str, wait: timedelta) -> timedelta:
    """The same for a feed every time, so that a replay gives the same times; never beyond the longest wait."""
    if wait <= PROMPT or wait >= LONGEST_WAIT:
        return timedelta(0)
    share = int.from_bytes(blake2b(feed_id.encode(), digest_size=4).digest(), "big") / 2**32
    return timedelta(seconds=int(min(wait * JITTER * share, LONGEST_WAIT - wait).total_seconds()))
