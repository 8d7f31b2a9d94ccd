"""Finds the companies an article names. Pure.

One pass of an automaton over all names finds the candidates. Gates keep what stands alone, is not part of a longer name that means
something else, and, for ambiguous names, has the words of the trade beside it. An ambiguous name also counts where the article
names the company surely elsewhere, or beside a sure company ("Visa und Mastercard").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.tag.companies.careers import employer_role
from pipeline.tag.companies.exchanges import ISIN, TICKER, market_and_ticker
from pipeline.tag.companies.registry import INHERITED, Alias, Registry
from pipeline.tag.companies.surroundings import SURE, around, cues, is_a_place, is_a_thing, is_somebody, is_something, plain, stands_alone
from schemas.article import Block
from schemas.tag import Link

_KIND_SCORES = {"name": 0.97, "short": 0.94, "former": 0.9, "product": 0.9, "ticker": 0.95, "isin": 0.99}
_APPOSED = re.compile(r"[\s,;:]*(?:(?:AG|SE|KGaA|Inc|Corp|Corporation|Company|Co|plc|Plc|PLC|Ltd|Limited|NV|SA|Group|Holdings?|Platforms|Technologies|&)\.?[\s,;:]*){0,3}")
_NEARBY = re.compile(r"[^()<>,;:\n\"]*(?:, Inc\.?)?[\s,]*")
_BESIDE = re.compile(r"(?:-Aktie)?(?:, | und | and | & |/| or | oder | vs\.? )")


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of the article."""

    name: str
    text: str
    plain: str
    german: bool


@dataclass(frozen=True, slots=True)
class _Match:
    """A span and the companies it may name; `points` is what its surroundings say, see `cues`."""

    start: int
    end: int
    aliases: tuple[Alias, ...]
    points: int = 0

    @property
    def sure(self) -> bool:
        needs = max(alias.needs for alias in self.aliases)
        return needs <= self.points and needs != INHERITED


@dataclass(frozen=True, slots=True)
class _Code:
    """A ticker or ISIN of a known company; `opens` is where its bracket does. A bare one only confirms the name before it."""

    start: int
    end: int
    opens: int
    company_id: str
    kind: str
    bare: bool = False


def link(registry: Registry, title: str, text: str, language: str | None, ads: tuple[Block, ...]) -> tuple[Link, ...]:
    """Every mention of a company, the title's first, then by offset; spans do not overlap.

    `language` is a two-letter code or None; `ads` are spans of the text that are promotion: their mentions are marked, not left out.
    """
    fields = [_Field(name, t, plain(t), language != "en") for name, t in (("title", title), ("text", text)) if t]
    found = [(field, _matches(registry, field)) for field in fields]
    sure = {m.aliases[0].company_id for _, matches in found for m in matches if len(m.aliases) == 1 and m.sure}
    whole = f"{title}\n{text}"
    return tuple(_link(field, *named, registry, ads) for field, ms in found for named in _named(registry, field, ms, sure, language, whole))


def _matches(registry: Registry, field: _Field) -> list[_Match]:
    """What may be a mention: names that stand alone and that nothing speaks against, longest first come, and codes."""
    spans = []
    for pattern, start, end in registry.automaton.find_matches_as_indexes(field.plain, overlapping=True):
        aliases = registry.aliases[pattern]
        if stands_alone(field.plain, start, end, aliases[0] if aliases else None, field.german):
            spans.append(_Match(start, end, aliases))
    codes = list(_codes(registry, field.plain))
    judged = []
    for match in _longest(spans):
        if match.aliases:
            code = _apposed(field.plain, match, codes)
            judged.append(_judged(registry, field, match, code))
            if code and any(a.company_id == code.company_id for a in match.aliases):
                codes.remove(code)
    free = [_Match(c.start, c.end, (Alias(c.company_id, c.kind),)) for c in codes if not c.bare]
    return _longest([*(m for m in judged if m.points > -SURE), *free])


def _longest(matches: Sequence[_Match]) -> list[_Match]:
    kept: list[_Match] = []
    for match in sorted(matches, key=lambda m: (m.start, -m.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return kept


def _codes(registry: Registry, text: str) -> Iterator[_Code]:
    if any(sign in text for sign in "(<[$"):
        for match in TICKER.finditer(text):
            named = market_and_ticker(match)
            company = registry.tickers.get(named[:2]) if named else None
            if named and company:
                yield _Code(*named[2], match.start(), company, "ticker", match["bare"] is not None)
    for match in ISIN.finditer(text):
        if company := registry.isins.get(match.group()):
            opens = max(text.rfind("(", match.start() - 40 if match.start() > 40 else 0, match.start()), 0) or match.start()
            yield _Code(match.start(), match.end(), opens, company, "isin")


def _apposed(text: str, match: _Match, codes: Sequence[_Code]) -> _Code | None:
    """The code that stands behind a name and belongs to it: "Apple Inc. (NASDAQ: AAPL)", "Apple's shares <AAPL.O>"."""
    for code in codes:
        if match.end <= code.opens <= match.end + 40:
            known = any(alias.company_id == code.company_id for alias in match.aliases)
            if (_NEARBY if known else _APPOSED).fullmatch(text, match.end, code.opens):
                return code
    return None


def _judged(registry: Registry, field: _Field, match: _Match, code: _Code | None) -> _Match:
    """The match with what its surroundings say; a code behind it decides between companies, also against all of them."""
    if code:
        own = tuple(a for a in match.aliases if a.company_id == code.company_id)
        if own or not code.bare:
            return replace(match, aliases=own or match.aliases, points=INHERITED - 1 if own else -SURE)
    needs = max(alias.needs for alias in match.aliases)
    if needs == 0 and " " in field.plain[match.start : match.end]:
        return match
    near = around(field.plain, match.start, match.end)
    name = field.plain[match.start : match.end]
    other = is_somebody(near, registry.words) or is_a_place(name, near, registry.words) or (field.german and is_a_thing(near))
    if other or (needs and is_something(near)):
        return replace(match, points=-SURE)
    return replace(match, points=cues(near, needs, registry.words, field.german)) if needs else match


def _named(
    registry: Registry, field: _Field, matches: Sequence[_Match], sure: set[str], language: str | None, whole: str
) -> Iterator[tuple[_Match, Alias, float, float | None]]:
    """The matches that name a company, which one, the score and the margin to the next best."""
    for i, match in enumerate(matches):
        alias, share, margin = _choice(registry, match, sure, language, whole)
        beside = any(_is_beside(field.plain, match, other) for other in matches[max(0, i - 1) : i + 2] if other is not match)
        score = _KIND_SCORES[alias.kind]
        if alias.needs and alias.needs > match.points:
            if not (alias.company_id in sure or (beside and 0 <= match.points and alias.needs <= match.points + 1)):
                continue
            score = min(score, 0.75)
        elif alias.needs:
            score = min(score, 0.6 + 0.1 * match.points)
        yield match, alias, round(score * share, 3), margin


def _choice(registry: Registry, match: _Match, sure: set[str], language: str | None, whole: str) -> tuple[Alias, float, float | None]:
    """Which company a shared name means, its share of the certainty and the margin: by the words of the article, by a company
    named surely elsewhere, else by the language, which is a weak reason."""
    if len(match.aliases) == 1:
        return match.aliases[0], 1.0, None
    home = {"de": ("DE", "AT", "CH")}.get(language or "", ("US", "GB"))

    def weight(alias: Alias) -> float:
        context = registry.contexts.get(alias.company_id)
        spoken = min(len(set(context.findall(whole))), 3) if context else 0
        return 2 * spoken + 4 * (alias.company_id in sure) + (registry.companies[alias.company_id].country in home)

    best, second = sorted(match.aliases, key=weight, reverse=True)[:2]
    margin = min((weight(best) - weight(second)) / 5, 0.9)
    return best, 0.6 + 0.4 * margin, round(margin, 3)


def _is_beside(text: str, match: _Match, other: _Match) -> bool:
    """The two stand in one list of companies, and the other is sure."""
    left, right = (match, other) if match.start < other.start else (other, match)
    return other.sure and _BESIDE.fullmatch(text, left.end, right.start) is not None


def _link(field: _Field, match: _Match, alias: Alias, score: float, margin: float | None, registry: Registry, ads: tuple[Block, ...]) -> Link:
    company = registry.companies[alias.company_id]
    in_ad = field.name == "text" and any(ad.start < match.end and match.start < ad.end for ad in ads)
    return Link(
        company_id=company.company_id,
        name=company.name,
        field=field.name,
        start=match.start,
        end=match.end,
        surface=field.text[match.start : match.end],
        alias_kind=alias.kind,
        link_score=score,
        margin=margin,
        role="product" if alias.kind == "product" else employer_role(field.plain, match.start, match.end),
        in_ad=in_ad,
    )
