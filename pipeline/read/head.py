"""What trafilatura reads of a page's title, author and date, the last resort where its metadata do not say so. Pure.

Each is read only when it is asked for: together with fields that nobody reads they cost a third of an extraction.
"""

from functools import cached_property
from html import unescape

from htmldate import find_date
from lxml.html import HtmlElement
from trafilatura.metadata import examine_meta, extract_author, extract_meta_json, extract_title, extract_url
from trafilatura.settings import Document

_EVER = "2100-01-01"  # without it the clock would decide which dates are too late


class Head:
    """Reads from a tree without comments; `url` is the page's address."""

    def __init__(self, tree: HtmlElement, url: str) -> None:
        self._tree, self._url = tree, url or None

    def title(self) -> str | None:
        return self._said.title or extract_title(self._tree)

    def author(self) -> str | None:
        author = self._said.author or extract_author(self._tree)
        return author and unescape(author)

    def date(self) -> str | None:
        url = self._said.url or extract_url(self._tree, self._url)
        return find_date(self._tree, extensive_search=False, original_date=True, url=url, max_date=_EVER)

    @cached_property
    def _said(self) -> Document:
        """What meta elements and JSON-LD say, as far as that can be read."""
        said = examine_meta(self._tree)
        if said.author and " " not in said.author:
            said.author = None
        try:
            return extract_meta_json(self._tree, said)
        except Exception:  # noqa: BLE001 - it fails on JSON of unforeseen shapes, with whatever that leads to
            return said
