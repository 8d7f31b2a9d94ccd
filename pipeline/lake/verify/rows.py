"""Checks the rows themselves: ids are there once, what is named is there, every entry has one unbroken account. Reads only."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline.lake.commit import note_of
from pipeline.lake.layout import Lake
from pipeline.lake.literal import quoted
from pipeline.lake.store import store_of
from pipeline.lake.verify.finding import Finding, Watch, done_again, error, restored, warning
from pipeline.lake.verify.hot import Sources
from pipeline.lake.verify.marks import Marks
from pipeline.s3 import place_of
from schemas import TABLES, table_schema

#: What tells the rows of a table apart, over the whole lake.
KEYS = {
    "visits": "visit_id",
    "entries": "entry_id, revision",
    "pages": "page_id",
    "outcomes": "entry_id, revision, attempt",
    "articles": "version_id",
    "article_keys": "key",
    "relations": "version_id, other_version_id, kind",
    "taggings": "tagging_id",
    "mentions": "tagging_id, field, start",
    "sentiments": "tagging_id, company_id",
}
MEMORY = "1GB"


_GONE = "IN (SELECT id FROM forgotten)"
#: Tombstones name articles; their outcomes stay and tell which versions those had. Nothing tells which taggings.
_GONE_VERSION = f"IN (SELECT version_id FROM outcomes WHERE version_id IS NOT NULL AND article_id {_GONE})"
_ANY_GONE = "EXISTS (FROM forgotten)"


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of one table that name rows of another, `unless` what they name was taken down."""

    table: str
    columns: str
    target: str
    unless: str
    where: str = "true"
    of_target: str = ""

    def __str__(self) -> str:
        return f"{self.table} ({self.columns}) in {self.target}"


_VERSIONS, _TAGGINGS = "what = 'version'", "what = 'tagging'"
REFERENCES = (
    Reference("outcomes", "entry_id, revision", "entries", f"entry_id {_GONE}"),
    Reference("outcomes", "version_id", "articles", f"article_id {_GONE}", "version_id IS NOT NULL"),
    Reference("outcomes", "article_id", "articles", f"article_id {_GONE}", "article_id IS NOT NULL"),
    Reference("pages", "entry_id, revision", "entries", f"entry_id {_GONE}"),
    Reference("articles", "entry_id, revision", "entries", f"entry_id {_GONE}"),
    Reference("article_keys", "article_id", "articles", f"article_id {_GONE}"),
    Reference("relations", "version_id", "articles", f"article_id {_GONE}"),
    Reference("relations", "other_version_id", "articles", f"other_article_id {_GONE}", of_target="version_id"),
    Reference("taggings", "version_id", "articles", f"article_id {_GONE}"),
    Reference("mentions", "tagging_id", "taggings", f"article_id {_GONE}"),
    Reference("sentiments", "tagging_id", "taggings", f"article_id {_GONE}"),
    Reference("superseded", "id", "articles", f"id {_GONE_VERSION}", _VERSIONS, "version_id"),
    Reference("superseded", "replaced_by", "articles", f"replaced_by {_GONE_VERSION}", _VERSIONS, "version_id"),
    Reference("superseded", "id", "taggings", _ANY_GONE, _TAGGINGS, "tagging_id"),
    Reference("superseded", "replaced_by", "taggings", _ANY_GONE, _TAGGINGS, "tagging_id"),
)


def check_rows(lake: Lake, marks: Marks, sources: Sources, now: datetime, watch: Watch) -> Iterator[Finding]:
    """Compares rows over the whole lake; what rests on a table of which rows are lost is left out, and that is said."""
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as spill, open_tables(lake, marks, sources, Path(spill)) as con:
        steps = len(KEYS) + len({r.target for r in REFERENCES}) + 3
        doubled: Counter[tuple[str, str, str]] = Counter()
        for number, table in enumerate(KEYS):
            watch("rows", number, steps)
            doubled += _doubled(con, lake, table)
        yield from _twice(lake, doubled)
        for number, target in enumerate(sorted({r.target for r in REFERENCES}), len(KEYS)):
            watch("rows", number, steps)
            references = [r for r in REFERENCES if r.target == target]
            left_out = [r for r in references if sources.lost & {r.table, target, "forgotten"}]
            skipped += map(str, left_out)
            yield from _lost(con, target, [r for r in references if r not in left_out])
        for needed, check in (({"outcomes", "entries"}, _account), ({"taggings", "mentions"}, _tagged), (set(), _erased(lake))):
            watch("rows", steps - 1, steps)
            if needed & sources.lost:
                skipped.append(" and ".join(sorted(needed)))
            else:
                yield from check(con, now)
    if skipped:
        problem = f"rows of {', '.join(sorted(sources.lost))} cannot be read, so these were not compared: {'; '.join(skipped)}"
        yield warning("unchecked", "lake", problem, "mend what else is named here, and call `newsmill lake verify` again")


def open_tables(lake: Lake, marks: Marks, sources: Sources, spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table over its sound files, each row with the `filename` it lies in."""
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "memory_limit": MEMORY, "temp_directory": str(spill)})
    store_of(lake.root).let_read(con, lake.root)
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    for table in TABLES:
        con.register(f"no_{table}", table_schema(table).empty_table())
        files = ", ".join(map(quoted, sources.files[table]))
        read = f"read_parquet([{files}], union_by_name = {table in marks.evolved}, hive_partitioning = false, filename = true)"
        rows = f" UNION ALL BY NAME FROM {read}" if files else ""
        con.execute(f"CREATE VIEW {table} AS SELECT *, NULL::VARCHAR AS filename FROM no_{table}{rows}")
    return con


def _doubled(con: duckdb.DuckDBPyConnection, lake: Lake, table: str) -> Counter[tuple[str, str, str]]:
    """How many rows of a table are there more than once: by the place of the later one, that of the first, and table."""
    keys = KEYS[table]
    hashes = f"SELECT hash({keys}) FROM {table} GROUP BY 1 HAVING count(*) > 1"  # small for millions of rows; then exactly
    rows = con.execute(f"""
        SELECT list(filename) FROM {table} WHERE hash({keys}) IN ({hashes}) GROUP BY {keys} HAVING count(*) > 1
    """).fetchall()
    found: Counter[tuple[str, str, str]] = Counter()
    for (files,) in rows:
        first, *others = sorted((_holder(lake, file) for file in files), key=lambda place: (place.startswith("hot/"), place))
        found.update((other, first, table) for other in others)
    return found


def _holder(lake: Lake, file: str) -> str:
    """What is restored or moved as one: a hot directory, or a file of cold/."""
    name = place_of(file).relative_to(lake.root)
    return str(name.parent if name.parts[0] == "hot" else name)


def _twice(lake: Lake, doubled: Counter[tuple[str, str, str]]) -> Iterator[Finding]:
    for place, first in sorted({(place, first) for place, first, _ in doubled}):
        here = {table: n for (p, f, table), n in sorted(doubled.items()) if (p, f) == (place, first)}
        rows = ", ".join(f"{n:,} {table}" for table, n in here.items())
        problem = f"holds rows twice: {rows}" if place == first else f"holds what {first} holds already: {rows}"
        yield error("doubled", place, problem, _single(lake, place, first, here))


def _single(lake: Lake, place: str, first: str, doubled: dict[str, int]) -> str:
    """How rows that are there twice come to be there once."""
    if place == first or not place.startswith("hot/"):
        return restored(place)
    held = {table: n for table, n in note_of(lake.root / place)["rows"].items() if n}
    if held == doubled:
        return f"move {place} out of the lake: {first} holds all its rows"
    return done_again(lake, place, Path(place).name) or restored(f"{first} and {place}")


def _lost(con: duckdb.DuckDBPyConnection, target: str, references: list[Reference]) -> Iterator[Finding]:
    """The rows of a table that others name and that are not there."""
    named: list[str] = []
    batches: set[str] = set()
    for r in references:
        pairs = zip(r.columns.split(", "), (r.of_target or r.columns).split(", "), strict=True)
        rows, found, example = con.execute(f"""
            SELECT count(*), list(DISTINCT batch_id || '-' || stage), min(concat_ws(' ', {r.columns}))
            FROM {r.table} t ANTI JOIN {target} o ON {" AND ".join(f"t.{a} = o.{b}" for a, b in pairs)}
            WHERE {r.where} AND NOT ({r.unless})
        """).fetchone() or (0, [], "")
        if rows:
            named.append(f"{rows:,} of {r.table} ({r.columns}: {example})")
            batches.update(found)
    if named:
        problem = f"lacks rows that others name, {', '.join(named)}; {_some(sorted(batches))}"
        yield error("reference", target, problem, restored(f"the files of {target} that held them"))


def _some(batches: list[str]) -> str:
    return "they are of " + ", ".join(batches[:3]) + (f" and {len(batches) - 3:,} more" if len(batches) > 3 else "")


def _account(con: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[Finding]:
    """Every entry revision has attempts 1 to n, none after a final one but to read a page again, and waits for a day at most."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE account AS
        SELECT entry_id, revision, list_sort(list(DISTINCT attempt)) AS attempts, max(attempt) AS last, min(attempt) AS first,
               count(DISTINCT attempt) AS made, min(attempt) FILTER (final) AS final_at,
               max(attempt) FILTER (reread IS NOT TRUE) AS last_own, arg_max_null(due_at, attempt) AS due_at
        FROM outcomes GROUP BY ALL
    """)
    checks = {
        "gap": ("attempts that are not 1 to n", "first <> 1 OR last <> made"),
        "after_final": ("attempts after a final one", "final_at < last_own"),
        "stuck": ("a last attempt that is neither final nor due again", "final_at IS NULL AND due_at IS NULL"),
    }
    remedies = {
        "gap": restored("the files of outcomes that held them", "nothing else is lost: the last attempt counts"),
        "after_final": "none is needed for reading: the last attempt counts",
        "stuck": restored("the files of outcomes that said when"),
    }
    for kind, (what, where) in checks.items():
        n, example, attempts = con.execute(f"""
            SELECT count(*), min(entry_id || ' ' || revision), arg_min(attempts, entry_id || ' ' || revision)
            FROM account WHERE {where}
        """).fetchone() or (0, "", [])
        if n:
            numbers = ", ".join(map(str, attempts))
            yield error(kind, "outcomes", f"{n:,} entry revisions have {what}, {example} for one: {numbers}", remedies[kind])
    yield from _waiting(con, now)


def _waiting(con: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[Finding]:
    n, since, example = con.execute(
        """
        SELECT count(*), min(since), arg_min(entry_id, since) FROM (
            SELECT e.entry_id, CASE WHEN a.entry_id IS NULL THEN e.seen_at ELSE a.due_at END AS since
            FROM entries e LEFT JOIN account a USING (entry_id, revision)
            WHERE (a.entry_id IS NULL OR a.final_at IS NULL) AND e.entry_id NOT IN (SELECT id FROM forgotten)
        ) WHERE since < $now::TIMESTAMPTZ - INTERVAL 1 DAY
        """,
        {"now": now},
    ).fetchone() or (0, None, "")
    if n:
        problem = f"{n:,} entry revisions have been due for over a day, the oldest since {since:%Y-%m-%d %H:%M} UTC: {example}"
        yield warning("waiting", "outcomes", problem, "`newsmill run` reads what is due")


def _tagged(con: duckdb.DuckDBPyConnection, _now: datetime) -> Iterator[Finding]:
    """A run of the taggers has as many mentions as it says."""
    n, example, batches = con.execute("""
        SELECT count(*), min(tagging_id), list(DISTINCT batch_id || '-' || stage ORDER BY batch_id || '-' || stage) FROM (
            SELECT t.tagging_id, t.batch_id, t.stage FROM taggings t
            LEFT JOIN (SELECT tagging_id, count(DISTINCT (field, start)) AS found FROM mentions GROUP BY 1) m USING (tagging_id)
            WHERE t.mentions <> coalesce(m.found, 0) AND t.article_id NOT IN (SELECT id FROM forgotten)
        )
    """).fetchone() or (0, "", [])
    if n:
        problem = f"{n:,} taggings say another number of mentions than there are, {example} for one; {_some(batches)}"
        yield error("mentions", "taggings", problem, restored("the files of mentions that held them"))


def _erased(lake: Lake) -> Callable[[duckdb.DuckDBPyConnection, datetime], Iterator[Finding]]:
    """Every takedown has been brought to its end: its words are out of the files."""

    def check(con: duckdb.DuckDBPyConnection, _now: datetime) -> Iterator[Finding]:
        path = lake.root / "erased.json"
        batches = {name for (name,) in con.execute("SELECT DISTINCT batch_id || '-' || stage FROM forgotten").fetchall()}
        try:
            state = json.loads(path.read_text()) if path.exists() else {"done": [], "rewriting": []}
            left = batches - set(state["done"])
        except (ValueError, KeyError, TypeError):
            yield error("takedown", "erased.json", "is damaged", "delete it and call `newsmill lake close`: all is erased again")
            return
        if left or state["rewriting"]:
            problem = f"{len(left):,} takedowns are not at their end: their words may still be in files"
            yield warning("takedown", "erased.json", problem, "`newsmill lake close` erases them")

    return check
