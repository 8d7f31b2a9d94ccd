"""What the lake's views rest on: `news.duckdb`, which holds them, files without rows, and the mark of what is deleted. I/O."""

import io
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LakeError
from pipeline.lake import dictionary
from pipeline.lake.definitions import definitions, digest, make
from pipeline.lake.durable import place_file, write_file
from pipeline.lake.layout import SCHEMA_DAY, Lake
from pipeline.lake.literal import quoted
from pipeline.lake.lock import guarded
from pipeline.lake.store import store_of
from pipeline.s3 import readable
from schemas import TABLES, bodies_schema, table_schema
from schemas.columns import UTC_MICROS

_DELETED = pa.schema(
    [pa.field("hot_through", pa.date32()), pa.field("days_through", pa.date32()), pa.field("marked_at", UTC_MICROS)]
)
_NO_MONTH = f"{SCHEMA_DAY:%Y-%m}"


def prepare(lake: Lake, *, thoroughly: bool = False) -> None:
    """Gives a lake what its views rest on: a file without rows for every table, the mark of deletion, and news.duckdb.

    `thoroughly`: looks for every column, also where this very version made news.duckdb.
    """
    # each stage of each batch begins so: mostly the files need only be there
    if (
        not thoroughly
        and all(path.exists() for path in (_mark(lake), *_without_rows(lake)))
        and is_current(lake, definitions(lake))
    ):
        return
    _write_schema_files(lake)
    if not _mark(lake).exists():
        mark_deleted(lake, None, None, None)
    write_news(lake)


def write_news(lake: Lake) -> None:
    """Writes news.duckdb anew where it is not as the lake and this version would have it; a reader keeps the one it opened."""
    with guarded(lake, "news"):
        script = definitions(lake)
        if not is_current(lake, script):
            store = store_of(lake.root)
            with store.scratch(lake.root, "news") as scratch:
                aside = scratch / "news.duckdb"
                try:
                    with duckdb.connect(aside, config={"autoinstall_known_extensions": False}) as con:
                        store.let_read(con, lake.root)
                        make(con, script)
                        con.begin()
                        con.execute(dictionary.comments(con))
                        con.commit()
                        con.execute("CHECKPOINT")  # closing would do that too, and say nothing where the disk refuses
                    if aside.with_name(f"{aside.name}.wal").exists() or not _was_made_by(script, aside):
                        raise duckdb.IOException("it is not all there when read back")
                    store.bring_file(aside, lake.root / "news.duckdb")
                except duckdb.IOException as error:
                    raise LakeError(f"news.duckdb could not be written in {lake.root}, the old one stays: {error}") from error


def attach(con: duckdb.DuckDBPyConnection, lake: Lake, script: str) -> bool:
    """Lets a connection use news.duckdb; False where there is none or it was not made by this script."""
    try:
        with store_of(lake.root).local(lake.root / "news.duckdb") as path:
            con.execute(f"ATTACH {quoted(path)} AS news (READ_ONLY)")
    except (FileNotFoundError, duckdb.Error):
        return False
    with suppress(duckdb.Error):
        if con.execute("SELECT script FROM news.lake.made_by").fetchall() == [(digest(script),)]:
            con.execute("USE news")
            return True
    con.execute("DETACH news")
    return False


def is_current(lake: Lake, script: str) -> bool:
    """Whether news.duckdb is there and was made by this script."""
    return _was_made_by(script, lake.root / "news.duckdb")


def _was_made_by(script: str, path: Path) -> bool:
    with suppress(FileNotFoundError):
        stat = path.stat()
        return _made_by(path, stat.st_ino, stat.st_mtime_ns, stat.st_size) == digest(script)
    return False


@lru_cache(maxsize=64)
def _made_by(path: Path, *_identity: int) -> str | None:
    """The digest of the script that made a file; a file that was replaced is another one, by its inode, time and size."""
    with suppress(duckdb.Error), duckdb.connect() as con, store_of(path).local(path) as local:
        con.execute(f"ATTACH {quoted(local)} AS news (READ_ONLY)")
        found = con.execute("SELECT script FROM news.lake.made_by").fetchall()
        return str(found[0][0]) if len(found) == 1 else None
    return None


def mark_deleted(lake: Lake, hot: date | None, days: date | None, now: datetime | None) -> None:
    """Tells all views that hot days, and cold days of narrow tables, are gone through these dates; what is gone stays gone."""
    with guarded(lake, "deleted"):
        seen = store_of(lake.root).seen([_mark(lake)])
        before = deleted_through(lake) if _mark(lake).exists() else (None, None)
        through = [max((d for d in pair if d), default=None) for pair in zip(before, (hot, days), strict=True)]
        table = pa.table({"hot_through": through[:1], "days_through": through[1:], "marked_at": [now]}, schema=_DELETED)
        pq.write_table(table, said := io.BytesIO())
        store_of(lake.root).write_file(_mark(lake), said.getvalue(), seen)


def deleted_through(lake: Lake) -> tuple[date | None, date | None]:
    """Through when hot days, and cold days of narrow tables, are gone."""
    (row,) = pq.read_table(readable(_mark(lake)), partitioning=None).to_pylist()
    return row["hot_through"], row["days_through"]


def turn_away(lake: Lake, through: date, now: datetime) -> None:
    """Lets views older than the closing of a day raise their error.

    Of a directory that came too late they would show the rows, and those of its work done again as well.
    """
    hot, days = deleted_through(lake)
    if not hot or hot < through:
        write_news(lake)
        mark_deleted(lake, through, days, now)


def marked_at(lake: Lake) -> datetime | None:
    """When the mark of deletion was last moved; None where it never was, or by older code."""
    (row,) = pq.read_table(readable(_mark(lake)), partitioning=None).to_pylist()
    at: datetime | None = row.get("marked_at")
    return at


def _mark(lake: Lake) -> Path:
    return lake.root / "deleted.parquet"


def lacking(lake: Lake) -> dict[Path, tuple[str, pa.Schema, set[str] | None]]:
    """The files without rows that are not as today: their table, its schema, and the columns they lack; None: no file."""
    schemas = _without_rows(lake)
    found: dict[Path, tuple[str, pa.Schema, set[str] | None]] = {}
    with ThreadPoolExecutor(8) as pool:  # in S3, one after the other would take a second
        there = pool.map(_columns, schemas)
        known = dict(zip(schemas, there, strict=True))
    for path, (name, schema) in schemas.items():
        had = known[path]
        missing = None if had is None else set(schema.names) - had
        if missing or missing is None:
            found[path] = name, schema, missing
    return found


@lru_cache(maxsize=4)
def _without_rows(lake: Lake) -> Mapping[Path, tuple[str, pa.Schema]]:
    """The files without rows as they should be: their table and its schema."""
    schemas = {lake.schema_files("hot") / f"{name}.parquet": (name, table_schema(name)) for name in TABLES}
    schemas |= {lake.cold(name, SCHEMA_DAY): (name, table_schema(name)) for name in TABLES}
    dated = pa.field("date", pa.date32())
    schemas |= {lake.cold(name, _NO_MONTH): (name, table_schema(name).append(dated)) for name, t in TABLES.items() if t.narrow}
    schemas[lake.schema_files("raw") / "bodies.parquet"] = ("bodies", bodies_schema())
    return schemas


def _write_schema_files(lake: Lake) -> None:
    """A file without rows for every table and tree, in which later fields appear too.

    A table that got a field after its first file is noted in `evolved.json`: its files are read by name, which is slower.
    """
    for path, (name, schema, missing) in lacking(lake).items():
        if missing:
            write_file(lake.root / "evolved.json", json.dumps(sorted(lake.evolved() | {name})).encode())
        place_file(path, partial(pq.write_table, schema.empty_table()))


def _columns(path: Path) -> set[str] | None:
    try:
        return set(pq.read_schema(readable(path)).names)
    except FileNotFoundError:
        return None
