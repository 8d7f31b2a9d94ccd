"""Finds the companies an article names. Pure.

One pass of an automaton over all names finds the candidates. Gates keep what stands alone, is not part of a longer name that
means something else, and, for ambiguous names, has the words of the trade beside it. An ambiguous name also counts where the
article names the company surely elsewhere, or beside a sure company ("Visa und Mastercard").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.tag.companies.careers import employer_role
from pipeline.tag.companies.codes import Code, apposed, codes_in
from pipeline.tag.companies.registry import INHERITED, Alias, Registry
from pipeline.tag.companies.surroundings import SURE, around, cues, is_common_noun, is_other, neighbours, plain, stands_alone
from schemas.article import Block
from schemas.tag import Link

_KIND_SCORES = {"name": 0.97, "short": 0.94, "former": 0.9, "product": 0.9, "ticker": 0.95, "isin": 0.99}
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
    def needs(self) -> int:
        return self.aliases[0].needs if len(self.aliases) == 1 else max(alias.needs for alias in self.aliases)

    @property
    def sure(self) -> bool:
        return self.needs <= self.points and self.needs != INHERITED


@dataclass(frozen=True, slots=True)
class _Article:
    """What the whole article says: the companies it names surely, how much it speaks of those that share a name, its language."""

    sure: frozenset[str]
    spoken: Mapping[str, int]
    language: str | None


@dataclass(frozen=True, slots=True)
class _Named:
    """A span, the company it names, the score and the margin to the next best."""

    start: int
    end: int
    alias: Alias
    score: float
    margin: float | None


def link(registry: Registry, title: str, text: str, language: str | None, ads: tuple[Block, ...]) -> tuple[Link, ...]:
    """Every mention of a company, the title's first, then by offset; spans do not overlap.

    `language` is a two-letter code or None. `ads` are spans of the text that are promotion: mentions in them are marked.
    A ticker or ISIN in brackets behind its company's name confirms the name and is no mention of its own.
    """
    fields = [_Field(name, t, plain(t), language != "en") for name, t in (("title", title), ("text", text)) if t]
    found = [(field, _matches(registry, field)) for field in fields]
    sure = frozenset(m.aliases[0].company_id for _, matches in found for m in matches if len(m.aliases) == 1 and m.sure)
    rivals = {alias.company_id for _, matches in found for m in matches if len(m.aliases) > 1 for alias in m.aliases}
    article = _Article(sure, _spoken(registry, rivals, f"{title}\n{text}"), language)
    return tuple(_link(registry, f, named, ads) for f, matches in found for named in _named(registry, f, matches, article))


def _matches(registry: Registry, field: _Field) -> list[_Match]:
    """What may be a mention: names that stand alone and that nothing speaks against, longest first come, and codes."""
    spans = []
    for pattern, start, end in registry.automaton.find_matches_as_indexes(field.plain, overlapping=True):
        aliases = registry.aliases[pattern]
        if stands_alone(field.plain, start, end, aliases[0] if aliases else None, field.german):
            spans.append(_Match(start, end, aliases))
    spans = [span for span in _longest(spans) if span.aliases]
    isins = [(s.start, s.end, s.aliases[0].company_id) for s in spans if s.aliases[0].kind == "isin"]
    codes = codes_in(field.plain, registry.tickers, isins)
    judged, said = [], set()
    for span in spans:
        if span.aliases[0].kind != "isin":
            code = apposed(field.plain, span.end, {alias.company_id for alias in span.aliases}, codes) if codes else None
            judged.append(_judged(registry, field, span, code))
            if code and any(alias.company_id == code.company_id for alias in span.aliases):
                said.add(code)
    free = [_Match(c.start, c.end, (Alias(c.company_id, c.kind),)) for c in codes if not c.bare and c not in said]
    return _longest([*(m for m in judged if m.points > -SURE), *free])


def _longest(matches: Sequence[_Match]) -> list[_Match]:
    kept: list[_Match] = []
    for match in sorted(matches, key=lambda m: (m.start, -m.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return kept


def _judged(registry: Registry, field: _Field, match: _Match, code: Code | None) -> _Match:
    """The match with what its surroundings say; a code behind it decides between companies, also against all of them."""
    if code:
        own = tuple(alias for alias in match.aliases if alias.company_id == code.company_id)
        if own or not code.bare:
            return replace(match, aliases=own or match.aliases, points=INHERITED - 1 if own else -SURE)
    needs, name = match.needs, field.plain[match.start : match.end]
    if needs == 0 and " " in name:
        return match
    near = neighbours(field.plain, match.start, match.end)
    if is_other(name, near, registry.words, field.german):
        return replace(match, points=-SURE)
    if needs == 0:
        return match
    sentence = around(field.plain, match.start, match.end)
    if is_common_noun(near, sentence.after):
        return replace(match, points=-SURE)
    return replace(match, points=cues(sentence, needs, registry.words, field.german))


def _named(registry: Registry, field: _Field, matches: Sequence[_Match], article: _Article) -> list[_Named]:
    """The matches that name a company."""
    named = []
    for i, match in enumerate(matches):
        alias, share, margin = _choice(registry, match, article)
        score = _KIND_SCORES[alias.kind]
        if alias.needs > match.points:
            if alias.company_id not in article.sure and not _is_listed(field.plain, match, matches[max(0, i - 1) : i + 2]):
                continue
            score = min(score, 0.75)
        elif alias.needs:
            score = min(score, 0.6 + 0.1 * match.points)
        named.append(_Named(match.start, match.end, alias, round(score * share, 3), margin))
    return named


def _choice(registry: Registry, match: _Match, article: _Article) -> tuple[Alias, float, float | None]:
    """Which company a shared name means, its share of the certainty and the margin: by the words of the article, by a company
    named surely elsewhere, else by the language, which is a weak reason."""
    if len(match.aliases) == 1:
        return match.aliases[0], 1.0, None
    home = {"de": ("DE", "AT", "CH")}.get(article.language or "", ("US", "GB"))

    def weight(alias: Alias) -> float:
        return (
            2 * article.spoken[alias.company_id]
            + 4 * (alias.company_id in article.sure)
            + (registry.companies[alias.company_id].country in home)
        )

    best, second = sorted(match.aliases, key=weight, reverse=True)[:2]
    margin = min((weight(best) - weight(second)) / 5, 0.9)
    return best, 0.6 + 0.4 * margin, round(margin, 3)


def _spoken(registry: Registry, company_ids: set[str], text: str) -> dict[str, int]:
    """How many of the words that speak for each company stand in the text, three at most."""
    patterns = {company_id: registry.contexts.get(company_id) for company_id in company_ids}
    return {company_id: min(len(set(p.findall(text))), 3) if p else 0 for company_id, p in patterns.items()}


def _is_listed(text: str, match: _Match, around_it: Sequence[_Match]) -> bool:
    """A name that lacks one cue at most stands in a list beside a sure company."""
    if match.points < 0 or match.needs > match.points + 1:
        return False
    pairs = [(m, match) if m.start < match.start else (match, m) for m in around_it if m is not match and m.sure]
    return any(_BESIDE.fullmatch(text, left.end, right.start) for left, right in pairs)


def _link(registry: Registry, field: _Field, named: _Named, ads: tuple[Block, ...]) -> Link:
    company = registry.companies[named.alias.company_id]
    product = named.alias.kind == "product"
    return Link(
        company_id=company.company_id,
        name=company.name,
        field=field.name,
        start=named.start,
        end=named.end,
        surface=field.text[named.start : named.end],
        alias_kind=named.alias.kind,
        link_score=named.score,
        margin=named.margin,
        role="product" if product else employer_role(field.plain, named.start, named.end),
        in_ad=field.name == "text" and any(ad.start < named.end and named.start < ad.end for ad in ads),
    )
