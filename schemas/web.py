"""The web: what is asked of a server and what came back."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schemas.columns import col


class FetchCode(StrEnum):
    """How one exchange with a server ended."""

    OK = "ok"  # 2xx with a body within the cap
    NOT_MODIFIED = "not_modified"  # 304
    STATUS = "status"  # any other status
    UNREACHABLE = "unreachable"  # DNS, connection, TLS, timeout, broken answer
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    FORBIDDEN_ADDRESS = "forbidden_address"  # not http(s), or resolves to no public address
    DISALLOWED = "disallowed"  # robots.txt
    NO_CREDENTIALS = "no_credentials"  # nothing was sent: what the feed's credentials are is not known, or must not be sent there
    DEFERRED = "deferred"  # nothing was sent: the host had asked to be left alone, or refused too often


class Kind(StrEnum):
    FEED = "feed"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    name: str = col("header name, lower case")
    value: str = col("header value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One address to ask. `owner` is the visit or page id, `target` the feed or entry it is for, `revision` the entry's.

    `local` is the "host:port" that this one request may reach although it is not public: its feed's own. `secret` is a header
    that is sent to the address's own origin alone, and `unsent` the reason why nothing is sent. No row is made of this one.
    """

    kind: Kind
    owner: str
    target: str
    url: str
    revision: str | None = None
    attempt: int = 1
    etag: str | None = None
    last_modified: str | None = None
    local: str | None = None
    secret: Header | None = field(default=None, repr=False)
    unsent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One exchange with a server, kept whole: table `bodies`. `content` is null where nothing came or it is known already."""

    kind: Kind = col("feed or page")
    owner: str = col("the visit_id or page_id this exchange belongs to")
    target: str = col("the feed_id or entry_id it was made for")
    revision: str | None = col("the entry revision it was made for", default=None)
    attempt: int = col("1 for the first attempt at this revision", default=1)
    url: str = col("address asked")
    final_url: str | None = col("address that answered", default=None)
    redirects: tuple[str, ...] = col("addresses passed on the way, in order", default=())
    asked_at: datetime = col("when the request was sent")
    answered_at: datetime = col("when the last byte came or the attempt was given up")
    code: FetchCode = col("how the exchange ended: a value of schemas.web.FetchCode")
    status: int | None = col("HTTP status", default=None)
    headers: tuple[Header, ...] = col("answer headers that matter, of the last hop", default=())
    retry_after_s: float | None = col("seconds the server asked to wait", default=None)
    robots: str | None = col("allowed, disallowed, none (no robots.txt) or unavailable", default=None)
    detail: str | None = col("what went wrong, in words", default=None)
    sha256: str | None = col("SHA-256 of the unpacked body", default=None)
    content: bytes | None = col("unpacked body", default=None)
    moved_to: str | None = col("where the permanent redirects at its beginning led", default=None)

    def header(self, name: str) -> str | None:
        return next((h.value for h in self.headers if h.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One fetch of the page behind an entry."""

    page_id: str = col("id of the fetch")
    entry_id: str = col("the entry it was made for")
    revision: str = col("the entry's revision")
    attempt: int = col("1 for the first attempt at this revision")
    host: str | None = col("host that answered, or was asked where none did")
    url: str = col("address asked")
    final_url: str | None = col("address that answered, after redirects", default=None)
    redirects: tuple[str, ...] = col("addresses passed on the way, in order", default=())
    fetched_at: datetime = col("when the request was sent")
    outcome: FetchCode = col("how the fetch ended: a value of schemas.web.FetchCode")
    status: int | None = col("HTTP status", default=None)
    content_type: str | None = col("content type as the server names it", default=None)
    robots: str | None = col("what robots.txt said: allowed, disallowed, none or unavailable", default=None)
    opt_out: tuple[str, ...] = col("opt-out signals seen: tdm-reservation, noai, noarchive …", default=())
    body_sha256: str | None = col("SHA-256 of the unpacked body, the key into bodies", default=None)
    body_bytes: int = col("size of the unpacked body in bytes", default=0)
    detail: str | None = col("what went wrong, in words", default=None)
    etag: str | None = col("ETag of the answer, sent back when the page of a young article is read again", default=None)
    last_modified: str | None = col("Last-Modified of the answer, sent back likewise", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSeen:
    """A host as it stood when a shard of a batch had asked it: what the next batch and the other stage go by."""

    host: str = col("name or address of the host, lower case, whatever the port")
    asked_at: datetime = col("when the last request to it ended")
    requests: int = col("requests sent to it, those for robots.txt included")
    pause_s: float = col("seconds kept between two requests at the end, more where it refused; robots.txt may ask for more")
    closed_until: datetime | None = col("it said that it is not to be asked before", default=None)
    feeds_refused: int = col("feeds in a row that it answered with 403 or 429, also in batches before", default=0)
    feeds_closed_until: datetime | None = col("no feed is asked for before, as it refused too often in a row", default=None)
    pages_refused: int = col("pages in a row that it answered with 403 or 429, also in batches before", default=0)
    pages_closed_until: datetime | None = col("no page is asked for before, as it refused too often in a row", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsSeen:
    """A robots.txt as it was read, or that there is none: counts for all requests to its origin until it expires."""

    origin: str = col("scheme, host and port it is about")
    host: str = col("its host, lower case")
    read_at: datetime = col("when it was read")
    expires_at: datetime = col("when it is read again: as its headers say, after an hour at least and a day at most")
    state: str = col("allowed where rules were read, or none")
    status: int | None = col("HTTP status", default=None)
    text: str | None = col("the rules, of which the first 500 KiB count", default=None)
    delay_s: float = col("seconds it asks to keep between two requests, 0 where it says nothing", default=0.0)
