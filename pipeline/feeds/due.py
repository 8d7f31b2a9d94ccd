"""Decides when a feed is visited: `due` before a visit, `next_visit` after it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from schemas.feed import Feed, VisitCode

LONGEST_WAIT = timedelta(hours=24)
#: A feed that says it is gone is asked again all the same: a surprising number come back.
WAIT_WHEN_GONE = timedelta(days=30)
#: Feeds of one interval drift apart by up to this share of it, instead of being asked in one burst for ever.
JITTER = 0.05
#: Up to this interval a visit must not miss the run of its minute: no jitter, and counted from the full minute.
#: Runs come every few minutes at full minutes; a feed due some seconds after one would wait for the next each time.
PROMPT = timedelta(hours=1)

_BROUGHT_SOMETHING = frozenset({VisitCode.PARSED, VisitCode.UNCHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class LastVisit:
    """What the next visit needs to know of the last one; `url` is the address then asked."""

    feed_id: str
    next_due_at: datetime
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    failures: int
    url: str


@dataclass(frozen=True, slots=True)
class NextVisit:
    """When a feed is due again, the rule that set it, and how many visits in a row have failed by now."""

    at: datetime
    rule: str
    failures: int


def due(feeds: Iterable[Feed], last: Mapping[str, LastVisit], now: datetime) -> tuple[Feed, ...]:
    """The enabled feeds to visit now, in the order given; `last` is by feed_id. A new address is a new feed: due at once."""
    return tuple(feed for feed in feeds if feed.enabled and _has_come(feed, last.get(feed.feed_id), now))


def _has_come(feed: Feed, visit: LastVisit | None, now: datetime) -> bool:
    return visit is None or visit.url != feed.url or visit.next_due_at <= now


def next_visit(  # noqa: PLR0913 -- each argument is one thing a visit can say about the next
    feed: Feed,
    code: VisitCode,
    *,
    visited_at: datetime,
    failures: int,
    ttl_minutes: int | None,
    retry_after_s: float | None,
    cache_max_age_s: float | None,
) -> NextVisit:
    """When to come back after a visit that ended in `code`; `failures` counts those in a row before it.

    The longest wait asked for wins: the feed's interval, its ttl, the server's max-age and Retry-After, and after failures
    the interval doubled for each. Nobody but the catalogue can ask for more than 24 hours.
    """
    if code is VisitCode.GONE:
        return NextVisit(visited_at + WAIT_WHEN_GONE, "gone", failures + 1)
    if code is VisitCode.DEFERRED:
        return NextVisit(visited_at + _capped(retry_after_s), "host closed", failures)
    interval = timedelta(minutes=feed.every_minutes)
    waits = {"interval": interval, "retry-after": _capped(retry_after_s)}
    if code in _BROUGHT_SOMETHING:
        failures = 0
        waits |= {"feed ttl": _capped((ttl_minutes or 0) * 60), "cache max-age": _capped(cache_max_age_s)}
    else:
        failures += 1
        waits[f"failures: {failures}"] = _capped(interval.total_seconds() * 2 ** min(failures, 20))
    rule = max(waits, key=lambda name: waits[name])
    wait = waits[rule]
    if rule == "interval" and wait <= PROMPT:
        visited_at = visited_at.replace(second=0, microsecond=0)
    return NextVisit(visited_at + wait + _jitter(feed.feed_id, wait), rule, failures)


def _capped(seconds: float | None) -> timedelta:
    # 0.0 first: max() then answers 0.0 also for the NaN that a header can be read as.
    return timedelta(seconds=min(max(0.0, seconds or 0.0), LONGEST_WAIT.total_seconds()))


def _jitter(feed_id: str, wait: timedelta) -> timedelta:
    """The same for a feed every time, so that a replay gives the same times; never beyond the longest wait."""
    if wait <= PROMPT or wait >= LONGEST_WAIT:
        return timedelta(0)
    share = int.from_bytes(blake2b(feed_id.encode(), digest_size=4).digest(), "big") / 2**32
    return timedelta(seconds=int(min(wait * JITTER * share, LONGEST_WAIT - wait).total_seconds()))
