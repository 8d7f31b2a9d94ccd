"""Gives every entry of a feed something to be recognised by at the next visit. Pure.

What the entries of a feed may be recognised by at best, its policy, degrades where a document shows it to be unfit, and stays so:
else an entry's key would change with the company it keeps, and everything would come again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.feed import KeyBasis
from schemas.ids import content_hash

#: The share of a document's entries without a usable mark above which the policy degrades.
MOST_UNFIT = 0.05
_BASES = tuple(KeyBasis)


@dataclass(frozen=True, slots=True)
class Marks:
    """What an entry can be recognised by."""

    guid: str
    link: str
    date: str
    title: str
    rest: str  # anything else it says, for an entry that has nothing of the above


Meanings = dict[tuple[KeyBasis, str], set[str]]


def choose_keys(entries: Sequence[Marks], policy: KeyBasis | None = None) -> tuple[list[tuple[str, KeyBasis]], KeyBasis | None]:
    """The key of each entry and its basis, in the order given, and the policy from now on; without one, none is made.

    A mark counts only where it means one thing in its feed: publishers give "0" as the guid of every item, or link
    every item to their front page. Repeats that agree in all else are one entry, listed twice. A single entry without a mark
    as good as the policy's has the next one.
    """
    meanings: Meanings = defaultdict(set)
    for marks in entries:
        for basis, key, meaning in _ladder(marks):
            meanings[basis, key].add(meaning)
    now = _degraded(policy, entries, meanings) if policy else None
    return [_choose(marks, meanings, now or KeyBasis.GUID) for marks in entries], now


def worse(one: KeyBasis, other: KeyBasis) -> KeyBasis:
    """The one that says less."""
    return max(one, other, key=_BASES.index)


def _degraded(policy: KeyBasis, entries: Sequence[Marks], meanings: Meanings) -> KeyBasis:
    for basis in _BASES[_BASES.index(policy) : -1]:
        unfit = sum(all(step != basis or len(meanings[step, key]) > 1 for step, key, _ in _ladder(marks)) for marks in entries)
        if unfit <= MOST_UNFIT * len(entries):
            return basis
    return KeyBasis.TITLE


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


def _choose(marks: Marks, meanings: Meanings, policy: KeyBasis) -> tuple[str, KeyBasis]:
    for basis, key, _ in _ladder(marks):
        if _BASES.index(basis) >= _BASES.index(policy) and len(meanings[basis, key]) == 1:
            return key, basis
    key = f"{marks.link} {marks.title}".strip() if marks.title else content_hash(marks.link + marks.rest)
    return key, KeyBasis.TITLE
