"""Answers a question from the lake: candidates from an index or from the articles, joined with the view `articles`. I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from pipeline.errors import InputError, LakeBusy
from pipeline.lake.search import index, substrings
from pipeline.lake.search.feed import Pass, behind, catch_up
from pipeline.lake.search.question import Question
from pipeline.lake.search.shards import available, remove_all
from pipeline.lake.search.snippet import Hit, snippet
from pipeline.lake.search.substrings import Candidate
from pipeline.lake.store import store_of
from pipeline.lake.store.directory import Directory

Finder = Callable[[str, str | None], list[Hit]]
#: The best so and so many candidates, best first.
Candidates = Callable[[int], list[Candidate]]

_JOINED = """
SELECT date, version_id, article_id, story_id, duplicate_of, seen_at, source, language, title, url
FROM articles WHERE date IN ({days}) AND version_id IN $versions
"""
_TEXTS = "SELECT version_id, text FROM articles WHERE date IN ({days}) AND version_id IN $versions"
_PRINTS = """
SELECT story_id, count(*) FROM articles
WHERE date BETWEEN DATE '{0.since}' AND DATE '{0.until}' AND story_id IN $stories GROUP BY ALL
"""
_COMPANY = "SELECT company_id FROM companies WHERE company_id IN (FROM company_ids($name))"
_OF_COMPANY = """
SELECT DISTINCT version_id FROM mentions WHERE company_id IN $companies AND NOT in_ad AND date >= DATE '{0.since}'
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """Which days of the lake were looked at, which there are, and whether by an index."""

    since: date
    until: date
    first: date | None
    last: date | None
    by_index: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The articles found, best first, each as a record; whether there are more; and what was looked at."""

    rows: list[dict[str, Any]]
    more: bool
    looked: Looked


def look(at: Pass, asked: Question, limit: int, *, every_copy: bool = False, inside: bool = False) -> Found:
    """What a question finds: the last versions of articles, one of each story unless every copy is asked for.

    `inside` finds terms within words too, by reading the articles; without the extra `search` that is always done.

    Raises:
        InputError: the lake knows no company of that name.
    """
    at = replace(at, since=asked.since, until=asked.until)
    versions = _of_company(at.con, asked)
    if inside or not available() or not isinstance(store_of(at.lake.root), Directory):
        by_index, (rows, finder) = False, _read_through(at, asked, versions, limit, every_copy)
    else:
        by_index, (rows, finder) = _indexed(at, asked, versions, limit, every_copy)
    days = sorted({*at.lake.days("hot"), *at.lake.days("cold/articles")})
    looked = Looked(asked.since, asked.until, min(days, default=None), max(days, default=None), by_index)
    return Found(_shown(at.con, asked, rows[:limit], finder), len(rows) > limit, looked)


Answer = tuple[list[dict[str, Any]], Finder]


def _read_through(at: Pass, asked: Question, versions: list[str] | None, limit: int, every_copy: bool) -> Answer:
    found = substrings.candidates(at.con, asked, versions)
    return _best(at.con, lambda most: found[:most], limit, every_copy), substrings.finder(asked)


def _indexed(at: Pass, asked: Question, versions: list[str] | None, limit: int, every_copy: bool) -> tuple[bool, Answer]:
    """By the indexes; one that turns out damaged is made anew, and while somebody else writes them they are read as they are."""
    for _ in range(2):
        try:
            with catch_up(at) as (indexes, _done):
                pass
        except LakeBusy:
            indexes, lacking = behind(at)
            if lacking and not indexes:
                at.say("somebody else is making the index: meanwhile the articles themselves are read")
                break
            at.say(f"somebody else is bringing the index up to date: {lacking} batches of these days are not in it yet")
        try:
            return True, (_best(at.con, _candidates(indexes, asked, versions), limit, every_copy), index.finder(asked))
        except BaseException as error:
            if not (isinstance(error, ValueError) or type(error).__name__ == "PanicException"):  # that is how tantivy falls over
                raise
            at.say(f"the index is damaged ({error}); it is made anew")
            remove_all(at.lake)
    return False, _read_through(at, asked, versions, limit, every_copy)


def _candidates(indexes: Sequence[Any], asked: Question, versions: list[str] | None) -> Candidates:
    def best(most: int) -> list[Candidate]:
        found = [one for each in indexes for one in index.find(each, asked, versions, most)]
        return sorted(found, key=lambda one: -one[0])[:most]

    return best


def _best(con: duckdb.DuckDBPyConnection, candidates: Candidates, limit: int, every_copy: bool) -> list[dict[str, Any]]:
    """The best articles that are the lake's last word, one more than asked for where there are more."""
    most = 4 * limit + 10
    while True:
        found = candidates(most)
        score = {version: value for value, version, _ in reversed(found)}
        rows = _of_versions(con, _JOINED, found)
        rows.sort(key=lambda row: (-score[row["version_id"]], row["duplicate_of"] is not None, -row["seen_at"].timestamp()))
        rows = [{**row, "score": score[row["version_id"]]} for row in rows]
        by_story: dict[str, dict[str, Any]] = {}
        for row in rows:
            by_story.setdefault(row["story_id"], row)
        kept = rows if every_copy else list(by_story.values())
        if len(kept) > limit or len(found) < most:
            return kept[: limit + 1]
        most *= 4


def _of_versions(con: duckdb.DuckDBPyConnection, query: str, found: Sequence[Candidate]) -> list[dict[str, Any]]:
    """What a query has for these versions; it reads the files of their days only."""
    if not found:
        return []
    days = {day if isinstance(day, date) else date.fromordinal(day) for _, _, day in found}
    told = query.format(days=", ".join(f"DATE '{day}'" for day in sorted(days)))
    return con.sql(told, params={"versions": [version for _, version, _ in found]}).to_arrow_table().to_pylist()


def _of_company(con: duckdb.DuckDBPyConnection, asked: Question) -> list[str] | None:
    """The versions that name the company asked for, outside advertisements; None where none was asked for."""
    if asked.company is None:
        return None
    companies = [name for (name,) in con.execute(_COMPANY, {"name": asked.company}).fetchall()]
    if not companies:
        raise InputError(
            f"no company {asked.company!r} in the lake: give its id or whole name; `newsmill companies find` finds ids"
        )
    return [name for (name,) in con.execute(_OF_COMPANY.format(asked), {"companies": companies}).fetchall()]


def _shown(con: duckdb.DuckDBPyConnection, asked: Question, rows: list[dict[str, Any]], find: Finder) -> list[dict[str, Any]]:
    """The records of an answer: with a snippet, the hits in it and in the title, and how often the story was printed."""
    found = [(row["score"], row["version_id"], row["date"]) for row in rows]
    texts = {row["version_id"]: row["text"] for row in _of_versions(con, _TEXTS, found)}
    prints = dict(con.execute(_PRINTS.format(asked), {"stories": [row["story_id"] for row in rows]}).fetchall()) if rows else {}
    return [_record(n, row, texts[row["version_id"]], prints[row["story_id"]], find) for n, row in enumerate(rows, 1)]


def _record(rank: int, row: dict[str, Any], text: str, prints: int, find: Finder) -> dict[str, Any]:
    piece, spans = snippet(text, find(text, row["language"]))
    title = [{"field": "title", "start": hit.start, "end": hit.end} for hit in find(row["title"], row["language"])]
    hits = [*title, *({"field": "snippet", "start": start, "end": end} for start, end in spans)]
    shown = {"rank": rank, "score": row["score"], "seen_at": row["seen_at"], "source": row["source"], "language": row["language"]}
    ids = {key: row[key] for key in ("article_id", "version_id", "story_id", "duplicate_of", "url")}
    return {**shown, "title": row["title"], "snippet": piece, "hits": hits, "prints": prints, **ids}
