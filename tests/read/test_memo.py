"""Pruning from memory takes out what trafilatura's own expressions would, of any element with any attributes."""

import random
import re

import pytest
from lxml.etree import XPath, _Element
from lxml.html import HtmlElement
from trafilatura import xpaths

import pipeline.read.extract  # noqa: F401 - has trafilatura prune from memory
from pipeline.read.memo import OfAttributes
from pipeline.read.tree import parse_page

LISTS = {name: value for name, value in vars(xpaths).items() if isinstance(value, list)}
REMEMBERED = [e for expressions in LISTS.values() for e in expressions if isinstance(e, OfAttributes)]
TAGS = ("div", "p", "section", "span", "ul", "ol", "details", "aside", "article", "h1", "o:p", "header", "a")
NAMES = ("id", "class", "role", "style", "aria-hidden", "data-component", "data-lp-replacement-content", "href")
ODD = ("", " ", "\x01", "bottom\x0bbar", "a\x0clink", "\x7fnav", "Ünder", "\ufffe", "display: none", "true", "MostPopularStories")


def tokens() -> list[str]:
    """What the expressions ask for, in pieces, so that made-up attributes often come near."""
    pieces = {piece for e in REMEMBERED for piece in re.findall(r"[\w-]{3,}", e.expression.path)}
    return sorted({*pieces, "infinite-scroll", "mvp-post-add-box"})


def tree(seed: int) -> HtmlElement:
    rng, words = random.Random(seed), tokens()

    def value() -> str:
        parts = [rng.choice((rng.choice(words), rng.choice(words), rng.choice(ODD))) for _ in range(rng.randint(1, 3))]
        return rng.choice(("", " ")).join(parts).replace('"', "").replace("&", "")

    def element(depth: int) -> str:
        tag = rng.choice(TAGS)
        attributes = " ".join(f'{name}="{value()}"' for name in rng.sample(NAMES, rng.randint(0, 3)))
        inner = "".join(element(depth + 1) for _ in range(rng.randint(0, 3))) if depth < 5 else "text"
        return f"<{tag} {attributes}>{inner}</{tag}>"

    found = parse_page("<html><body>" + "".join(element(0) for _ in range(40)) + "</body></html>")
    assert found is not None
    return found


def gives(expression: XPath | OfAttributes, root: _Element) -> list[_Element]:
    return list(expression(root))


def test_what_is_remembered_is_what_prunes() -> None:
    pruning = ["RAW_TREE_PRUNE", "REMOVE_COMMENTS", "REMOVE_COMMENTS_AND_LISTS", "OVERALL_DISCARD", "TEASER_DISCARD"]
    lists = [LISTS[f"{name}_XPATH"] for name in [*pruning, "PRECISION_DISCARD"]] + [xpaths.DISCARD_IMAGE_ELEMENTS]
    plain = [e.path.strip() for expressions in lists for e in expressions if isinstance(e, XPath)]
    assert plain == [".//header"]
    assert len(REMEMBERED) == 9


@pytest.mark.parametrize("seed", range(12))
def test_same_elements_in_the_same_order(seed: int) -> None:
    root = tree(seed)
    for remembered in REMEMBERED:
        assert gives(remembered, root) == gives(remembered.expression, root), remembered.expression.path


def test_every_expression_finds_something_in_such_trees() -> None:
    roots = [tree(seed) for seed in range(12)]
    assert [e.expression.path for e in REMEMBERED if not any(gives(e, root) for root in roots)] == []


def test_the_first_of_two_attributes_is_the_one_that_counts() -> None:
    root = parse_page('<html><body><p id="link" class="x">a</p><p class="x" id="link">b</p></body></html>')
    assert root is not None
    (asks,) = [e for e in LISTS["PRECISION_DISCARD_XPATH"] if isinstance(e, OfAttributes)]
    assert [el.text for el in gives(asks, root)] == [el.text for el in gives(asks.expression, root)] == ["a"]
