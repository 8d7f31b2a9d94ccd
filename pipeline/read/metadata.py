"""What a page says of its article: title, date, authors, address and access. Pure.

Dates and authors: JSON-LD first, then meta elements, then what trafilatura read from the page.
"""

import html
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from pipeline.read.dates import Stated, read_date
from pipeline.read.extract import tidy
from pipeline.read.head import Head
from pipeline.read.jsonld import Node, texts
from schemas.article import Access

_DATE_META = (
    "article:published_time",
    "article:published:time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "dcterms.created",
    "dc.date.issued",
    "dcterms.date",
    "dc.date",
    "cxenseparse:recs:publishtime",
    "publish-date",
    "publishdate",
    "pubdate",
    "date",
)
_AUTHOR_META = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator")
_NO_NAME = re.compile(r"(?i:https?://|www\.|@|\.(?:html?|php)\b)|^\W*$|\d{3}|\d:\d|^[(\[{]|^[a-z0-9]+(?:[-_][a-z0-9]+)+$")
_BYLINE = re.compile(r"^(?:von(?: (?:der|dem|unserer|unserem)\b)?|by|text|autor(?:in|en)?|author)[: ]\s*", re.IGNORECASE)
_REST_OF_BYLINE = re.compile(r"^(?:Der|Dem|Unserer|Unserem) (?=\S*(?i:redaktion|team)\b)")  # trafilatura takes the "Von" away
_BETWEEN_NAMES = re.compile(r"\s*(?:;|,|[|·•]|\bund\b|\band\b|&)\s*")
_AROUND_NAMES = " \t–—-/:"

_SEPARATED = re.compile(r"\s+[|–—*-]\s")
_HEADINGS = 20
_TIMES = 50

Meta = dict[str, list[str]]


def meta_of(tree: HtmlElement) -> Meta:
    """Contents of the page's meta elements by lower-case name, property or itemprop, in order."""
    found: Meta = {}
    for element in tree.iter("meta"):
        content = element.get("content")
        for attribute in ("name", "property", "itemprop"):
            if content and (name := element.get(attribute)):
                found.setdefault(name.strip().lower(), []).append(content.strip())
    return found


def title_of(node: Node, meta: Meta, tree: HtmlElement, head: Head) -> str:
    """The headline, without the site's name or author behind a bar, dash or star.

    What trafilatura chose comes first here: JSON-LD headlines are often made for search engines. It is cut where another
    title or a heading of the page ends.
    """
    claims = (head.title() or "", *meta.get("og:title", ()), *texts(node.get("headline")), *meta.get("twitter:title", ()))
    titles = [title for claim in claims if (title := tidy(html.unescape(claim)))]
    if not titles:
        return ""
    shown = [tidy(h1.text_content()) for h1 in itertools.islice(tree.iter("h1"), _HEADINGS)]
    sites = {_words(n) for n in (*_names(node.get("publisher")), *meta.get("og:site_name", ()))}
    ends = [t for t in (*titles[1:], *shown) if t and titles[0].startswith(t) and _SEPARATED.match(titles[0][len(t) :])]
    return min(ends, key=len) if ends else _without_site(titles[0], sites)


def published(node: Node, meta: Meta, tree: HtmlElement, head: Head, language: str | None) -> tuple[Stated, str] | None:
    """When the article appeared by its own account, and where it says so: json-ld, meta or page.

    Of the day that was found on the page, a time element gives the time.
    """
    times = list(itertools.islice(tree.iter("time"), _TIMES))
    sources = (
        ("json-ld", texts(node.get("datePublished"))),
        ("meta", [content for name in _DATE_META for content in meta.get(name, ())]),
        ("meta", [t.get("datetime") or "" for t in times if (t.get("itemprop") or "").lower() == "datepublished"]),
    )
    for basis, values in sources:
        for value in values:
            if stated := read_date(value, language):
                return stated, basis
    day = read_date(found, language) if (found := head.date()) else None
    if day is None:
        return None
    shown = (read_date(t.get("datetime") or "", language) for t in times)
    return next((s for s in shown if s and s.precision != "day" and s.at.date() == day.at.date()), day), "page"


def authors_of(node: Node, meta: Meta, head: Head, url: str) -> tuple[str, ...]:
    """Names of the authors, without those of the publisher or its host."""
    host = url.split("/")[2].removeprefix("www.") if url.count("/") > 1 else ""
    publisher = {_squeezed(n) for n in (*_names(node.get("publisher")), *meta.get("og:site_name", ()), host)}
    sources: Iterable[Iterable[str]] = (
        _names(node.get("author")),
        (content for name in _AUTHOR_META for content in meta.get(name, ())),
        (_REST_OF_BYLINE.sub("", name.strip()) for claim in (head.author,) for name in (claim() or "").split(";")),
    )
    for source in sources:
        names = [n for value in source for n in _split(value) if _squeezed(n) not in publisher]
        if names:
            return tuple(dict.fromkeys(names))
    return ()


def canonical_of(tree: HtmlElement, url: str) -> str | None:
    """The address the page claims for itself, resolved; http and https only."""
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and (href := (link.get("href") or "").strip()):
            try:
                address = urljoin(url, href)
                parts = urlsplit(address)
            except ValueError:
                continue
            if parts.scheme in ("http", "https") and parts.hostname:
                return address
    return None


def access_of(node: Node, meta: Meta) -> Access:
    """Whether the page says that its article is behind a wall."""
    said = [str(node.get("isAccessibleForFree", "")).lower()]
    said += [tier.lower() for tier in meta.get("article:content_tier", ())]
    if any(s in ("false", "http://schema.org/false", "https://schema.org/false", "locked", "metered", "paid") for s in said):
        return Access.TEASER
    return (
        Access.FREE
        if any(s in ("true", "http://schema.org/true", "https://schema.org/true", "free") for s in said)
        else Access.UNKNOWN
    )


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _squeezed(name: str) -> str:
    return re.sub(r"\W", "", name.casefold())


def _without_site(title: str, sites: set[str]) -> str:
    """The title without the site's name behind a bar or dash."""
    head, bar, tail = [*re.split(r"(\s[|–—-]\s)(?=[^|–—]*$)", title, maxsplit=1), "", ""][:3]
    return head if bar and _words(tail) in sites else title


def _names(value: Any) -> Iterator[str]:
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            yield from texts(entry.get("name"))


def _split(value: str) -> Iterator[str]:
    for piece in _BETWEEN_NAMES.split(_BYLINE.sub("", tidy(html.unescape(value)))):
        part = piece.strip(_AROUND_NAMES)
        if part and len(part) <= 60 and not _NO_NAME.search(part):
            yield part
