"""The lake that another one is made from: its batches in the order of their commits, their rows, their raw bytes. Only reads it.

Rows are read a day at a time, over a connection that is opened anew where the lake has moved on meanwhile.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake.connect import connect
from pipeline.lake.durable import fsync, make_dirs, place_file
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.rows import Tables
from pipeline.lake.watermark import Watermark, watermark
from schemas import TABLES
from schemas.columns import arrow_schema

#: What each lake has of its own: snapshots, corrections of its own times; tombstones are committed before all else.
OWN = ("feed_state", "late_commits", "forgotten")
DERIVED = tuple(name for name in TABLES if name not in OWN)
#: Batches of two days are committed side by side around midnight.
_DAYS_AT_ONCE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Part:
    """What one commit of a stage added: its day, from when it could be read, and whether raw bytes belong to it."""

    ref: BatchRef
    day: date
    news_at: datetime
    asked: bool


class Origin:
    """Reads a lake for another one."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._days: dict[tuple[str, date], pa.Table] = {}
        self._opened: tuple[Watermark, duckdb.DuckDBPyConnection] | None = None

    def parts(self, until: date) -> list[Part]:
        """What was committed up to a day, in the order in which it was decided."""
        found = self.ask(_PARTS, until=until)
        parts = [Part(BatchRef(r["batch_id"], r["stage"]), r["date"], r["news_at"], r["asked"]) for r in found]
        if (self.lake.root / "replay.json").exists():  # its own times are those of that replay
            known = {r["batch_id"]: r["news_at"] for r in self.ask(_NEWS_AT)}
            parts = [Part(p.ref, p.day, known.get(p.ref.batch_id, p.news_at), p.asked) for p in parts]
        return parts

    def has_bytes(self, part: Part) -> bool:
        """Whether the raw bytes that belong to it have not expired."""
        return not part.asked or any(self.lake.raw(part.ref).glob("*.parquet"))

    def rows(self, table: str, part: Part) -> pa.Table:
        """The rows that a part added to a table, without what their commit stamped on them."""
        if (table, part.day) not in self._days:
            self._days = {key: rows for key, rows in self._days.items() if key[1] > part.day - _DAYS_AT_ONCE}
            query = f"SELECT * FROM lake.{table} WHERE date = $day"
            self._days[table, part.day] = self._con().sql(query, params={"day": part.day}).to_arrow_table()
        rows = self._days[table, part.day]
        mine = pc.and_(pc.equal(rows["batch_id"], part.ref.batch_id), pc.equal(rows["stage"], part.ref.stage))
        return rows.filter(mine).select(arrow_schema(TABLES[table].row).names)

    def all_rows(self, part: Part) -> Tables:
        return {table: self.rows(table, part) for table in DERIVED}

    def ask(self, query: str, **asked: Any) -> list[dict[str, Any]]:
        found: pa.Table = self._con().sql(query, params=asked).to_arrow_table()
        return found.to_pylist()

    def _con(self) -> duckdb.DuckDBPyConnection:
        mark = watermark(self.lake)
        if not self._opened or self._opened[0] != mark:
            if self._opened:
                self._opened[1].close()
            self._opened = mark, connect(self.lake.root)
        return self._opened[1]

    def give_bytes(self, part: Part, lake: Lake) -> None:
        """Puts the packs of a part's batch into another lake: as links where they can be, as no pack is ever changed in place."""
        for pack in sorted(self.lake.raw(part.ref).glob("*.parquet")):
            place = lake.raw(part.ref) / pack.name
            if not place.exists():
                make_dirs(place.parent)
                try:
                    os.link(pack, place)
                    fsync(place.parent)
                except OSError:  # another file system, or one without links
                    place_file(place, partial(shutil.copy2, pack))


_PARTS = f"""
WITH parts AS ({
    " UNION ALL ".join(
        f"SELECT batch_id, stage, date, min(available_at) AS readable, {name in ('visits', 'pages')} AS asked"
        f" FROM lake.{name} WHERE date <= $until GROUP BY ALL"
        for name in DERIVED
    )
})
SELECT p.batch_id, p.stage, p.date, min(readable) AS news_at, bool_or(asked) AS asked
FROM parts p LEFT JOIN lake.late_commits l ON l.late_batch_id = p.batch_id AND l.late_stage = p.stage
GROUP BY p.batch_id, p.stage, p.date
ORDER BY coalesce(min(l.stamped_at), min(readable)), p.stage, p.batch_id
"""
_NEWS_AT = """
SELECT a.batch_id, min(t.news_at) AS news_at FROM lake.articles a JOIN lake.taggings t USING (version_id) GROUP BY ALL
"""
