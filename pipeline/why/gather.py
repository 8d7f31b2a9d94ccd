"""Gathers every row that bears on one article, nested as one led to the other. Reads only.

Rows are looked up by their ids, so that wide columns are read for these few alone. Nothing is left out: what has been
replaced is there too, and says by what.
"""

from collections.abc import Iterable
from typing import Any

import duckdb

from pipeline.lake.layout import BatchRef
from pipeline.tag.sentiment.sentence import sentence_at
from pipeline.why.find import Found

Row = dict[str, Any]


def trail(con: duckdb.DuckDBPyConnection, found: Found) -> Row:
    """The whole way of what was found, or a list to choose from where that is a visit or leads to several articles.

    The way: `{asked, kind, article_id, keys, entries: [{…, revisions: [{…, visit, attempts: [{…, pages}]}]}],
    versions: [{…, superseded, relations: {earlier, later}, taggings: [{…, superseded, article, said_of, only_in_promotion}]}]}`,
    every level in order of time and with all columns of its table. The list: `{asked, kind, visit, choose: [{entry_id, …}]}`.
    """
    asked = {"asked": found.asked, "kind": found.kind}
    if found.kind == "feed visit":
        (visit,) = _with_raw(con, _rows(con, "visits", "visit_id", [found.asked]), "visit_id")
        return asked | {"visit": visit, "choose": _choose(con, "visit_id", [found.asked])}
    if len(found.articles) > 1 or (not found.articles and len(found.entries) > 1):
        return asked | {"visit": None, "choose": _choose(con, "entry_id", found.entries)}
    return asked | {
        "article_id": found.articles[0] if found.articles else None,
        "keys": _rows(con, "article_keys", "article_id", found.articles),
        "entries": _entries(con, found.entries),
        "versions": _versions(con, found.articles),
    }


def _choose(con: duckdb.DuckDBPyConnection, column: str, ids: Iterable[str]) -> list[Row]:
    """How the last attempt at each of these entry revisions ended."""
    revisions = _rows(con, "entries", column, ids)
    entries = [e["entry_id"] for e in revisions]
    ended = {(o["entry_id"], o["revision"]): o for o in _rows(con, "outcomes", "entry_id", entries, of="main")}
    return [
        ended[e["entry_id"], e["revision"]] for e in sorted(revisions, key=lambda e: (e["seen_at"], e["feed_id"], e["position"]))
    ]


def _entries(con: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> list[Row]:
    """Entries with their revisions, the visit that brought each, and what was tried with it."""
    revisions = _rows(con, "entries", "entry_id", ids, order="seen_at")
    brought_by = _with_raw(con, _rows(con, "visits", "visit_id", {r["visit_id"] for r in revisions}), "visit_id")
    visits = {v["visit_id"]: v for v in brought_by}
    pages = _with_raw(con, _rows(con, "pages", "entry_id", ids, order="fetched_at"), "page_id")
    attempts = _rows(con, "outcomes", "entry_id", ids, order="attempt")
    for attempt in attempts:
        attempt["pages"] = [p for p in pages if _same(p, attempt, "entry_id", "revision", "attempt")]
    entries: dict[str, Row] = {}
    for r in revisions:
        r |= {
            "visit": visits.get(r["visit_id"]),
            "attempts": [a for a in attempts if _same(a, r, "entry_id", "revision")],
        }
        what_stays = {name: r[name] for name in ("entry_id", "feed_id", "source", "key", "key_basis")}
        entries.setdefault(r["entry_id"], what_stays | {"revisions": []})["revisions"].append(r)
    return list(entries.values())


def _versions(con: duckdb.DuckDBPyConnection, articles: Iterable[str]) -> list[Row]:
    """Versions with what replaced them, the articles they are related to, and what the taggers said."""
    versions = _rows(con, "articles", "article_id", articles)
    taggings = _taggings(con, articles, {v["version_id"]: v for v in versions})
    earlier = _relations(con, "article_id", articles, far_end="other_version_id")
    later = _relations(con, "other_article_id", articles, far_end="version_id")
    for v in _with_superseded(con, versions, "version_id"):
        v["relations"] = {
            "earlier": [r for r in earlier if r["version_id"] == v["version_id"]],
            "later": [r for r in later if r["other_version_id"] == v["version_id"]],
        }
        v["taggings"] = [t for t in taggings if _same(t, v, "version_id")]
    return versions


def _relations(con: duckdb.DuckDBPyConnection, near_end: str, articles: Iterable[str], *, far_end: str) -> list[Row]:
    """Relations of these articles; `other` is the version at the far end, and says whether it has been replaced since."""
    relations = _rows(con, "relations", near_end, articles)
    versions = _rows(con, "articles", "version_id", {r[far_end] for r in relations})
    others = {v["version_id"]: v for v in _with_superseded(con, versions, "version_id")}
    told = ("article_id", "version_id", "source", "title", "url", "seen_at", "superseded")
    return [r | {"other": {name: others[r[far_end]][name] for name in told}} for r in relations]


def _taggings(con: duckdb.DuckDBPyConnection, articles: Iterable[str], versions: dict[str, Row]) -> list[Row]:
    """Runs of the taggers with what they said of whom, and by which words."""
    taggings = _with_superseded(con, _rows(con, "taggings", "article_id", articles), "tagging_id")
    mentions = _rows(con, "mentions", "article_id", articles)
    sentiments = _rows(con, "sentiments", "article_id", articles)
    for t in taggings:
        named: dict[str, Row] = {}
        for m in sorted((m for m in mentions if _same(m, t, "tagging_id")), key=lambda m: (m["field"] == "text", m["start"])):
            of = named.setdefault(m["company_id"], {"company_id": m["company_id"], "name": m["name"], "mentions": []})
            of["mentions"].append(m)
        said = {s["company_id"]: s | {"evidence": _evidence(s, versions)} for s in sentiments if _same(s, t, "tagging_id")}
        t["article"] = said.pop(None, None)
        t["said_of"] = sorted((named.get(i, {"name": i, "mentions": []}) | s for i, s in said.items()), key=_by_relevance)
        t["only_in_promotion"] = [company for i, company in named.items() if i not in said]
    return taggings


def _by_relevance(company: Row) -> tuple[float, str]:
    return -company["relevance"], company["name"]


def _evidence(sentiment: Row, versions: dict[str, Row]) -> list[Row]:
    """The words a verdict rests on, and the sentence around them with its own offsets."""
    version = versions[sentiment["version_id"]]
    spans = []
    for span in sentiment["evidence"]:
        text = version[span["field"]]
        start, end = (0, len(text)) if span["field"] == "title" else sentence_at(text, span["start"], span["end"])
        sentence = {"start": start, "end": end, "text": text[start:end]}
        spans.append(span | {"words": text[span["start"] : span["end"]], "sentence": sentence})
    return sorted(spans, key=lambda s: (s["field"] == "text", s["start"]))


def _with_superseded(con: duckdb.DuckDBPyConnection, rows: list[Row], id: str) -> list[Row]:
    """The rows, each with what replaced it, or None for the last word."""
    replaced = {s["id"]: s for s in _rows(con, "superseded", "id", [row[id] for row in rows])}
    for row in rows:
        row["superseded"] = replaced.get(row[id])
    return rows


def _with_raw(con: duckdb.DuckDBPyConnection, rows: list[Row], id: str) -> list[Row]:
    """The rows, each with the batch under which its raw bytes lie, or None where none came or they are no longer kept."""
    batches = {row[id]: BatchRef(row["batch_id"], row["stage"]) for row in rows}
    # packs lie by the date of their batch: no other day's are opened
    dates = {batch.date for batch in batches.values()}
    query = (
        f"SELECT owner FROM lake.bodies WHERE date IN ({_marks(dates)}) AND owner IN ({_marks(batches)}) AND content IS NOT NULL"  # noqa: S608
    )
    kept = {owner for (owner,) in con.sql(query, params=[*dates, *batches]).fetchall()}
    for row in rows:
        batch = batches[row[id]]
        row["raw_batch"] = f"{batch.root}-{batch.stage}" if row[id] in kept else None
    return rows


def _same(one: Row, other: Row, *columns: str) -> bool:
    return all(one[c] == other[c] for c in columns)


def _rows(
    con: duckdb.DuckDBPyConnection, table: str, column: str, ids: Iterable[str], *, order: str = "available_at", of: str = "lake"
) -> list[Row]:
    """The rows of which a column is one of these ids, in order; no row for no id."""
    ids = list(ids)
    if not ids:
        return []
    query = f"SELECT * FROM {of}.{table} WHERE {column} IN ({_marks(ids)}) ORDER BY {order}, available_at, batch_id"  # noqa: S608
    found = con.sql(query, params=ids).to_arrow_table().to_pylist()
    return [{name: value for name, value in row.items() if name != "date"} for row in found]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values) or "NULL"
