"""Gives every entry of a feed something to be recognised by at the next visit. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.feed import KeyBasis
from schemas.ids import content_hash


@dataclass(frozen=True, slots=True)
class Marks:
    """What an entry can be recognised by."""

    guid: str
    link: str
    date: str
    title: str
    rest: str  # anything else it says, for an entry that has nothing of the above


def choose_keys(entries: Sequence[Marks]) -> list[tuple[str, KeyBasis]]:
    """The key of each entry and its basis, in the order given.

    A mark counts only where it means one thing in its feed: publishers give "0" as the guid of every item, or link
    every item to their front page. Repeats that agree in all else are one entry, listed twice.
    """
    meanings: dict[tuple[KeyBasis, str], set[str]] = defaultdict(set)
    for marks in entries:
        for basis, key, meaning in _ladder(marks):
            meanings[basis, key].add(meaning)
    return [_choose(marks, meanings) for marks in entries]


def _ladder(marks: Marks) -> list[tuple[KeyBasis, str, str]]:
    """Possible keys, best first, each with what would show that it is used for different things."""
    steps = []
    if marks.guid:
        steps.append((KeyBasis.GUID, marks.guid, marks.link or marks.title))
    if marks.link:
        steps.append((KeyBasis.LINK, marks.link, f"{marks.date} {marks.title}"))
        if marks.date:
            steps.append((KeyBasis.LINK_DATE, f"{marks.link} {marks.date}", marks.title))
    return steps


def _choose(marks: Marks, meanings: dict[tuple[KeyBasis, str], set[str]]) -> tuple[str, KeyBasis]:
    for basis, key, _ in _ladder(marks):
        if len(meanings[basis, key]) == 1:
            return key, basis
    key = f"{marks.link} {marks.title}".strip() if marks.title else content_hash(marks.link + marks.rest)
    return key, KeyBasis.TITLE
