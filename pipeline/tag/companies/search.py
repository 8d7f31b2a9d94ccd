"""Looks companies up by whatever people call them: a name, a former name, a product, an ISIN, a ticker. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from pipeline.tag.companies.exchanges import MARKET_OF_MIC, MIC_OF_CODE
from pipeline.tag.companies.names import full_names, slug, tails_pattern
from pipeline.tag.companies.registry import INHERITED, Alias, Registry

_KINDS = ("name", "isin", "ticker", "short", "former", "product", "id", "first word")
_EXACT, _BEGINS, _HOLDS, _PART = 4, 3, 2, 1  # how well a name fits, best first
_LIKE = 72  # from this likeness (0 to 100) on, what was typed may have been meant


@dataclass(frozen=True, slots=True)
class Hit:
    """A company and that of its names which fits best; `exact` where it is the whole of what was asked."""

    company_id: str
    matched: str
    kind: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """A name and when it counts as the company; `shared` are the ids of others of that name."""

    name: str
    kind: str
    counts: str
    shared: tuple[str, ...] = ()


def find_companies(registry: Registry, text: str) -> list[Hit]:
    """The companies that `text` may name, best first, each once; a ticker may have its exchange before it, `XETR:SAP`."""
    asked = _asked(registry, text)
    best: dict[str, tuple[tuple[int, int, bool, int, str], Hit]] = {}
    for company_id, called, kind, fold in _called(registry):
        fit = max((_fit(fold, form, kind) for form in asked), default=0)
        if fit:
            rank = (-fit, _KINDS.index(kind), company_id not in registry.curated, len(called), company_id)
            if company_id not in best or rank < best[company_id][0]:
                best[company_id] = rank, Hit(company_id, called, kind, fit == _EXACT)
    return [hit for _, hit in sorted(best.values(), key=lambda pair: pair[0])]


def like(registry: Registry, text: str, most: int = 3) -> list[Hit]:
    """The companies with a name that `text` may be a misspelling of, likest first."""
    called = [name for name in _called(registry) if name[2] not in ("id", "isin", "ticker")]
    hits: dict[str, Hit] = {}
    found = process.extract(_folded(text), [fold for *_, fold in called], scorer=fuzz.ratio, score_cutoff=_LIKE, limit=20)
    for _, _, position in found:
        company_id, name, kind, _ = called[position]
        hits.setdefault(company_id, Hit(company_id, name, kind, exact=False))
    return list(hits.values())[:most]


def gates(registry: Registry, company_id: str) -> list[Gate]:
    """All names of a company, and what each takes to count as it where an article has it."""
    behind = {s: aliases for s, aliases in zip(registry.spellings, registry.aliases, strict=True) if aliases}
    names: dict[str, str] = {}
    for name, kind in registry.names[company_id]:
        names.setdefault(name, kind)
    for spelling, aliases in behind.items():
        if any(a.company_id == company_id and a.needs == INHERITED for a in aliases):
            names.setdefault(spelling, "first word")
    ordered = sorted(names.items(), key=lambda pair: _KINDS.index(pair[1]))
    return [_gate(registry, company_id, name, kind, behind.get(name, ())) for name, kind in ordered]


def _gate(registry: Registry, company_id: str, name: str, kind: str, aliases: tuple[Alias, ...]) -> Gate:
    shared = tuple(sorted(a.company_id for a in aliases if a.company_id != company_id))
    needs = max((a.needs for a in aliases), default=None)
    if needs is None:
        counts = "never by itself: it says too little"
    elif needs == INHERITED:
        counts = "only where the article also names it in full"
    elif needs:
        cue = "a word of the trade" if needs == 1 else f"{needs} words of the trade"
        counts = (
            f"with {cue} beside it (shares, profit, …), its legal form or ticker, or where the company is named surely elsewhere"
        )
    else:
        counts = "wherever it stands"
    if shared:
        context = registry.contexts.get(company_id)
        words = f", which these speak for: {context.pattern.replace(chr(92), '').replace('|', ', ')}" if context else ""
        counts = f"{counts}; shared, and decided by what else the article says{words}"
    return Gate(name, kind, counts, shared)


def _called(registry: Registry) -> Iterator[tuple[str, str, str, str]]:
    """Everything companies can be called: (company_id, as written, kind, folded)."""
    for company_id, company in registry.companies.items():
        yield company_id, company_id, "id", _folded(company_id)
        for name, kind in registry.names[company_id]:
            yield company_id, name, kind, _folded(name)
        for isin in company.isins:
            yield company_id, isin, "isin", isin
        for listing in company.listings:
            yield company_id, f"{listing.mic or '?'}:{listing.ticker}", "ticker", _market(listing.mic, listing.ticker)


def _market(mic: str | None, ticker: str) -> str:
    return f"{MARKET_OF_MIC.get(mic or '', 'US')}:{ticker.upper()}"


def _asked(registry: Registry, text: str) -> tuple[str, ...]:
    """What was typed in the forms that names, ISINs and tickers are compared in: folded, without legal form, in capitals."""
    plain = " ".join(text.split())
    if not plain:
        return ()
    code = plain.upper().replace(" ", "")
    exchange, _, ticker = code.rpartition(":")
    tails = re.compile(tails_pattern(tuple(registry.words.tails)).pattern, re.IGNORECASE)
    names = full_names(plain, tails)
    if exchange:
        return (_market(MIC_OF_CODE.get(exchange, exchange), ticker),)
    return tuple(dict.fromkeys(filter(None, (*map(_folded, names), code))))


def _fit(fold: str, asked: str, kind: str) -> int:
    if kind in ("isin", "ticker"):
        return _EXACT if asked in (fold, fold.partition(":")[2]) else 0
    if fold == asked:
        return _EXACT
    if kind == "id" or asked not in fold:
        return 0
    if fold.startswith(f"{asked}-"):
        return _BEGINS
    if f"-{asked}-" in f"-{fold}-" or (len(asked) >= 3 and fold.startswith(asked)):
        return _HOLDS
    return _PART if len(asked) >= 4 else 0


def _folded(text: str) -> str:
    """The text as all its spellings have it: "Münchener", "Muenchener" and "MUNCHENER" are one."""
    return re.sub("([aou])e", r"\1", slug(text))
