"""Many small files of a table as one: sorted, zstd, every row once; and the snapshot of all feeds at the close of a day. I/O."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from pipeline import __version__
from pipeline.errors import LossError
from pipeline.lake.durable import sha256
from pipeline.lake.literal import quoted
from pipeline.lake.watermark import Written
from schemas import TABLES, table_schema
from schemas.feed import Visit

#: DuckDB writes what does not fit here to the disk; a day of 3,000 articles needs about half of it.
MEMORY = "300MB"
#: A feed that moves an entry out of its document and back in is recognised for so many entries, or twice its document.
LEAST_KNOWN = 50


@dataclass(frozen=True, slots=True)
class Compactor:
    """Writes into a directory aside; `evolved` names the tables whose older files lack a column."""

    con: duckdb.DuckDBPyConnection
    aside: Path
    evolved: frozenset[str]

    @staticmethod
    def open(aside: Path, evolved: set[str]) -> "Compactor":
        con = duckdb.connect(config={"autoinstall_known_extensions": False, "memory_limit": MEMORY})
        # opening files takes most of the time, so tables are merged side by side, each by one thread
        con.execute("SET threads = 1; SET preserve_insertion_order = false")
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        con.execute(f"SET temp_directory = {quoted(aside / 'spill')}")
        return Compactor(con, aside, frozenset(evolved))

    def merge(self, table: str, sources: Sequence[Path], said: int, *, dated: bool = False) -> Written:
        """One file of all rows in `sources`, the first of which has every column; `dated` adds the day each lies under.

        Raises:
            LossError: there are not `said` rows in them.
        """
        return self.write(table, f"FROM {self._read(table, sources, dated=dated)}", said)

    def feed_state(self, visits: Sequence[Path], entries: Sequence[Path], before: Sequence[Path], stamp: "Stamped") -> Written:
        """The snapshot that follows from the one before and a day's visits and entries; each source list has a file at least."""
        query = _FEED_STATE.format(
            visits=self._read("visits", visits),
            entries=self._read("entries", entries),
            before=self._read("feed_state", before),
            visit=", ".join(f"{f.name} := {f.name}" for f in fields(Visit)),
            least=LEAST_KNOWN,
            batch_id=stamp.batch_id,
            version=__version__,
            at=stamp.at.isoformat(),
        )
        return self.write("feed_state", query)

    def left_to_do(self, entries: list[Path], articles: list[Path], outcomes: list[Path], taggings: list[Path]) -> bool:
        """Whether one of the entries has no last word among the outcomes, or an article version no tagging."""
        waiting = self._without("entries", entries, "entry_id, revision", "outcomes", outcomes, "WHERE final")
        return waiting or self._without("articles", articles, "version_id", "taggings", taggings)

    def _without(self, table: str, came: list[Path], key: str, by: str, ended: list[Path], only: str = "") -> bool:
        if not came or not ended:
            return bool(came)
        rest = f"ANTI JOIN (SELECT {key} FROM {self._read(by, ended)} {only}) USING ({key})"
        return self.con.execute(f"SELECT 1 FROM {self._read(table, came)} {rest} LIMIT 1").fetchone() is not None

    def _read(self, table: str, sources: Sequence[Path], *, dated: bool = False) -> str:
        listed = ", ".join(map(quoted, sources))
        dates = "true, hive_types = {'date': DATE}" if dated else "false"
        return f"read_parquet([{listed}], union_by_name = {table in self.evolved}, hive_partitioning = {dates})"

    def write(self, table: str, query: str, said: int | None = None) -> Written:
        """The file of a table, of a query's rows."""
        path = self.aside / f"{table}.parquet"
        order = ", ".join(TABLES[table].sorted_by)
        how = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 20000, KV_METADATA {_said(table)}"
        done = self.con.cursor().execute(f"COPY (SELECT * FROM ({query}) ORDER BY {order}) TO {quoted(path)} ({how})").fetchone()
        rows = int(done[0]) if done else 0
        if said is not None and rows != said:
            raise LossError(
                f"{table}: its files hold {rows} rows and their batches say {said}; nothing was closed. "
                f"`newsmill lake verify` names the files"
            )
        return Written(rows, path.stat().st_size, sha256(path))


@dataclass(frozen=True, slots=True)
class Stamped:
    """What the rows of a snapshot carry of the closing that made it."""

    batch_id: str
    at: datetime


_FEED_STATE = """
WITH before AS (FROM {before}),
visits AS (
    SELECT feed_id, last_visit AS visit, document_entries AS seen FROM before
    UNION ALL BY NAME
    SELECT feed_id, struct_pack({visit}) AS visit, entries_seen AS seen FROM {visits} WHERE stage <> 'push'
),
feeds AS (
    SELECT feed_id, arg_max(visit, visit.visited_at) AS last_visit,
           coalesce(arg_max(seen, visit.visited_at) FILTER (seen > 0), 0) AS document_entries
    FROM visits GROUP BY feed_id
),
revisions AS (
    SELECT feed_id, unnest(known, max_depth := 2) FROM before
    UNION ALL BY NAME
    SELECT feed_id, entry_id, revision, wording, seen_at, coalesce(number, 1) AS number FROM {entries}
),
known AS (
    SELECT feed_id, entry_id, arg_max(revision, (seen_at, number)) AS revision, arg_max(wording, (seen_at, number)) AS wording,
           max(seen_at) AS seen_at, max(number) AS number
    FROM revisions GROUP BY ALL
),
newest AS (
    SELECT known.* FROM known JOIN feeds USING (feed_id)
    QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY seen_at DESC, entry_id) <= greatest({least}, 2 * document_entries)
)
SELECT feed_id, last_visit, document_entries,
       coalesce(list({{entry_id: entry_id, revision: revision, wording: wording, seen_at: seen_at, number: number}}
                     ORDER BY seen_at DESC, entry_id) FILTER (entry_id IS NOT NULL), []) AS known,
       '{batch_id}' AS batch_id, 'close' AS stage, '{version}' AS pipeline_version, TIMESTAMPTZ '{at}' AS available_at
FROM feeds LEFT JOIN newest USING (feed_id)
GROUP BY ALL
"""


def _said(table: str) -> str:
    """What a file says of itself; DuckDB writes no metadata of single columns, so their meanings stand here, too."""
    schema = table_schema(table)
    said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    said["newsmill.columns"] = json.dumps({field.name: field.metadata[b"description"].decode() for field in schema})
    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in said.items()) + "}"
