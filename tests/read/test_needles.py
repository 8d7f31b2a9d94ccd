"""A phrase is found where one regular expression of all would find it, whatever letters were looked for first."""

import re

import pytest

from pipeline.read import phrases
from pipeline.read.needles import Phrases
from pipeline.wire.newsroom import articles

RULES = {
    f"{name} {number}": rule.pattern
    for name, rules in (("line", phrases.LINE_RULES), ("edge", phrases.EDGE_RULES), ("small print", phrases.SMALL_PRINT_HEADINGS))
    for number, rule in enumerate(rules)
} | {name: getattr(phrases, name) for name in ("OFFER", "ACTION", "HYPE", "TRADE_QUESTION", "TRADE_SIDES")}


def lines() -> list[str]:
    said = [block for article in articles() for block in article.blocks]
    sold = [promotion.text for article in articles() for placement in article.placements for promotion in placement.promotion]
    return [form for line in said + sold for form in (line, line.lower())]


@pytest.mark.parametrize("name", RULES)
def test_as_one_expression(name: str) -> None:
    rule = RULES[name]
    one = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in rule._patterns))
    assert [line for line in lines() if rule.search(line) != bool(one.search(line))] == []


@pytest.mark.parametrize(
    ("patterns", "found", "not_found"),
    [
        (["ab+c", "x(?:yz|w)"], ["_abbc", "xw", "xyz"], ["ac", "x", "yz"]),
        ([r"\d+ euro"], ["12 euro"], ["euro"]),
        ([r"(?:foo)?bar|q{2,3}"], ["bar", "qq"], ["foo", "q"]),
        ([r"[ab]c", r"^\W*$"], ["bc", "", "?!"], ["c"]),
        (["(?:lang(?:er|e) )?text"], ["text"], ["lange"]),
    ],
)
def test_what_must_stand_in_a_match(patterns: list[str], found: list[str], not_found: list[str]) -> None:
    rule = Phrases(*patterns)
    assert [line for line in found if not rule.search(line)] == [line for line in not_found if rule.search(line)] == []
