"""A page's text to one tree, for trafilatura and for us. Pure."""

from lxml.etree import ElementDefaultClassLookup, LxmlError
from lxml.html import HtmlElement, HTMLParser, fromstring
from trafilatura.utils import is_dubious_html, repair_faulty_html

# trafilatura's own settings, but that every element is of one class: lxml.html asks a Python function for the class of each,
# every time it is met anew, and forms and inputs are nothing special here
_PARSER = HTMLParser(collect_ids=False, default_doctype=False, encoding="utf-8", remove_comments=True, remove_pis=True)
_PARSER.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement))


def parse_page(html: str) -> HtmlElement | None:
    """The page as trafilatura's `load_html` would have it; None where it is no HTML."""
    beginning = html[:50].lower()
    repaired = repair_faulty_html(html, beginning)
    tree = _parsed(repaired)
    if tree is None or len(tree) < 1:  # it declares an encoding, which lxml takes of bytes alone
        tree = _parsed(repaired.encode("utf-8", "surrogatepass"))
    return None if tree is None or (is_dubious_html(beginning) and len(tree) < 2) else tree


def _parsed(html: str | bytes) -> HtmlElement | None:
    try:
        return fromstring(html, parser=_PARSER)
    except (LxmlError, ValueError, AssertionError):
        return None
