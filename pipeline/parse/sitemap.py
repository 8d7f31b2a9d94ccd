"""Turns a news sitemap (sitemaps 0.9 with Google's news 0.9) into entries, as if it were a feed. Pure.

https://www.sitemaps.org/protocol.html, https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from lxml import etree

from pipeline.parse.dates import read_date
from pipeline.parse.text import clean, language_code, plain_text, resolve_link
from schemas.article import Unreadable
from schemas.feed import KeyBasis, ParsedEntry, ParsedFeed, VisitCode
from schemas.ids import content_hash

VERSION = "news-sitemap-0.9"
#: What may stand before the root, each piece taken once and for all, so that hostile bytes are not searched twice.
_PROLOG = rb"(?:(?><\?[^>]*>|<!--.{0,4000}?-->|<!DOCTYPE[^\[>]*(?:\[.{0,4000}?\]\s*)?>)\s*+){0,9}+"
_ROOT = re.compile(rb"\s*+" + _PROLOG + rb"<(?:[\w.-]{1,20}:)?(?:urlset|sitemapindex)[\s>/]", re.DOTALL)
_HEAD = 10_000  # bytes in which the root element must begin


def is_sitemap(body: bytes) -> bool:
    """Whether a document's root is that of a sitemap or of an index of sitemaps."""
    return _ROOT.match(body[:_HEAD].removeprefix(b"\xef\xbb\xbf")) is not None


def parse_sitemap(body: bytes, url: str, *, language: str | None, received_at: datetime, cap: int) -> ParsedFeed | Unreadable:
    """The news in a sitemap, at most `cap` of it; pages without news in it are left out.

    `language` is the catalogue's; without it an entry's own says in which zone a time without an offset is meant.
    """
    # an entity is never resolved and nothing is loaded; huge_tree stays off, which bounds depth and the length of a text
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True)
    root = etree.fromstring(body, parser)
    if root is None:
        return Unreadable(code=VisitCode.UNPARSABLE, detail="a sitemap of which nothing can be read")
    listed = list(root.iterchildren("{*}url"))
    news = [(page, said) for page in listed if (said := page.find("{*}news")) is not None]
    if not news:
        return Unreadable(code=VisitCode.NOT_A_FEED, detail=_what_instead(root, len(listed)))
    entries = tuple(_entries(news[:cap], url, language, received_at))
    return ParsedFeed(
        version=VERSION,
        title=_agreed(plain_text(_said(said, "publication", "name")) for _, said in news),
        language=_agreed(language_code(_said(said, "publication", "language")) for _, said in news),
        entries=entries,
        dropped=len(news) - len(news[:cap]),
        problem=_problem(parser, len(listed) - len(news)),
    )


def _what_instead(root: etree._Element, pages: int) -> str:
    if etree.QName(root).localname == "sitemapindex":
        count = sum(1 for _ in root.iterchildren("{*}sitemap"))
        return f"an index of sitemaps ({count}); name the news sitemap among them instead"
    return "a sitemap without news:news in it; name a news sitemap or a feed instead" if pages else "an empty sitemap"


def _entries(
    news: list[tuple[etree._Element, etree._Element]], base: str, language: str | None, received_at: datetime
) -> Iterator[ParsedEntry]:
    for page, said in news:
        raw = clean(page.findtext("{*}loc"))
        url, title, published = resolve_link(raw, base), plain_text(_said(said, "title")), _said(said, "publication_date")
        zone = language_code(language) or language_code(_said(said, "publication", "language"))
        published_at, quality = read_date(published, language=zone, received_at=received_at)
        keywords = (plain_text(word) for word in (_said(said, "keywords") or "").split(","))
        yield ParsedEntry(
            key=url or f"{raw} {title}".strip() or content_hash(published),
            key_basis=KeyBasis.LINK if url else KeyBasis.TITLE,
            title=title,
            url=url,
            raw_url=raw or None,
            keywords=tuple(dict.fromkeys(filter(None, keywords))),
            published_raw=published or None,
            published_at=published_at,
            date_quality=quality,
            updated_at=read_date(page.findtext("{*}lastmod"), language=zone, received_at=received_at)[0],
        )


def _said(news: etree._Element, *path: str) -> str:
    return clean(news.findtext("/".join(f"{{*}}{name}" for name in path)))


def _agreed(values: Iterable[str | None]) -> str | None:
    """What all say that say anything."""
    said = set(filter(None, values))
    return said.pop() if len(said) == 1 else None


def _problem(parser: etree.XMLParser, without_news: int) -> str | None:
    malformed = next((clean(error.message)[:150] for error in parser.error_log if error.level_name != "WARNING"), None)
    left_out = f"left out, as they have no news:news: {without_news}" if without_news else None
    return "; ".join(filter(None, (malformed, left_out))) or None
