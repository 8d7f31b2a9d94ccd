"""Search without an index: reads the articles of the days asked for; a term is found within words too. Reads only."""

import re
from collections.abc import Callable
from typing import Any

import duckdb

from pipeline.lake.search.question import Question, spellings
from pipeline.lake.search.snippet import Hit

#: (score, version_id, the lake's day), best first.
Candidate = tuple[float, str, Any]


def candidates(con: duckdb.DuckDBPyConnection, asked: Question, versions: list[str] | None) -> list[Candidate]:
    """Every version in which all terms occur, those with more of them in the headline first, then the newest.

    `versions` are those about the company that was asked for; None where none was.
    """
    bound: dict[str, Any] = {}
    in_title, in_either = [], []
    for n, term in enumerate(asked.terms):
        names = []
        for m, spelling in enumerate(spellings(term)):
            bound[name := f"t{n}_{m}"] = spelling.lower()
            names.append(name)
        title = " OR ".join(f"contains(lower(title), ${name})" for name in names)
        in_title.append(f"({title})::INTEGER")
        in_either.append(f"({title} OR {' OR '.join(f'contains(lower(text), ${name})' for name in names)})")
    where = [f"date BETWEEN DATE '{asked.since}' AND DATE '{asked.until}'"]
    for column in ("source", "language"):
        if value := getattr(asked, column):
            where.append(f"lower({column}) = ${column}")
            bound[column] = value.lower()
    if versions is not None:
        where.append("version_id IN $versions")
        bound["versions"] = versions
    return con.execute(
        f"""SELECT ({" + ".join(in_title)})::DOUBLE AS score, version_id, date FROM articles
            WHERE {" AND ".join([*where, *in_either])} ORDER BY score DESC, duplicate_of IS NOT NULL, seen_at DESC, version_id""",
        bound,
    ).fetchall()


def finder(asked: Question) -> Callable[[str, str | None], list[Hit]]:
    """What finds the terms in a title or text again, in order."""
    patterns = [re.compile("|".join(map(re.escape, spellings(term))), re.IGNORECASE) for term in asked.terms]

    def find(text: str, _language: str | None) -> list[Hit]:
        found = [Hit(*match.span(), n) for n, pattern in enumerate(patterns) for match in pattern.finditer(text)]
        return sorted(found, key=lambda hit: hit.start)

    return find
