"""An HTML page that is handed in: one entry that carries its article. Pure."""

import re
from typing import Any

from lxml import etree, html

from pipeline.parse.text import language_code, plain_text, resolve_link
from schemas.article import Unreadable
from schemas.feed import KeyBasis, ParsedEntry, ParsedFeed, VisitCode
from schemas.ids import content_hash

#: As browsers note it (https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/compatibility/
#: ms537628(v=vs.85)), and SingleFile, in a comment before the page.
_SAVED_FROM = re.compile(rb"saved from url=\(\d{4,5}\)(\S{8,4096})|^\s*url:\s{0,8}(https?://\S{1,4096})\s*$", re.MULTILINE)
_COMMENT = re.compile(rb"<!--(.{0,6000}?)-->", re.DOTALL)
_HEAD = 10_000
_CHARSET = re.compile(r"charset=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def parse_html(body: bytes, url: str, *, content_type: str | None, language: str | None) -> ParsedFeed | Unreadable:
    """The page in `body`; its address is `url` where that is one, else what the page names itself."""
    tree = _tree(body, content_type)
    if tree is None:
        return Unreadable(code=VisitCode.NOT_A_FEED, detail="an HTML page with nothing in it")
    link = next(filter(None, (resolve_link(one) for one in (url, *_named(tree), *_noted(body)))), None)
    title = plain_text(_first(tree, "//meta[@property='og:title']/@content", "//title/text()", "//h1//text()"))
    for element in tree.xpath("//script[not(contains(@type, 'ld+json'))] | //style | //svg | //comment()"):
        if element.getparent() is not None:
            element.drop_tree()
    written = etree.tostring(tree, encoding="unicode", method="html")
    if not any(body.text_content().split() for body in tree.xpath("//body")):
        return Unreadable(code=VisitCode.NOT_A_FEED, detail="an HTML page without words")
    entry = ParsedEntry(
        key=link or content_hash(written),
        key_basis=KeyBasis.LINK if link else KeyBasis.TITLE,
        title=title,
        url=link,
        raw_url=link,
        content_html=written,
        language=language_code(language) or language_code(_first(tree, "/html/@lang")),
        whole=True,
    )
    return ParsedFeed(version="html", title=title or None, entries=(entry,))


def _tree(body: bytes, content_type: str | None) -> Any:
    said = _CHARSET.search(content_type or "")
    # UTF-8 first, as servers and pages name others out of habit, and text in those is hardly ever valid UTF-8
    otherwise = said[1] if said else None if b"charset" in body[:_HEAD].lower() else "cp1252"
    try:
        return html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8" if _is_utf8(body) else otherwise))
    except (etree.LxmlError, LookupError, ValueError):
        return None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(tree: Any) -> list[str]:
    return [str(found) for found in tree.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content")]


def _noted(body: bytes) -> list[str]:
    comments = (comment[1] for comment in _COMMENT.finditer(body[:_HEAD]))
    found = (match[1] or match[2] for comment in comments for match in _SAVED_FROM.finditer(comment))
    return [address.decode("utf-8", "replace") for address in found]


def _first(tree: Any, *paths: str) -> str:
    return next((str(text) for path in paths for text in tree.xpath(path) if str(text).strip()), "")
