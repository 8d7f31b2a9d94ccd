"""One host's queue: one request at a time, a pause after each, and the wait it asked for. Sleeps."""

import asyncio
import math
import random
import time

from pipeline.fetch.policy import Policy

_JITTER = 0.2  # of the pause, added at random, so that many hosts do not fall into step


class Host:
    """Hold `lock` around a request; `opened` before it, `left` after it. Times are of the monotonic clock."""

    def __init__(self, policy: Policy) -> None:
        self.lock = asyncio.Lock()
        self._spacing_s = policy.spacing_s
        self._max_wait_s = policy.max_wait_s
        self._left_at = -math.inf
        self._closed_until = 0.0

    async def opened(self) -> float:
        """Wait for our turn and return 0, or return at once the seconds the host wants to be left alone, if too many to wait."""
        closed_s = self._closed_until - time.monotonic()
        if closed_s > self._max_wait_s:
            return closed_s
        free_at = self._left_at + self._spacing_s * random.uniform(1, 1 + _JITTER)
        await asyncio.sleep(max(0.0, closed_s, free_at - time.monotonic()))
        return 0.0

    def left(self) -> None:
        """A request has ended."""
        self._left_at = time.monotonic()

    def slow_down(self, delay_s: float) -> bool:
        """Keep the pause that robots.txt asks for, as far as it can be kept; False where it is cut short."""
        self._spacing_s = max(self._spacing_s, min(delay_s, self._max_wait_s))
        return delay_s <= self._max_wait_s

    def refused(self, retry_after_s: float | None) -> None:
        """The host said that it had enough: leave it alone as long as it says, or go half as fast."""
        if retry_after_s is None:
            self._spacing_s = max(self._spacing_s, min(2 * self._spacing_s, self._max_wait_s))
        else:
            self._closed_until = time.monotonic() + retry_after_s
