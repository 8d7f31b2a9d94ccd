"""What is said and kept of HTTP headers: validators that may be sent back, the answer headers that matter. Pure.

A validator with control characters or non-ASCII in it makes the next visit's request impossible to send, so one that
does not follow its grammar (RFC 9110) is neither kept nor sent.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from schemas.web import Header, Kind, Request

KEPT = frozenset(
    {
        *("etag", "last-modified", "content-type", "content-encoding", "content-length"),
        *("cache-control", "expires", "date", "retry-after", "location", "link"),
        *("x-robots-tag", "tdm-reservation", "tdm-policy", "cf-mitigated", "server"),
    }
)
_MAX_VALUE = 4096
_ETAG = re.compile(r'(W/)?"[!#-~]{0,1024}"')
_PACKED = "gzip, deflate, br, zstd"
_ACCEPT = {
    Kind.FEED: "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5",
    Kind.PAGE: "text/html, application/xhtml+xml, */*;q=0.5",
}


def well_formed_etag(value: str) -> bool:
    """True for an entity tag that may be sent back: quoted, printable ASCII (RFC 9110, 8.8.3)."""
    return _ETAG.fullmatch(value) is not None


def well_formed_http_date(value: str) -> bool:
    """True for a date that may be sent back: short, printable ASCII, and readable as a date."""
    return http_date(value) is not None


def http_date(value: str) -> datetime | None:
    """The moment an HTTP date means, or None. Lenient in form, as servers are: obsolete formats and zones are read."""
    if len(value) > 64 or not value.isascii() or not value.isprintable():
        return None
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def asking(request: Request, user_agent: str) -> dict[str, str]:
    """The headers to send for a request."""
    headers = {"User-Agent": user_agent, "Accept": _ACCEPT[request.kind], "Accept-Encoding": _PACKED}
    if request.etag is not None and well_formed_etag(request.etag):
        headers["If-None-Match"] = request.etag
    if request.last_modified is not None and well_formed_http_date(request.last_modified):
        headers["If-Modified-Since"] = request.last_modified
    return headers


def asking_for_robots(user_agent: str) -> dict[str, str]:
    """The headers to send for a robots.txt."""
    return {"User-Agent": user_agent, "Accept": "text/plain, */*;q=0.5", "Accept-Encoding": _PACKED}


def kept(headers: Iterable[tuple[str, str]]) -> tuple[Header, ...]:
    """The headers worth keeping, in the server's order, names lower case, free of what no file or later request can hold."""
    found = (Header(name=name.lower(), value=_printable(value)) for name, value in headers if name.lower() in KEPT)
    return tuple(header for header in found if _may_be_kept(header))


def _may_be_kept(header: Header) -> bool:
    if header.name == "etag":
        return well_formed_etag(header.value)
    return header.name != "last-modified" or well_formed_http_date(header.value)


def _printable(value: str) -> str:
    value = value[:_MAX_VALUE]
    return value if value.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in value)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from `now` that a Retry-After header asks to wait, never negative; None where it says nothing readable."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    moment = http_date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def fresh_for(headers: Iterable[Header], now: datetime) -> float | None:
    """Seconds that an answer may be kept by its Cache-Control, else its Expires; None where neither says anything readable."""
    said = {header.name: header.value for header in headers}
    if found := re.search(r"\b(?:max-age=(\d{1,9})|no-store|no-cache)\b", said.get("cache-control", "").lower()):
        return float(found[1] or 0)
    moment = http_date(said.get("expires", ""))
    return None if moment is None else max(0.0, (moment - now).total_seconds())
