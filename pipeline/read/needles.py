"""Looks for one of many phrases, and tries only those whose own letters stand in the line at all. Pure.

A regular expression of a hundred alternatives tries each of them at every character, and nearly every line matches none.
"""

import re
from collections.abc import Iterable, Sequence
from re import _constants as kinds  # type: ignore[attr-defined]  # the parser has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ahocorasick_rs import AhoCorasick


class Phrases:
    """Patterns of which one is searched for; says the same as one pattern of all of them."""

    def __init__(self, *patterns: str) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]
        needed = [_needed(parser.parse(pattern)) for pattern in patterns]
        self._always = [n for n, literals in enumerate(needed) if not literals]
        pairs = [(literal, n) for n, literals in enumerate(needed) for literal in literals]
        self._owners = [n for _, n in pairs]
        self._automaton = AhoCorasick([literal for literal, _ in pairs])

    def search(self, line: str) -> bool:
        found = {self._owners[i] for i, _, _ in self._automaton.find_matches_as_indexes(line, overlapping=True)}
        return any(self._patterns[n].search(line) for n in [*self._always, *sorted(found)])


def _needed(sequence: Iterable[tuple[Any, Any]]) -> frozenset[str]:
    """Literals of which every match contains at least one; the longest such set, empty where there is none."""
    choices, run = [frozenset[str]()], ""
    for kind, of in sequence:
        if kind is kinds.LITERAL:
            run += chr(of)
            continue
        choices.append(frozenset({run} if run else ()))
        run = ""
        if kind is kinds.SUBPATTERN:
            choices.append(_needed(of[3]))
        elif kind is kinds.BRANCH:
            choices.append(_either([_needed(branch) for branch in of[1]]))
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT) and of[0] > 0:
            choices.append(_needed(of[2]))
    choices.append(frozenset({run} if run else ()))
    return max(choices, key=lambda literals: min(map(len, literals), default=0))


def _either(branches: Sequence[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*branches) if all(branches) else frozenset()
