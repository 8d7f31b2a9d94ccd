"""Opens a lake for questions: a DuckDB connection with its tables and views. Reads only.

Schema `lake` has every row ever written, one view per table (and `bodies`); the views outside it, one file each in
sql/, leave out what is superseded. `available_at` is corrected for batches that were late.
"""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.lake.layout import Lake
from pipeline.settings import Settings
from schemas import TABLES, bodies_schema, table_schema

#: In this order: a later one may build on an earlier one.
VIEWS = ("articles", "mentions", "sentiments", "evidence", "companies", "outcomes", "feeds")


def connect(lake: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A connection in memory whose views read the lake's files as they are at each query.

    Without an argument it opens the lake that `newsmill` would: NEWSMILL_LAKE, else run/wire/lake.

    Raises:
        LakeError: there is no lake, or newer code wrote it.
    """
    place = Lake(Path(lake or Settings.from_env(os.environ).lake).resolve())
    place.check()
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; CREATE SCHEMA lake")
    evolved = place.evolved()
    _view(con, "late_commits", place.root / "hot", table_schema("late_commits"), by_name="late_commits" in evolved)
    for name in TABLES.keys() - {"late_commits"}:
        _view(con, name, place.root / "hot", table_schema(name), _CORRECTED, by_name=name in evolved)
    _view(con, "bodies", place.root / "raw", bodies_schema(), file="*", by_name="bodies" in evolved)
    for view in VIEWS:
        con.execute(files("pipeline.lake").joinpath("sql", f"{view}.sql").read_text())
    return con


_CORRECTED = """
SELECT t.* REPLACE (coalesce(late.readable_at, t.available_at) AS available_at)
FROM {files} t
LEFT JOIN (SELECT late_batch_id, late_stage, max(readable_at) AS readable_at FROM lake.late_commits GROUP BY ALL) late
  ON late.late_batch_id = t.batch_id AND late.late_stage = t.stage
"""


def _view(
    con: duckdb.DuckDBPyConnection, name: str, tree: Path, schema: pa.Schema, query: str = "FROM {files}", **how: Any
) -> None:
    """A view over all files of a table; an empty table with its columns where there is no file yet.

    The first file by name is the one without rows that has every column, so its columns are taken and no other file is
    opened here; only where an older file lacks one of them must they all be.
    """
    pattern = f"*/*/{how.get('file', name)}.parquet"
    first = tree / "date=1970-01-01" / "schema" / f"{name}.parquet"
    if not first.exists() and next(tree.glob(pattern), None) is None:
        con.register("nothing", schema.append(pa.field("date", pa.date32())).empty_table())
        con.execute(f"CREATE TABLE lake.{name} AS FROM nothing")
        con.unregister("nothing")
        return
    path = str(tree / pattern).replace("'", "''")
    files = f"read_parquet('{path}', union_by_name = {how['by_name']}, hive_partitioning = true, hive_types = {{'date': DATE}})"
    con.execute(f"CREATE VIEW lake.{name} AS " + query.format(files=files))
