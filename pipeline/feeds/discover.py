"""Finds the feeds of a site: what its page announces, then where feeds usually are. Pure.

In this order: <link rel=alternate>, links that look like feeds (as SimplePie, which FreshRSS uses), usual places at the
site's root and in the page's own directory (as Miniflux).
"""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

#: Where feeds usually are; those of WordPress, Jekyll, Hugo and Drupal first.
PLACES = ("feed/", "feed.xml", "index.xml", "rss.xml", "atom.xml", "rss/")
MOST = 20

_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml")
_LOOKS_LIKE_ONE = re.compile(r"\.(rss|rdf|atom)$|(^|[/_.-])(rss|feed|atom)s?([/_.-][^/]*)?/?$", re.IGNORECASE)
_COMMENTS = re.compile(r"(^|/)comments?(/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that a site may have; `announced` where its page or robots.txt says so itself."""

    url: str
    title: str | None
    announced: bool
    sitemap: bool = False  # a news sitemap


def announced(page: bytes, url: str) -> tuple[Found, ...]:
    """The feeds that a page names, best first; feeds of comments only where there is nothing else."""
    try:
        root = html.document_fromstring(page, parser=html.HTMLParser(encoding=_encoding(page), huge_tree=False))
    except (etree.LxmlError, ValueError, AssertionError):
        return ()
    try:
        base = urljoin(url, root.xpath("string(//base/@href)").strip())
    except ValueError:  # as browsers do, without a base that is no address
        base = url
    found = [_found(node, base, True) for node in root.iter("link") if _is_alternate(node)]
    found = found or [_found(node, base, False) for node in root.iter("a") if _leads_to_one(node, base)]
    kept: dict[str, Found] = {}
    for f in found:
        if f.url.startswith(("http://", "https://")):
            kept.setdefault(f.url, f)
    return tuple([f for f in kept.values() if not _COMMENTS.search(urlsplit(f.url).path)] or kept.values())[:MOST]


def usual_places(url: str) -> tuple[str, ...]:
    """Addresses at which the site behind an address may have a feed."""
    return tuple(dict.fromkeys(urljoin(urljoin(url, base), place) for base in ("/", "./") for place in PLACES))


def _is_alternate(node: html.HtmlElement) -> bool:
    kind = (node.get("type") or "").partition(";")[0].strip().lower()
    return "alternate" in (node.get("rel") or "").lower().split() and kind in _TYPES and bool(node.get("href"))


def _leads_to_one(node: html.HtmlElement, base: str) -> bool:
    try:
        parts, own = urlsplit(urljoin(base, node.get("href") or "")), urlsplit(base)
    except ValueError:
        return False
    return parts.hostname == own.hostname and parts.path != own.path and bool(_LOOKS_LIKE_ONE.search(parts.path))


def _found(node: html.HtmlElement, base: str, is_announced: bool) -> Found:
    words = " ".join((node.get("title") or node.text_content() or "").split())[:120]
    try:
        url = urljoin(base, (node.get("href") or "").strip()).partition("#")[0]
    except ValueError:
        url = ""
    return Found(url, words or None, is_announced)


def _encoding(page: bytes) -> str:
    """Titles are all that is read as text: what the page declares, else UTF-8."""
    declared = re.search(rb"""charset\s*=\s*["']?([\w-]{1,40})""", page[:4096], re.IGNORECASE)
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return name if "".encode(name) == b"" else "utf-8"
    except LookupError:
        return "utf-8"
