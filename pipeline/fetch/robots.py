"""What a host's robots.txt allows us (RFC 9309, with Crawl-delay). Pure.

Protego matches paths; which group is ours is decided here, by the whole product name: Protego would also take a group
for "news" as one for "newsmill". Naming all other groups alike also keeps a file with ten thousand of them from
costing minutes.
"""

import re
from dataclasses import dataclass
from typing import Any

from protego import Protego

from schemas.web import FetchCode

MAX_BYTES = 500 * 1024
MAX_REDIRECTS = 5
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
    text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
    lines = (_named(line, product) for line in text.splitlines())
    return Rules("allowed", product, Protego.parse("\n".join(lines)))


def _named(line: str, product: str) -> str:
    group = _GROUP.match(line.strip())
    if group is None:
        return line
    name = group[1].strip().lower()
    ours = name == "*" or re.split(r"[/\s]", name)[0] == product
    return f"User-agent: {('*' if name == '*' else product) if ours else '?'}"
