"""Finds the article's lines on a page, with what each line is. Pure.

trafilatura chooses the part of the page; its body tree says which line is a heading, a list item, a table row or a quotation.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

from lxml.etree import _Element
from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.settings import Document

from pipeline.read import memo

memo.remember()
_KINDS = {"head": "heading", "p": "paragraph", "item": "list_item", "quote": "quote"}
_BREAKS = frozenset({*_KINDS, "list", "table", "div", "code", "lb"})
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LINK = "link"  # a line that is no part of the article: one link to elsewhere, put back where it stood
_SIBLINGS = 6  # how far back the article's line before such a link may stand
_LAYOUT_CELL = 300  # characters; a row of one cell this long is a page laid out by a table


@dataclass(frozen=True, slots=True)
class Extract:
    """The article's lines as (kind, text), and the texts of links to elsewhere."""

    lines: tuple[tuple[str, str], ...]
    links: frozenset[str]


def extract_article(tree: HtmlElement, url: str) -> Extract | None:
    """The article on a page, None where there is none; `tree` stays as it is.

    favor_precision is the best setting on news but now and then loses most of an article; where it kept under half of what
    the page's paragraphs hold, the default setting decides whether that was right.
    """
    precise = _run(tree, url, favor_precision=True)
    if precise is None or 2 * _length(precise) < sum(len(p.text_content()) for p in tree.iter("p")):
        broad = _run(tree, url, favor_precision=False)
        if broad is not None and (precise is None or 2 * _length(precise) < _length(broad)):
            precise = broad
    if precise is None or precise.body is None:
        return None
    lines: list[list[str]] = []
    _walk(precise.body, "paragraph", lines)
    captions = {tidy(c.text_content()) for c in tree.iter("figcaption", "caption")}
    tidied = [(kind, tidy(text)) for kind, text in lines]
    links = {tidy(a.text_content()) for a in tree.iter("a") if not a.get("href", "#").startswith("#")}
    found = [("caption" if text in captions else kind, text) for kind, text in tidied if any(map(str.isalnum, text))]
    return Extract(tuple(_with_dropped_links(found, tree, links)), frozenset(links))


def _with_dropped_links(lines: list[tuple[str, str]], tree: HtmlElement, links: set[str]) -> list[tuple[str, str]]:
    """The lines, with those paragraphs between them that are one link to elsewhere: trafilatura drops them unseen."""
    known = {text for _, text in lines}
    dropped: dict[str, list[tuple[str, str]]] = {}
    for paragraph in tree.iter("p"):
        text = tidy(paragraph.text_content())
        if text in links and text not in known and any(map(str.isalnum, text)):
            near = islice(paragraph.itersiblings("*", preceding=True), _SIBLINGS)
            before = next((line for sibling in near if (line := tidy(sibling.text_content())) in known), None)
            if before is not None:
                dropped.setdefault(before, []).append((LINK, text))
    return [item for line in lines for item in (line, *dropped.pop(line[1], ()))]


def tidy(text: str) -> str:
    """One line of text: NFC, white space collapsed, invisible and control characters removed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    words = " ".join(text.split())
    return words if words.isprintable() else _CONTROL.sub("", words)


def _run(tree: HtmlElement, url: str, *, favor_precision: bool) -> Document | None:
    found = bare_extraction(
        tree,
        url=url or None,
        favor_precision=favor_precision,
        include_comments=False,
    )
    return found if isinstance(found, Document) else None


def _length(document: Document) -> int:
    return len(document.text or "")


def _walk(element: _Element, kind: str, lines: list[list[str]]) -> None:
    """Append the element's lines to `lines`; the last of them is still open."""
    lines.append([kind, element.text or ""])
    for child in element:
        if child.tag == "row" and (row := _row(child)):
            lines.append(["table_row", row])
        elif child.tag in _BREAKS or child.tag == "row":
            inner = kind if child.tag in ("p", "lb") else _KINDS.get(child.tag, kind)
            _walk(child, inner, lines)
        else:
            _inline(child, kind, lines)
            lines[-1][1] += child.tail or ""
            continue
        lines.append([kind, child.tail or ""])


def _inline(element: _Element, kind: str, lines: list[list[str]]) -> None:
    lines[-1][1] += element.text or ""
    for child in element:
        if child.tag in _BREAKS:
            _walk(child, _KINDS.get(child.tag, kind), lines)
            lines.append([kind, ""])
        else:
            _inline(child, kind, lines)
        lines[-1][1] += child.tail or ""


def _row(row: _Element) -> str:
    """The cells of a table row on one line; nothing for a row that only lays out the page."""
    cells = [text for cell in row if (text := " ".join(" ".join(cell.itertext()).split()))]
    return "" if len(cells) == 1 and len(cells[0]) > _LAYOUT_CELL else " | ".join(cells)
