"""WebSub (https://www.w3.org/TR/websub/) as its subscriber sees it. Pure.

What a feed announces, secrets and signatures, and when a hub is to be asked for a subscription.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from pipeline.errors import ConfigError

#: Asked of a hub; it may grant less.
LEASE = timedelta(days=10)
#: Where a hub grants no time it says so; one that says nothing is asked again after a day.
LEASE_UNSAID, LEASE_MOST = timedelta(days=1), timedelta(days=90)
#: A lease is renewed when this share of it is over.
RENEW_AT = 0.75
#: A hub that has not verified, has refused or brought nothing is asked again after these waits, the last for ever.
WAITS = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24), timedelta(days=7))
_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
_LINK = re.compile(r"<([^<>]{1,4096})>((?:\s*;\s*[\w*-]{1,40}\s*=\s*(?:\"[^\"]{0,200}\"|[^\s\",;]{1,200})){0,20})")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]{0,200})\"|([^\s\",;]{1,200}))", re.IGNORECASE)
_SECRET_LEAST = 16


class Mode(StrEnum):
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a hub, the last time: written by who subscribes, alone."""

    feed_id: str
    topic: str
    hub: str
    mode: Mode
    at: datetime
    times: int = 1  # in a row without success
    answer: str = ""  # how the hub answered, in words
    silent_since: datetime | None = None  # when it should have brought something and did not


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard of a subscription: written by the receiver, alone."""

    topic: str
    verified_at: datetime | None = None
    lease_until: datetime | None = None
    denied_at: datetime | None = None
    why: str = ""
    pushed_at: datetime | None = None
    pushes: int = 0
    refused: int = 0  # pushes whose signature was wrong or missing


@dataclass(frozen=True, slots=True)
class Keys:
    """The one secret of this installation, from which those of all subscriptions follow, so that none is stored."""

    secret: str

    def __post_init__(self) -> None:
        if len(self.secret) < _SECRET_LEAST:
            raise ConfigError(
                f"NEWSMILL_PUSH_SECRET is missing or shorter than {_SECRET_LEAST} characters; set it to a random text, such as "
                f"that of: openssl rand -hex 24"
            )

    def token(self, feed_id: str, topic: str) -> str:
        """What makes a callback's address hard to guess: 32 hex digits."""
        return self._derived("callback", feed_id, topic)[:32]

    def secret_of(self, feed_id: str, topic: str) -> str:
        """What the hub signs with."""
        return self._derived("signature", feed_id, topic)

    def _derived(self, *parts: str) -> str:
        return hmac.new(self.secret.encode(), "\x00".join(parts).encode(), hashlib.sha256).hexdigest()


def is_signed(header: str | None, content: bytes, secret: str) -> bool:
    """Whether an X-Hub-Signature fits: HMAC with SHA-1 (not broken as HMAC, and all that many hubs can), 256, 384 or 512."""
    method, _, said = (header or "").strip().partition("=")
    if method.lower() not in _ALGORITHMS:
        return False
    return hmac.compare_digest(
        hmac.new(secret.encode(), content, method.lower()).hexdigest().encode(), said.strip().lower().encode()
    )


def announced(link: str | None, in_document: Mapping[str, str | None], url: str) -> tuple[str | None, str | None]:
    """The hub and the topic that an answer names: its Link header before its document; both or none."""
    found: dict[str, str] = {}
    for target, attributes in _LINK.findall(link or ""):
        for quoted, bare in _REL.findall(attributes):
            for rel in (quoted or bare).lower().split():
                found.setdefault(rel, target)
    hub = _web(found.get("hub") or in_document.get("hub"), url)
    topic = _web((found if "hub" in found else in_document).get("self") or url, url)
    return (hub, topic) if hub and topic else (None, None)


def _web(address: str | None, base: str) -> str | None:
    try:
        whole = urljoin(base, (address or "").strip())
        parts = urlsplit(whole)
    except ValueError:
        return None
    is_plain = (
        address and parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and whole.isprintable()
    )
    return whole if is_plain else None


def is_verified(heard: Heard | None, topic: str, now: datetime) -> bool:
    """Whether the hub has confirmed the subscription and its lease lasts."""
    return bool(heard and heard.topic == topic and heard.verified_at and heard.lease_until and heard.lease_until > now)


def is_live(asked: Asked | None, heard: Heard | None, now: datetime) -> bool:
    """Whether push can be relied on: confirmed, and it has brought something since it last fell silent."""
    if not (asked and heard and asked.mode == Mode.SUBSCRIBE and is_verified(heard, asked.topic, now) and heard.pushed_at):
        return False
    return asked.silent_since is None or heard.pushed_at > asked.silent_since


def next_ask(hub: str, topic: str, asked: Asked | None, heard: Heard | None, now: datetime) -> str | None:
    """Why to ask the hub of a feed for a subscription now, in words; None where there is no reason to, or not yet."""
    if asked is None or asked.mode == Mode.UNSUBSCRIBE:
        return "the feed announces a hub"
    if (asked.hub, asked.topic) != (hub, topic):  # one that names another each time would else let us knock anywhere
        return "the feed announces another hub or topic" if now >= asked.at + WAITS[0] else None
    is_ending = _is_ending(heard, topic, now)
    has_answered = bool(heard and heard.topic == topic and heard.verified_at and heard.verified_at >= asked.at)
    if has_answered and is_ending:
        return "the lease ends soon"
    if now < asked.at + WAITS[min(asked.times, len(WAITS)) - 1]:
        return None
    if asked.silent_since and not is_live(asked, heard, now):
        return f"nothing has been pushed since {asked.silent_since:%Y-%m-%d %H:%M} UTC"
    if heard and heard.denied_at and heard.denied_at > asked.at:
        return "the hub had refused"
    if is_ending or not is_verified(heard, topic, now):
        return "the hub has not confirmed"
    return None


def ask_again(hub: str, topic: str, asked: Asked | None, heard: Heard | None, *, feed_id: str, now: datetime) -> Asked:
    """What is noted of such an ask: how often it was made in vain, and since when nothing has come."""
    new = Asked(feed_id=feed_id, topic=topic, hub=hub, mode=Mode.SUBSCRIBE, at=now)
    if asked is None or (asked.hub, asked.topic, asked.mode) != (hub, topic, Mode.SUBSCRIBE):
        return new
    silent_since = None if is_live(asked, heard, now) else asked.silent_since
    in_vain = silent_since or not is_verified(heard, topic, now) or (heard and heard.verified_at and heard.verified_at < asked.at)
    return replace(new, times=asked.times + 1 if in_vain else 1, silent_since=silent_since)


def _is_ending(heard: Heard | None, topic: str, now: datetime) -> bool:
    if not (heard and heard.topic == topic and heard.verified_at and heard.lease_until):
        return False
    return now >= heard.verified_at + RENEW_AT * (heard.lease_until - heard.verified_at)
