"""What is asked for a second time at once, and how often a batch may: for failures that mostly pass within seconds. Holds counts.

Each request has one second try at most, each host a few, and all together a share of what is asked for, so that an outage is not
met with twice the requests. Whoever refuses (403, 429) or says when to come back is never asked again at once.
"""

import random
from collections import Counter

import aiohttp

from pipeline.fetch.ask import Answer

PER_HOST, SHARE, LEAST = 3, 0.05, 3
_PASSING = frozenset({502, 503, 504})


class Budget:
    """The second tries of one call of `fetch`, by how many requests it has."""

    def __init__(self, requests: int) -> None:
        self._left = max(LEAST, int(requests * SHARE))
        self._of_host: Counter[str] = Counter()

    def take(self, host: str) -> bool:
        """Whether one more second try may be made at this host; then it is counted."""
        if not self._left or self._of_host[host] >= PER_HOST:
            return False
        self._left -= 1
        self._of_host[host] += 1
        return True


def passes(answer: Answer) -> bool:
    """Whether this may be over in a moment: the connection was lost, or a gateway had nobody behind it."""
    if answer.status in _PASSING and answer.retry_after_s is None:
        return True
    lost = answer.error is not None and isinstance(answer.error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return lost and not isinstance(answer.error, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError)


def pause_s(spacing_s: float) -> float:
    """Seconds to wait before the second try, beside the pause that the host has anyway; jittered."""
    return spacing_s * random.uniform(1, 3)
