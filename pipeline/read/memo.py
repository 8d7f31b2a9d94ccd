"""Answers those of trafilatura's XPath expressions that ask an element for nothing but its own attributes from memory. Pure.

They are a third of an extraction: for every element, libxml2 calls back into Python's regular expressions several times. Sites
repeat the same few classes, so each combination of attributes is asked once, of an element that has them and nothing else.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from lxml.etree import Element, SubElement, XPath, _Element
from trafilatura import xpaths

_KNOWN = 20_000  # combinations of attributes remembered for each expression
_NOT_XML = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class OfAttributes:
    """Gives the same elements, in the same order, as an expression `.//*[self::a or …][what its attributes are]`.

    Where an expression also looks below the element, those that could match are asked of the expression itself.
    """

    def __init__(self, expression: XPath) -> None:
        self.expression = expression
        self._tags = re.findall(r"self::(\w+)", expression.path) or ["*"]
        self._names = frozenset(re.findall(r"@([\w-]+)", expression.path))
        self._looks_below = ".//" in expression.path.strip()[3:]
        self._holds = lru_cache(maxsize=_KNOWN)(self._ask)

    def __call__(self, tree: _Element) -> Sequence[_Element]:
        holds, names = self._holds, self._names
        # in the order they are written in: `@id|@class` means the first of them
        found = [
            el
            for el in tree.iterdescendants(*self._tags)
            if el.attrib and holds(el.tag, *[item for item in el.items() if item[0] in names])
        ]
        return self.expression(tree) if found and self._looks_below else found

    def _ask(self, tag: str, *attributes: tuple[str, str]) -> bool:
        parent = Element("body")
        asked = SubElement(parent, "any" if self._tags == ["*"] else tag)
        for name, value in attributes:
            try:
                asked.set(name, value)
            except ValueError:  # HTML may hold characters that XML may not; no expression asks for them
                asked.set(name, _NOT_XML.sub("\ufffd", value))
        return bool(self.expression(parent))


def remember() -> None:
    """From now on trafilatura prunes from memory."""
    for pruned in (
        xpaths.RAW_TREE_PRUNE_XPATH,
        xpaths.REMOVE_COMMENTS_XPATH,
        xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH,
        xpaths.OVERALL_DISCARD_XPATH,
        xpaths.TEASER_DISCARD_XPATH,
        xpaths.PRECISION_DISCARD_XPATH,
        xpaths.DISCARD_IMAGE_ELEMENTS,
    ):
        pruned[:] = [OfAttributes(e) if "@" in getattr(e, "path", "") else e for e in pruned]
