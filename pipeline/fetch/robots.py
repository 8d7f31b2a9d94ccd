"""What a host's robots.txt allows us (RFC 9309, with Crawl-delay), and for how long. Pure.

Protego matches paths; which group is ours is decided here, by the whole product name: Protego would also take a group
for "news" as one for "newsmill". Naming all other groups alike also keeps a file with ten thousand of them from
costing minutes.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protego import Protego
from yarl import URL

from pipeline.fetch.ask import Answer
from pipeline.fetch.headers import fresh_for
from schemas.web import FetchCode, RobotsSeen

MAX_BYTES = 500 * 1024
MAX_REDIRECTS = 5
#: It is read again after as long as its headers say, within these seconds; RFC 9309 allows a day.
LEAST_KEPT_S, LONGEST_KEPT_S = 3600.0, 24 * 3600.0
_GROUP = re.compile(r"user[- ]?agent(?![\w-])\s*:?\s*([^#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """`state` is "allowed" where rules were read, else "none" or "unavailable"; the last three then say how a page ends."""

    state: str
    product: str
    parsed: Any = None
    ended: FetchCode = FetchCode.DISALLOWED
    detail: str | None = None
    wait_s: float | None = None

    def verdict(self, url: str) -> str:
        """What is said of this URL: allowed, disallowed, none or unavailable."""
        if self.parsed is None or self.parsed.can_fetch(url, self.product):
            return self.state
        return "disallowed"

    @property
    def delay_s(self) -> float:
        """The pause between two requests that the host asks for; 0 where it says nothing."""
        return 0.0 if self.parsed is None else float(self.parsed.crawl_delay(self.product) or 0.0)


def parse(content: bytes, product: str) -> Rules:
    """The rules of a robots.txt, for one product name in lower case."""
    text = text_of(content)
    lines = (_named(line, product) for line in text.splitlines())
    return Rules("allowed", product, Protego.parse("\n".join(lines)))


def text_of(content: bytes) -> str:
    return content[:MAX_BYTES].decode("utf-8-sig", "replace")


def rules_of(answer: Answer, product: str, *, redirected: bool) -> Rules:
    """What to make of the answer to a request for robots.txt (RFC 9309, 2.3.1)."""
    if answer.code in (FetchCode.OK, FetchCode.TOO_LARGE):
        return parse(answer.content or b"", product)
    missing = answer.code is FetchCode.STATUS and answer.status is not None and answer.status < 500 and answer.status != 429
    if missing or answer.code is FetchCode.TOO_MANY_REDIRECTS:
        return Rules("none", product)
    # Where the host itself cannot be had, that is how the errand ends; elsewhere it is robots.txt that is missing.
    host_failed = answer.code in (FetchCode.UNREACHABLE, FetchCode.DEFERRED)
    host_failed |= answer.code is FetchCode.FORBIDDEN_ADDRESS and not redirected
    asked_to_wait = FetchCode.DISALLOWED if answer.retry_after_s is None else FetchCode.DEFERRED
    return Rules(
        "unavailable",
        product,
        ended=answer.code if host_failed else asked_to_wait,
        detail=answer.detail or f"status {answer.status}",
        wait_s=answer.retry_after_s,
    )


def seen(origin: URL, answer: Answer, rules: Rules, now: datetime) -> RobotsSeen:
    """What is to be remembered of an answer that could be read, or said that there is none."""
    fresh_s = fresh_for(answer.headers, now)
    kept_s = LONGEST_KEPT_S if fresh_s is None else min(max(fresh_s, LEAST_KEPT_S), LONGEST_KEPT_S)
    return RobotsSeen(
        origin=str(origin),
        host=(origin.raw_host or "").removesuffix(".").lower(),
        read_at=now,
        expires_at=now + timedelta(seconds=kept_s),
        state=rules.state,
        status=answer.status,
        text=text_of(answer.content or b"") if rules.state == "allowed" else None,
        delay_s=rules.delay_s,
    )


def rules_seen(before: RobotsSeen, product: str) -> Rules:
    """The rules as they were read before."""
    return Rules("none", product) if before.text is None else parse(before.text.encode(), product)


def _named(line: str, product: str) -> str:
    group = _GROUP.match(line.strip())
    if group is None:
        return line
    name = group[1].strip().lower()
    ours = name == "*" or re.split(r"[/\s]", name)[0] == product
    return f"User-agent: {('*' if name == '*' else product) if ours else '?'}"
