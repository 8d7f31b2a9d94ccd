"""Any document that is handed in: a feed or sitemap, an HTML page, articles as JSON. Pure."""

import re
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.parse.caps import capped
from pipeline.parse.feed import parse_feed
from pipeline.parse.handed_json import parse_json
from pipeline.parse.handed_page import parse_html
from schemas.article import Unreadable
from schemas.feed import KeyBasis, ParsedEntry, ParsedFeed

_FEED = re.compile(rb"<(?:[\w.-]{1,20}:)?(?:rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]|<article[\s>]", re.IGNORECASE)
_HEAD = 4000  # bytes by which a document is recognised


def parse_document(
    body: bytes,
    url: str,
    *,
    content_type: str | None = None,
    language: str | None = None,
    received_at: datetime,
    policy: KeyBasis | None = None,
) -> ParsedFeed | Unreadable:
    """As `parse_feed`, of whatever `body` holds, which its first bytes tell and not what is said of them.

    Where `url` is no web address, nobody knows whose document it is: each entry then names its source, the host of its link.
    """
    start = body[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    said = {"content_type": content_type, "language": language, "received_at": received_at, "policy": policy}
    if start[:1] in (b"{", b"["):
        found = parse_json(body, url, language=language, received_at=received_at)
    elif (html := _HTML.search(start)) and not ((feed := _FEED.search(start)) and feed.start() < html.start()):
        found = parse_html(body, url, content_type=content_type, language=language)
    else:
        found = parse_feed(body, url, **said)  # type: ignore[arg-type]
    if isinstance(found, Unreadable):
        return found
    found = capped(found)
    own = urlsplit(url).scheme in ("http", "https")
    return replace(found, entries=tuple(_sourced(entry, found.url, own=own) for entry in found.entries))


def _sourced(entry: ParsedEntry, home: str | None, *, own: bool) -> ParsedEntry:
    """Whose entry it is: its feed's, which cannot speak for others; else what it names, or the host it leads to."""
    host = urlsplit(entry.url or home or "").hostname or ""
    return replace(entry, source=None if own else entry.source or host.removeprefix("www.") or None)
