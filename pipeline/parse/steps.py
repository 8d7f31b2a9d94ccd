"""The steps that feedparser takes for every element and every piece of text, without those that few need. Pure.

`Steps` is mixed in before feedparser's own classes, of which it keeps what each element means; the comments there say why a
step is taken. Work is counted in elements and pieces of text, not in seconds, so that the same bytes always give the same.
"""

import re
from contextlib import suppress
from typing import Any
from xml.sax import saxutils

from feedparser.html import _cp1252
from feedparser.urls import _urljoin, make_safe_absolute_uri
from feedparser.util import FeedParserDict

MOST_ITEMS = 2000
MOST_WORK = 300_000  # an element well-formed costs 3, one that is not 9, a piece of text 1: a second or two at most
FOREIGN = frozenset({("math", "http://www.w3.org/1998/Math/MathML"), ("svg", "http://www.w3.org/2000/svg")})
_LONGEST_AUTHOR = 1000  # feedparser looks for an address in it, for a time that grows with the square of its length
_XHTML = "application/xhtml+xml"
_DIVS = ("xhtml:div", "div")
_WINDOWS = re.compile("[\x80-\x9f]")
_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")
_KEEPS_TEXT_INPUT = frozenset({"title", "link", "description", "name"})
_KEEPS_IMAGE = frozenset({"title", "link", "description", "url", "href", "width", "height"})


class TooMuch(Exception):
    """The document goes on beyond what is read of one."""


class Steps:
    """What both parsers do otherwise than feedparser's mixin, to the same end; its comments say why each step is there."""

    resolve_relative_uris = sanitize_html = False
    element_costs = 3
    work = 0

    def unknown_starttag(self: Any, tag: str, attrs: list[tuple[str, str]]) -> Any:
        self._spend(self.element_costs)
        self.depth += 1
        attrs = [self._normalize_attributes(attr) for attr in attrs] if attrs else attrs
        attrs_d = dict(attrs)
        self._enter(tag, attrs_d)
        for name, uri in attrs:
            if name.startswith("xmlns"):
                self._track(name, uri)
        if self.incontent:
            kind = dict.get(self.contentparams, "type", "xml")
            if not kind.endswith("xml"):
                if tag in _DIVS:
                    return None
                self.contentparams["type"] = kind = _XHTML
            if kind == _XHTML:
                return self._quoted(tag, attrs)
        prefix, _, suffix = tag.rpartition(":")
        prefix = self.namespacemap.get(prefix, prefix)
        if not prefix:
            self.intextinput = self.intextinput if tag in _KEEPS_TEXT_INPUT else 0
            self.inimage = self.inimage if tag in _KEEPS_IMAGE else 0
        name = f"{prefix}_{suffix}" if prefix else suffix
        try:
            return getattr(self, "_start_" + name)(attrs_d)
        except AttributeError:
            if not attrs_d:
                return self.push(name, 1)
            self._get_context()[name] = attrs_d
            return None

    def _spend(self, units: int) -> None:
        self.work += units
        if self.work > MOST_WORK:
            raise TooMuch("too much markup, the rest was not read")

    def _enter(self: Any, tag: str, attrs_d: dict[str, str]) -> None:
        """Keeps the base and the language that an element sets for what is in it."""
        base = attrs_d.get("xml:base", attrs_d.get("base")) if attrs_d else None
        if base:
            base = make_safe_absolute_uri(self.baseuri, base) or self.baseuri if self.baseuri else _urljoin("", base)
            self.baseuri = make_safe_absolute_uri(base, base) or base
        lang = attrs_d.get("xml:lang", attrs_d.get("lang", self.lang)) or None if attrs_d else self.lang
        if lang and tag in ("feed", "rss", "rdf:RDF"):
            self.feeddata["language"] = lang.replace("_", "-")
        self.lang = lang
        self.basestack.append(self.baseuri)
        self.langstack.append(lang)

    def _track(self: Any, name: str, uri: str) -> None:
        if name.startswith("xmlns:"):
            self.track_namespace(name[6:], uri)
        elif name == "xmlns":
            self.track_namespace(None, uri)

    def _quoted(self: Any, tag: str, attrs: list[tuple[str, str]]) -> None:
        """Markup that stands in an entry's content as it is."""
        prefix, colon, suffix = tag.partition(":")
        if colon:
            tag, namespace = suffix, self.namespaces_in_use.get(prefix, "")
            if (tag, namespace) in FOREIGN:
                attrs.append(("xmlns", namespace))
        self.svgOK += tag == "svg"
        self.handle_data(f"<{tag}{self.strattrs(attrs)}>", escape=0)

    def unknown_endtag(self: Any, tag: str) -> None:
        prefix, _, suffix = tag.partition(":") if ":" in tag else ("", "", tag)
        prefix = self.namespacemap.get(prefix, prefix)
        name = f"{prefix}_{suffix}" if prefix else suffix
        self.svgOK -= suffix == "svg" and self.svgOK > 0
        try:
            if self.svgOK:
                raise AttributeError
            getattr(self, "_end_" + name)()
        except AttributeError:
            self.pop(name)
        if self.incontent:
            kind = dict.get(self.contentparams, "type", "xml")
            if not kind.endswith("xml"):
                if tag in _DIVS:
                    return
                self.contentparams["type"] = kind = _XHTML
            if kind == _XHTML:
                self.handle_data(f"</{tag.rpartition(':')[2]}>", escape=0)
        self._leave()

    def _leave(self: Any) -> None:
        if self.basestack:
            self.basestack.pop()
            self.baseuri = self.basestack[-1] if self.basestack and self.basestack[-1] else self.baseuri
        if self.langstack:
            self.langstack.pop()
            self.lang = self.langstack[-1] if self.langstack else self.lang
        self.depth -= 1

    def handle_data(self: Any, text: str, escape: int = 1) -> None:
        self._spend(1)
        if self.elementstack:
            quoted = escape and dict.get(self.contentparams, "type") == _XHTML
            self.elementstack[-1][2].append(saxutils.escape(text) if quoted else text)

    def pop(self: Any, element: str, strip_whitespace: int = 1) -> Any:
        if not self.elementstack or self.elementstack[-1][0] != element:
            return None
        kind = dict.get(self.contentparams, "type")
        if kind == _XHTML or dict.get(self.contentparams, "base64"):
            return super().pop(element, strip_whitespace)  # type: ignore[misc]
        _, expecting_text, pieces = self.elementstack.pop()
        output = "".join(piece.decode() if isinstance(piece, bytes) else piece for piece in pieces)
        output = output.strip() if strip_whitespace else output
        if not expecting_text:
            return output
        if output and element in self.can_be_relative_uri and (element != "id" or self.guidislink):
            output = self.resolve_uri(output)
        output = self.decode_entities(element, output)
        if kind == "text/plain" and not self.version.startswith("atom") and self.looks_like_html(output):
            self.contentparams["type"] = "text/html"
        for cruft in ("mode", "base64"):
            dict.pop(self.contentparams, cruft, None)
        output = output if output.isascii() else _mended(output)
        skipped = element in ("category", "tags", "itunes_keywords") or (
            element == "title" and -1 < self.title_depth <= self.depth
        )
        if not skipped:
            self._store(element, output)
        return output

    def _store(self: Any, element: str, output: str) -> None:
        if not self.inentry or self.insource:
            if self.infeed or self.insource:
                self._store_of_feed("subtitle" if element == "description" else element, output)
            return
        entry = self.entries[-1]
        if element == "content":
            entry.setdefault("content", []).append(self._detail(output))
        elif element == "link":
            if not self.inimage:
                entry["link"] = output = _REFERENCE.sub(r"&\g<1>", output.replace("&amp;", "&"))
                if output:
                    entry["links"][-1]["href"] = output
        else:
            element = "summary" if element == "description" else element
            depths = self.property_depth_map.setdefault(entry, {})
            if element not in depths or self.depth <= depths[element]:
                depths[element] = self.depth
                entry[element] = output
            if self.incontent:
                entry[element + "_detail"] = self._detail(output)

    def _store_of_feed(self: Any, element: str, output: str) -> None:
        context = self._get_context()
        context[element] = output
        if element == "link":
            context["link"] = context["links"][-1]["href"] = _REFERENCE.sub(r"&\g<1>", output)
        elif self.incontent:
            context[element + "_detail"] = self._detail(output)

    def _detail(self: Any, output: str) -> Any:
        detail = FeedParserDict(self.contentparams)
        detail["value"] = output
        return detail

    def _start_item(self: Any, attrs_d: dict[str, str]) -> None:
        if len(self.entries) >= MOST_ITEMS:
            raise TooMuch("too many items, the rest was not read")
        super()._start_item(attrs_d)  # type: ignore[misc]

    _start_entry = _start_item

    def _sync_author_detail(self: Any, key: str = "author") -> None:
        if len(dict.get(self._get_context(), key) or "") <= _LONGEST_AUTHOR:
            super()._sync_author_detail(key)  # type: ignore[misc]

    def _end_published(self: Any) -> None:
        self.pop("published")

    def _end_updated(self: Any) -> None:
        self.pop("updated")

    def _end_created(self: Any) -> None:
        self.pop("created")

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated


def _mended(text: str) -> str:
    """UTF-8 that was taken for Latin-1 and encoded again, and characters of Windows where Unicode has control characters."""
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _WINDOWS.search(text) else text
