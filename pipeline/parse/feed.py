"""Turns the bytes of an RSS, RDF or Atom feed, or of a news sitemap, into its entries. Pure.

Clean text, safe links, own dates and keys.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from pipeline.parse import quick
from pipeline.parse.caps import capped
from pipeline.parse.dates import read_date
from pipeline.parse.keys import Marks, choose_keys, worse
from pipeline.parse.sitemap import is_sitemap, parse_sitemap
from pipeline.parse.steps import MOST_ITEMS
from pipeline.parse.text import clean, language_code, plain_text, resolve_link
from schemas.article import Unreadable
from schemas.feed import KeyBasis, ParsedEntry, ParsedFeed, VisitCode

_DECLARED_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
#: One character as two references to its UTF-16 halves, as some serialisers write emoji.
_HALVES = re.compile(rb"&#(x[dD][89abAB][0-9a-fA-F]{2}|5[56][0-9]{3});&#(x[dD][c-fC-F][0-9a-fA-F]{2}|5[67][0-9]{3});")
_PERIODS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0, "yearly": 31536000.0}
_HTML_TYPES = ("text/html", "application/xhtml+xml")


def parse_feed(
    body: bytes,
    url: str,
    *,
    content_type: str | None = None,
    language: str | None = None,
    received_at: datetime,
    policy: KeyBasis | None = None,
) -> ParsedFeed | Unreadable:
    """The feed in `body`, which `url` answered with at `received_at`.

    `language` is the catalogue's; without it the feed's own says in which zone a time without an offset is meant. `policy` is
    what its entries may be recognised by at best; without one each document is judged on its own.
    Malformed feeds are read as far as they go (`problem` says what was wrong); what is no feed gives Unreadable.
    """
    if not body.strip():
        return Unreadable(code=VisitCode.NOT_A_FEED, detail="empty body")
    if is_sitemap(body):
        return _sitemap(body, url, language, received_at, policy)
    try:
        parsed = _feedparser(body, content_type)
    except MemoryError:
        raise
    # On malformed bytes feedparser raises whatever its own state machine meets (seven types were seen, of them
    # AttributeError, KeyError and UnicodeEncodeError), so no list would be complete. Nothing of ours runs in this call.
    except Exception as error:  # noqa: BLE001
        return Unreadable(code=VisitCode.UNPARSABLE, detail=f"feedparser: {type(error).__name__}: {clean(str(error))[:200]}")
    if not parsed.get("version") and not any(_says_something(raw) for raw in parsed.entries):
        return Unreadable(code=VisitCode.NOT_A_FEED, detail=_what_instead(body))
    head = parsed.feed
    head_language = language_code(head.get("language"))
    marks = [_marks(raw, url) for raw in parsed.entries]
    keys, now = choose_keys(marks, policy)
    zone = language_code(language) or head_language
    feed = ParsedFeed(
        version=parsed.get("version") or "unknown",
        title=plain_text(head.get("title")) or None,
        language=head_language,
        url=resolve_link(head.get("link"), url),
        ttl_minutes=_minutes(head.get("ttl")),
        hub=_linked(head, "hub"),
        topic=_linked(head, "self"),
        entries=tuple(
            _entry(raw, mark, key, zone, received_at) for raw, mark, key in zip(parsed.entries, marks, keys, strict=True)
        ),
        dropped=parsed.dropped,
        problem=clean(str(parsed.get("bozo_exception", "malformed")))[:200] if parsed.bozo else None,
        update_s=_update_s(head.get("sy_updateperiod"), head.get("sy_updatefrequency")),
        key_policy=now,
    )
    return capped(feed)


def _sitemap(
    body: bytes, url: str, language: str | None, received_at: datetime, policy: KeyBasis | None
) -> ParsedFeed | Unreadable:
    try:
        found = parse_sitemap(body, url, language=language, received_at=received_at, cap=MOST_ITEMS)
    except ValueError as error:  # libxml2, recovering, lets halves of surrogates and impossible names through
        return Unreadable(code=VisitCode.UNPARSABLE, detail=f"a sitemap that cannot be read: {clean(str(error))[:200]}")
    if isinstance(found, Unreadable):
        return found
    return capped(replace(found, key_policy=worse(policy, KeyBasis.LINK) if policy else None))


def _feedparser(body: bytes, content_type: str | None) -> Any:
    declared = body.startswith(_BYTE_ORDER_MARKS) or _DECLARED_ENCODING.match(body)
    # The document knows its encoding better than the server does; feedparser would believe the server.
    headers = {} if declared or not content_type else {"content-type": content_type}
    # No base is given, so that links come as written, or resolved against their xml:base alone.
    return quick.parse(_with_legal_references(body), headers)


def _with_legal_references(body: bytes) -> bytes:
    """References to characters that do not exist make feedparser raise, where they do not stand in CDATA."""
    return _REFERENCE.sub(_legal, _HALVES.sub(_joined, body))


def _joined(found: re.Match[bytes]) -> bytes:
    high, low = (int(b"0" + part if part.startswith(b"x") else part, 0) for part in found.groups())
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return b"&#%d;" % (0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)
    return found[0]


def _legal(found: re.Match[bytes]) -> bytes:
    hexadecimal, decimal = found[1], found[2]
    if len(hexadecimal or decimal) > 20:  # leading zeros are allowed, but not without end
        return b""
    value = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return found[0] if value in (9, 10, 13) or 32 <= value < 0xD800 or 0xE000 <= value < 0x110000 else b""


def _says_something(raw: Any) -> bool:
    return any(raw.get(field) for field in ("title", "link", "id", "summary"))


def _what_instead(body: bytes) -> str:
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<html" in start or start.startswith(b"<!doctype html"):
        return "an HTML page, perhaps a login or consent wall"
    if start[:1] in (b"{", b"["):
        return "JSON"
    return "XML without a feed in it" if start.startswith(b"<") else "neither XML nor HTML"


def _marks(raw: Any, url: str) -> Marks:
    return Marks(
        guid=clean(raw.get("id")),
        link=resolve_link(_raw_link(raw), url) or "",
        date=clean(_first(raw, "published", "created", "updated")),
        title=plain_text(raw.get("title")),
        rest=plain_text(raw.get("summary")),
    )


def _entry(raw: Any, marks: Marks, key: tuple[str, KeyBasis], language: str | None, received_at: datetime) -> ParsedEntry:
    published_at, quality = read_date(marks.date, language=language, received_at=received_at)
    return ParsedEntry(
        key=key[0],
        key_basis=key[1],
        title=marks.title,
        url=marks.link or None,
        raw_url=_raw_link(raw) or None,
        summary=marks.rest or None,
        content_html=_content(raw),
        authors=_authors(raw),
        keywords=_keywords(raw),
        published_raw=marks.date or None,
        published_at=published_at,
        date_quality=quality,
        updated_at=read_date(_first(raw, "updated"), language=language, received_at=received_at)[0],
    )


def _first(raw: Any, *fields: str) -> str:
    # dict.get, because FeedParserDict.get answers "updated" with the value of "published" and a warning.
    return next((value for field in fields if isinstance(value := dict.get(raw, field), str) and value.strip()), "")


def _dicts(raw: Any, field: str) -> list[Any]:
    """A field of several parts, each with names; an element of a feed's own can bear its name and be text."""
    return [part for part in raw.get(field, ()) if isinstance(part, dict)]


def _raw_link(raw: Any) -> str:
    """The link as written. A guid stands in for a missing one, but only where it is a whole address."""
    link = clean(raw.get("link"))
    if raw.get("guidislink") and link == clean(raw.get("id")):
        return link if resolve_link(link) else ""
    others = (other.get("href") for other in _dicts(raw, "links") if other.get("rel") == "alternate")
    return link or next((clean(other) for other in others if other), "")


def _linked(head: Any, rel: str) -> str | None:
    """Where the feed's head links to, as written."""
    return next((clean(link.get("href")) for link in _dicts(head, "links") if link.get("rel") == rel), None) or None


def _content(raw: Any) -> str | None:
    """The whole content, where the feed carries one, as HTML."""
    for part in _dicts(raw, "content"):
        value = part.get("value")
        if value and part.get("type") in _HTML_TYPES:
            return value
        if value and part.get("type") == "text/plain":
            return value.replace("&", "&amp;").replace("<", "&lt;")
    return None


def _authors(raw: Any) -> tuple[str, ...]:
    named = (author.get("name") or author.get("email") for author in _dicts(raw, "authors"))
    return tuple(dict.fromkeys(name for author in named if (name := plain_text(author))))


def _keywords(raw: Any) -> tuple[str, ...]:
    named = (plain_text(tag.get("label") or tag.get("term")) for tag in _dicts(raw, "tags"))
    return tuple(dict.fromkeys(filter(None, named)))


def _update_s(period: Any, frequency: Any) -> float | None:
    """Seconds between updates by RSS's syndication module; a frequency that is no number is its default, 1."""
    seconds = _PERIODS.get(period.strip().lower()) if isinstance(period, str) else None
    return seconds / (_minutes(frequency) or 1) if seconds else None


def _minutes(ttl: Any) -> int | None:
    return int(ttl) if isinstance(ttl, str) and re.fullmatch(r"\d{1,6}", ttl.strip()) else None
