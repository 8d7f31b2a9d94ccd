"""One host's queue: one request at a time, a pause after each, and the waits it asked for, in words or by refusing. Sleeps."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.fetch.policy import Policy
from schemas.web import HostSeen, Kind

_FOR_ALL = None  # whom a wait is for that a host asked for: feeds and pages alike
_JITTER = 0.2  # of the pause, added at random, so that many hosts do not fall into step
_REFUSING = frozenset({403, 429})
#: So many refusals in a row close a host, for twice as long with each that follows: a ban must not be fed.
BURST = 3
FIRST_CLOSED_S, LONGEST_CLOSED_S = 15 * 60.0, 24 * 3600.0


class Host:
    """Hold `lock` around a request; `opened` before it, `left` after it, then `answered`. Begins with what was `seen` before."""

    def __init__(self, policy: Policy, clock: Callable[[], datetime], seen: HostSeen | None = None) -> None:
        self.lock = asyncio.Lock()
        self._clock, self._max_wait_s = clock, policy.max_wait_s
        self._pause_s, self._delay_s = policy.spacing_s, 0.0
        self._left_at, self._requests = -math.inf, 0
        # apart, as many a publisher shows its feed to everybody and its pages to nobody like us
        self._refusals = {Kind.FEED: seen.feeds_refused, Kind.PAGE: seen.pages_refused} if seen else dict.fromkeys(Kind, 0)
        self._closed_until: dict[Kind | None, float] = {}
        if seen:
            now, here = clock(), time.monotonic()
            # whoever was slowed down may go faster from batch to batch
            self._pause_s = max(policy.spacing_s, min(seen.pause_s / 2, policy.max_wait_s))
            self._left_at = here - max(0.0, (now - seen.asked_at).total_seconds())
            until = {Kind.FEED: seen.feeds_closed_until, Kind.PAGE: seen.pages_closed_until, _FOR_ALL: seen.closed_until}
            self._closed_until = {kind: here + (at - now).total_seconds() for kind, at in until.items() if at}

    async def opened(self, kind: Kind | None) -> float:
        """Wait for our turn and return 0, or return at once the seconds the host wants to be left alone, if too many to wait.

        `kind` is None for a robots.txt.
        """
        closed_s = max(self._closed_until.get(whom, 0.0) for whom in (kind, _FOR_ALL)) - time.monotonic()
        if closed_s > self._max_wait_s:
            return closed_s
        free_at = self._left_at + max(self._pause_s, self._delay_s) * random.uniform(1, 1 + _JITTER)
        await asyncio.sleep(max(0.0, closed_s, free_at - time.monotonic()))
        return 0.0

    def why_closed(self, kind: Kind | None) -> str:
        if kind and self._closed_until.get(kind, 0.0) > self._closed_until.get(_FOR_ALL, 0.0):
            return f"refused {self._refusals[kind]} {kind}s in a row and is left alone for"
        return "asked to wait"

    def left(self) -> None:
        """A request has ended."""
        self._left_at = time.monotonic()
        self._requests += 1

    def slow_down(self, delay_s: float) -> bool:
        """Keep the pause that robots.txt asks for, as far as it can be kept; False where it is cut short."""
        self._delay_s = max(self._delay_s, min(delay_s, self._max_wait_s))
        return delay_s <= self._max_wait_s

    def answered(self, kind: Kind | None, status: int | None, retry_after_s: float | None) -> None:
        """Leave the host alone as long as it says; where it refuses, go half as fast, and after a burst leave it alone too."""
        if retry_after_s is not None:
            self._close(_FOR_ALL, min(retry_after_s, LONGEST_CLOSED_S))
        if status in _REFUSING and kind:
            self._refusals[kind] += 1
            self._close(kind, closed_after(self._refusals[kind]))
        elif kind and status is not None and status < 500:  # an error of its own says neither
            self._refusals[kind] = 0
        # a single page may be forbidden for good
        if retry_after_s is None and (status == 429 or (status == 403 and kind and self._refusals[kind] > 1)):
            self._pause_s = max(self._pause_s, min(2 * self._pause_s, self._max_wait_s))

    def _close(self, kind: Kind | None, seconds: float) -> None:
        if seconds:
            self._closed_until[kind] = max(self._closed_until.get(kind, 0.0), time.monotonic() + seconds)

    def seen(self, name: str) -> HostSeen | None:
        """What is to be remembered of it; None where it was not asked."""
        if not self._requests:
            return None
        now, here = self._clock(), time.monotonic()
        left_s = {kind: at - here for kind, at in self._closed_until.items() if at > here}
        until = {kind: now + timedelta(seconds=seconds) for kind, seconds in left_s.items()}
        return HostSeen(
            host=name,
            asked_at=now - timedelta(seconds=here - self._left_at),
            requests=self._requests,
            pause_s=self._pause_s,
            closed_until=until.get(_FOR_ALL),
            feeds_refused=self._refusals[Kind.FEED],
            feeds_closed_until=until.get(Kind.FEED),
            pages_refused=self._refusals[Kind.PAGE],
            pages_closed_until=until.get(Kind.PAGE),
        )


def closed_after(refusals: int) -> float:
    """For how many seconds a host is closed after so many refusals in a row."""
    return 0.0 if refusals < BURST else min(FIRST_CLOSED_S * 2 ** min(refusals - BURST, 20), LONGEST_CLOSED_S)
