"""How to behave on the web: the limits and manners of one call of `fetch`. Pure."""

import re
from dataclasses import dataclass, field

from yarl import URL

from pipeline.errors import ConfigError
from schemas.web import Kind

_MIB = 1024 * 1024
_USER_AGENT = re.compile(r"[A-Za-z][A-Za-z_-]*(/[!-~]+)?( [ -~]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Times are seconds. `user_agent` begins with the product's name, which is also the name looked up in robots.txt.

    `spacing_s` lies between the end of one request to a host and the start of the next. `max_bytes` count the unpacked
    body. A wait that a host asks for is kept up to `max_wait_s`; a longer one ends the exchange. `allowed_local` names
    "ip:port" pairs that may be reached although they are not on the public internet. `proxy` (http://host:port, a user and
    password before the host where it wants them) stands between us and all others.
    """

    user_agent: str
    spacing_s: float = 1.0
    max_hosts: int = 16
    connect_s: float = 10
    read_s: float = 20
    total_s: float = 60
    max_feed_bytes: int = 15 * _MIB
    max_page_bytes: int = 10 * _MIB
    max_redirects: int = 8
    max_wait_s: float = 10
    allowed_local: frozenset[str] = frozenset()
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _USER_AGENT.fullmatch(self.user_agent):
            raise ConfigError(
                f"user agent {self.user_agent!r}: begin with a product name, in printable ascii, as in 'newsmill/1.0'"
            )
        if self.max_hosts < 1:
            raise ConfigError(f"max_hosts {self.max_hosts}: at least one host must be asked at a time")
        if self.proxy is not None and not is_proxy(self.proxy):
            raise ConfigError("the proxy is no address of one: NEWSMILL_PROXY is like http://proxy.example:3128")

    @property
    def product(self) -> str:
        return re.split(r"[/ ]", self.user_agent)[0].lower()

    def max_bytes(self, kind: Kind) -> int:
        return self.max_feed_bytes if kind is Kind.FEED else self.max_page_bytes


def is_proxy(text: str) -> bool:
    """Whether this names a proxy: http, a host and a port; perhaps a user and password, so that no message may repeat it."""
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme == "http" and bool(url.host) and url.explicit_port is not None and url.path in ("", "/") and not url.query
