"""The companies and every way of naming them, from curated.toml and the ticker package. Pure but for reading these data.

Curated companies come first: a stock of the package that has one of their ISINs, or their name and country, is merged into them.
An ISIN of the package counts only where its country prefix is the country of the stock: some are another company's.
"""

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata, resources

from ahocorasick_rs import AhoCorasick

from pipeline.tag.companies.exchanges import MARKET_OF_MIC
from pipeline.tag.companies.names import full_names, slug, spellings, tails_pattern
from pipeline.tag.companies.stocks import Stock, read_stocks
from schemas.columns import as_record
from schemas.ids import content_hash
from schemas.tag import Company

INHERITED = 9  # an alias that counts only where the article also names the company in full


@dataclass(frozen=True, slots=True)
class Alias:
    """One company behind one spelling: `needs` cues beside it before it counts."""

    company_id: str
    kind: str
    needs: int = 0


@dataclass(frozen=True)
class Words:
    """The words of words.toml, as the gates use them; all cues in lower case."""

    one_cue: frozenset[str]
    two_cues: frozenset[str]
    never: frozenset[str]
    no_first: frozenset[str]
    first_names: frozenset[str]
    near: frozenset[str]
    verbs: frozenset[str]
    heads: frozenset[str]
    titles: tuple[str, ...]
    legal: frozenset[str]
    blocked: frozenset[str]
    platforms: frozenset[str]
    namesakes: frozenset[str]
    tails: frozenset[str]


@dataclass(frozen=True)
class Registry:
    """All companies by id, and what the linker needs to find them; `aliases[i]` belongs to pattern i, none means blocked.

    `names` are each company's, (name, kind), before spelling; `curated` those written by hand.
    """

    companies: Mapping[str, Company]
    names: Mapping[str, tuple[tuple[str, str], ...]]
    curated: frozenset[str]
    version: str
    spellings: tuple[str, ...]
    aliases: tuple[tuple[Alias, ...], ...]
    automaton: AhoCorasick
    tickers: Mapping[tuple[str, str], str]
    contexts: Mapping[str, re.Pattern[str]]
    words: Words


@dataclass(frozen=True)
class _Entry:
    """A company and its names, (name, kind), before spelling."""

    company: Company
    names: tuple[tuple[str, str], ...]
    curated: bool = False
    context: tuple[str, ...] = ()


def load_registry() -> Registry:
    """The registry as shipped; takes about half a second, so load it once."""
    data = resources.files("pipeline.tag.companies")
    words_text = data.joinpath("words.toml").read_text("utf-8")
    words = _words(tomllib.loads(words_text))
    curated = tomllib.loads(data.joinpath("curated.toml").read_text("utf-8"))
    tails = tails_pattern(tuple(words.tails))
    entries = _merged([_curated(key, record) for key, record in curated.items()], read_stocks(tails), tails)
    version = _version(entries, words_text, metadata.version("pytickersymbols"))
    patterns = _patterns(entries, words)
    return Registry(
        companies={e.company.company_id: _recorded(e.company, version) for e in entries},
        names={e.company.company_id: e.names for e in entries},
        curated=frozenset(curated),
        version=version,
        spellings=tuple(patterns),
        aliases=tuple(patterns.values()),
        automaton=AhoCorasick(list(patterns)),
        tickers=_tickers(entries),
        contexts={e.company.company_id: re.compile("|".join(map(re.escape, e.context))) for e in entries if e.context},
        words=words,
    )


def curated_names() -> dict[str, str]:
    """The companies written by hand, id → name: what can be had without the second that the whole registry takes."""
    data = tomllib.loads(resources.files("pipeline.tag.companies").joinpath("curated.toml").read_text("utf-8"))
    return {company_id: record["name"] for company_id, record in data.items()}


def _version(entries: Sequence[_Entry], words_text: str, package: str) -> str:
    content = json.dumps([as_record(entry) for entry in entries], sort_keys=True)
    return f"{package}-{content_hash(content + words_text)[:12]}"


def _recorded(company: Company, version: str) -> Company:
    """With its ids; the registry's version is no part of the record's, so that an unchanged company keeps its record."""
    return replace(company, record_id="c_" + content_hash(json.dumps(as_record(company), sort_keys=True))[:20], registry=version)


def _words(data: Mapping[str, Mapping[str, str]]) -> Words:
    def words(table: str, key: str) -> frozenset[str]:
        text = data[table][key]
        return frozenset(w.strip() for w in (text.split("|") if "|" in text else text.split()))

    gates = {key: words("gates", key) for key in ("one_cue", "two_cues", "never", "no_first")}
    cues = {key: words("cues", key) for key in ("near", "verbs", "heads", "legal")}
    blocked = {"first_names": words("blocked", "first_names"), "blocked": words("blocked", "phrases")}
    blocked |= {key: words("blocked", key) for key in ("platforms", "namesakes")}
    return Words(**gates, **cues, **blocked, titles=tuple(words("cues", "titles")), tails=words("tails", "tails"))


def _curated(company_id: str, record: Mapping[str, list[str] | str | bool]) -> _Entry:
    company = Company(
        company_id=company_id,
        name=str(record["name"]),
        country=str(record["country"]),
        isins=_list(record, "isins"),
        listings=tuple(Stock.listing(*code.split(":")) for code in _list(record, "listings")),
        parent_id=str(record["parent"]) if "parent" in record else None,
        private=bool(record.get("private", False)),
    )
    names = [(company.name, "name")]
    for key, kind in (("also", "short"), ("former", "former"), ("products", "product")):
        names += [(name, kind) for name in _list(record, key)]
    return _Entry(company, tuple(names), True, _list(record, "context"))


def _list(record: Mapping[str, list[str] | str | bool], key: str) -> tuple[str, ...]:
    values = record.get(key, [])
    return tuple(values) if isinstance(values, list) else ()


def _merged(curated: Sequence[_Entry], stocks: Sequence[Stock], tails: re.Pattern[str]) -> list[_Entry]:
    entries = {e.company.company_id: e for e in curated}
    by_isin = {isin: e.company.company_id for e in curated for isin in e.company.isins}
    by_name: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    for e in curated:
        for key in {_key(name, tails) for name, kind in e.names if kind != "product"}:
            by_name[key][e.company.company_id] = e.company.country
    for stock in stocks:
        namesakes = by_name[_key(stock.name, tails)]
        owner = next((by_isin[i] for i in stock.isins if i in by_isin), None) or _namesake(stock, namesakes, entries)
        if owner is None:
            owner = _free_id(stock, entries)
            entries[owner] = _Entry(
                Company(company_id=owner, name=stock.name, country=stock.country), tuple((n, "name") for n in stock.names)
            )
        entries[owner] = _with(entries[owner], stock)
        namesakes.setdefault(owner, stock.country)
        by_isin.update(dict.fromkeys(stock.isins, owner))
    return list(entries.values())


def _namesake(stock: Stock, namesakes: Mapping[str, str | None], entries: Mapping[str, _Entry]) -> str | None:
    """The company of that name in that country; or the only one of that name, where it is curated or the country is not known."""
    same = [owner for owner, country in namesakes.items() if country == stock.country]
    if same or len(namesakes) != 1:
        return same[0] if same else None
    only = next(iter(namesakes))
    return only if entries[only].curated or None in (stock.country, namesakes[only]) else None


def _key(name: str, tails: re.Pattern[str]) -> str:
    return slug(full_names(name, tails)[-1])


def _free_id(stock: Stock, taken: Mapping[str, _Entry]) -> str:
    plain = slug(stock.names[-1])
    suffixes = ("", f"-{(stock.country or 'xx').lower()}", f"-{slug(stock.ticker)}")
    return next(plain + suffix for suffix in suffixes if plain + suffix not in taken)


def _with(entry: _Entry, stock: Stock) -> _Entry:
    """The entry with the ISINs and listings of a stock that it lacks; nothing from a stock said to be of another country."""
    company = entry.company
    if stock.country != company.country:
        return entry
    known = {(MARKET_OF_MIC.get(listing.mic or ""), listing.ticker) for listing in company.listings}
    fresh = tuple(x for x in stock.listings if (MARKET_OF_MIC.get(x.mic or ""), x.ticker) not in known)
    isins = tuple(dict.fromkeys((*company.isins, *stock.isins)))
    return replace(entry, company=replace(company, isins=isins, listings=company.listings + fresh))


def _patterns(entries: Sequence[_Entry], words: Words) -> dict[str, tuple[Alias, ...]]:
    """Every spelling and the companies behind it. First words never compete with a name."""
    owners: defaultdict[str, dict[str, Alias]] = defaultdict(dict)
    for entry in entries:
        for name, kind in entry.names:
            for spelling in spellings(name) if entry.curated or name not in words.never else ():
                owners[spelling].setdefault(entry.company.company_id, Alias(entry.company.company_id, kind, _needs(name, words)))
    for company_id, name in _first_words(entries, words):
        if name not in owners:
            owners[name][company_id] = Alias(company_id, "short", INHERITED)
    for entry in reversed(entries):
        for isin in entry.company.isins:
            owners[isin] = {entry.company.company_id: Alias(entry.company.company_id, "isin")}
    return {**{s: tuple(a.values()) for s, a in owners.items()}, **dict.fromkeys(words.blocked, ())}


def _needs(name: str, words: Words) -> int:
    return 2 if name in words.two_cues else 1 if name in words.one_cue else 0


def _first_words(entries: Sequence[_Entry], words: Words) -> Iterator[tuple[str, str]]:
    """The first words of long machine-made names, where no other company's name begins so."""
    firsts: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for name, _ in entry.names:
            firsts[name.split()[0].removesuffix(",")].add(entry.company.company_id)
    curated = {entry.company.company_id for entry in entries if entry.curated}
    for first, ids in firsts.items():
        if (
            len(ids) == 1
            and not ids & curated
            and len(first) >= 5
            and first[0].isupper()
            and first not in words.no_first | words.first_names
        ):
            yield next(iter(ids)), first


def _tickers(entries: Sequence[_Entry]) -> dict[tuple[str, str], str]:
    """Market and ticker → company; the curated come last and win."""
    found = {}
    for entry in reversed(entries):
        for listing in entry.company.listings:
            found[(MARKET_OF_MIC.get(listing.mic or "", "US"), listing.ticker)] = entry.company.company_id
    return found
