"""How much an article is about each company it names. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.article import Block
from schemas.tag import Link

_TITLE, _SHARE, _FIRST = 0.4, 0.35, 0.25
_ROLES = {"former_employer": 0.3, "product": 0.7}


@dataclass(frozen=True, slots=True)
class Weight:
    """A company's part in an article: 0 to 1; `share` is its part of all mentions, by role."""

    name: str
    relevance: float
    share: float
    in_headline: bool


def relevance(links: Sequence[Link], titled: bool, length: int) -> dict[str, Weight]:
    """By company: whether the title names it, its share of the mentions, and how early the first stands.

    `links` leave out promotion and come in reading order. Without a title the other two share its weight.
    """
    by_company: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_company[link.company_id].append(link)
    total = sum(_role(link) for link in links)
    return {company: _weight(named, titled, total, length) for company, named in by_company.items()}


def _weight(links: list[Link], titled: bool, total: float, length: int) -> Weight:
    parts = sum(_role(link) for link in links)
    share = parts / total
    first = links[0]
    early = 1.0 if first.field == "title" else 1 - first.start / max(1, length)
    headline = first.field == "title"
    raw = _TITLE * headline + _SHARE * share + _FIRST * early
    whole = 1.0 if titled else _SHARE + _FIRST
    return Weight(first.name, min(1.0, raw / whole * parts / len(links)), share, headline)


def _role(link: Link) -> float:
    return _ROLES.get(link.role or "", 1.0)


def blank(text: str, ads: Sequence[Block]) -> str:
    """The text with its promotion turned into line breaks, so that offsets stay."""
    for ad in ads:
        start, end = max(0, ad.start), min(len(text), ad.end)
        if start < end:
            text = text[:start] + "\n" * (end - start) + text[end:]
    return text
