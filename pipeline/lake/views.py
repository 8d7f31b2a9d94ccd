"""The lake as SQL: views and macros over its files as the watermark divides them, and `news.duckdb`, which holds them. I/O.

Schema `lake` has every row ever written, one view per table (and `bodies`); the views and macros outside it, one file each in
sql/, leave out what is superseded and what was taken down. `available_at` is corrected for batches that were late.

A view says days through which watermark it reads from cold/. Before anything it reads elsewhere is deleted, deleted.parquet says
so, and from then on the view raises an error instead of losing rows.
"""

import json
import secrets
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache, partial
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LakeError
from pipeline.lake import dictionary
from pipeline.lake.durable import fsync, place_file, write_file
from pipeline.lake.layout import SCHEMA_DAY, Lake
from pipeline.lake.literal import quoted
from pipeline.lake.lock import guarded
from pipeline.lake.watermark import Watermark, watermark
from schemas import TABLES, bodies_schema, table_schema
from schemas.columns import UTC_MICROS

#: In this order: a later one may build on an earlier one.
VIEWS = (
    *("to_do", "feeds", "articles", "mentions", "sentiments", "evidence", "companies", "outcomes"),
    *("as_of", "stories", "backtest", "calendars", "sessions", "company_news", "company_day", "movers", "feed_status", "why"),
)

_DELETED = pa.schema(
    [pa.field("hot_through", pa.date32()), pa.field("days_through", pa.date32()), pa.field("marked_at", UTC_MICROS)]
)
_NO_MONTH = f"{SCHEMA_DAY:%Y-%m}"
_OUTDATED = "this connection reads days that have moved since it was opened: close it and open the lake again"
_CORRECTED = """
SELECT t.* REPLACE (coalesce(late.readable_at, t.available_at) AS available_at)
FROM ({files}) t
LEFT JOIN (SELECT late_batch_id, late_stage, max(readable_at) AS readable_at FROM lake.late_commits GROUP BY ALL) late
  ON late.late_batch_id = t.batch_id AND late.late_stage = t.stage
"""


def prepare(lake: Lake) -> None:
    """Gives a lake what its views rest on: a file without rows for every table, the mark of deletion, and news.duckdb."""
    _write_schema_files(lake)
    if not _mark(lake).exists():
        mark_deleted(lake, None, None, None)
    write_news(lake)


def write_news(lake: Lake) -> None:
    """Writes news.duckdb anew where it is not as the lake and this version would have it; a reader keeps the one it opened."""
    with guarded(lake, "news"):
        script = definitions(lake)
        if not is_current(lake, script):
            for left in lake.root.glob(".news.*"):  # by a writer that was killed
                left.unlink()
            aside = lake.root / f".news.{secrets.token_hex(6)}.duckdb"
            try:
                with duckdb.connect(aside, config={"autoinstall_known_extensions": False}) as con:
                    con.execute(script)
                    con.execute(dictionary.comments(con))
                    con.execute("CHECKPOINT")  # closing would do that too, and say nothing where the disk refuses
                if aside.with_name(f"{aside.name}.wal").exists() or not _was_made_by(script, aside):
                    raise duckdb.IOException("it is not all there when read back")
                fsync(aside)
                aside.replace(lake.root / "news.duckdb")
            except duckdb.IOException as error:
                raise LakeError(f"news.duckdb could not be written in {lake.root}, the old one stays: {error}") from error
            finally:
                for left in lake.root.glob(f"{aside.name}*"):
                    left.unlink()
            fsync(lake.root)


def is_current(lake: Lake, script: str) -> bool:
    """Whether news.duckdb is there and was made by this script."""
    return _was_made_by(script, lake.root / "news.duckdb")


def _was_made_by(script: str, path: Path) -> bool:
    with suppress(FileNotFoundError):
        stat = path.stat()
        return _made_by(path, stat.st_ino, stat.st_mtime_ns, stat.st_size) == _digest(script)
    return False


@lru_cache(maxsize=64)
def _made_by(path: Path, *_identity: int) -> str | None:
    """The digest of the script that made a file; a file that was replaced is another one, by its inode, time and size."""
    with suppress(duckdb.Error), duckdb.connect() as con:
        con.execute(f"ATTACH {quoted(path)} AS news (READ_ONLY)")
        found = con.execute("SELECT script FROM news.lake.made_by").fetchall()
        return str(found[0][0]) if len(found) == 1 else None
    return None


def mark_deleted(lake: Lake, hot: date | None, days: date | None, now: datetime | None) -> None:
    """Tells all views that hot days, and cold days of narrow tables, are gone through these dates; what is gone stays gone."""
    with guarded(lake, "deleted"):
        before = deleted_through(lake) if _mark(lake).exists() else (None, None)
        through = [max((d for d in pair if d), default=None) for pair in zip(before, (hot, days), strict=True)]
        table = pa.table({"hot_through": through[:1], "days_through": through[1:], "marked_at": [now]}, schema=_DELETED)
        place_file(_mark(lake), partial(pq.write_table, table))


def deleted_through(lake: Lake) -> tuple[date | None, date | None]:
    """Through when hot days, and cold days of narrow tables, are gone."""
    (row,) = pq.read_table(_mark(lake), partitioning=None).to_pylist()
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
    (row,) = pq.read_table(_mark(lake), partitioning=None).to_pylist()
    at: datetime | None = row.get("marked_at")
    return at


def _mark(lake: Lake) -> Path:
    return lake.root / "deleted.parquet"


def definitions(lake: Lake) -> str:
    """The script that makes the lake's views and macros, with absolute paths and the watermark as it is now."""
    lake = Lake(lake.root.resolve())
    mark, evolved = watermark(lake), lake.evolved()
    names = sorted(TABLES, key=lambda name: (name != "late_commits", name))
    made = [_view(name, _table_files(lake, name, mark, by_name=name in evolved)) for name in names]
    made += [
        _from(name, _table_files(lake, name, mark, by_name=name in evolved, since=True)) for name in names if TABLES[name].narrow
    ]
    packs = _read(lake.root / "raw/*/*/*.parquet", by_name="bodies" in evolved)
    confirmed = f"""
        SELECT parse_path(file)[-2] AS name,
               max(coalesce(TRY_CAST(split_part(parse_filename(file), '.', 2) AS BIGINT), 0)) AS counts_from
        FROM glob({quoted(lake.root / "hot/*/*/confirmed*")})
        GROUP BY ALL HAVING bool_or(parse_filename(file) = 'confirmed')"""
    script = [
        "CREATE SCHEMA IF NOT EXISTS lake",
        *made,
        f"CREATE VIEW lake.bodies AS FROM {packs}",
        f"CREATE VIEW lake.confirmed AS {confirmed}",
        *(_sql(view, mark) for view in VIEWS),
    ]
    text = ";\n".join(script)
    return f"{text};\nCREATE VIEW lake.made_by AS SELECT '{_digest(text)}' AS script;"


def _digest(script: str) -> str:
    text = script.partition(";\nCREATE VIEW lake.made_by")[0] + dictionary.fingerprint()
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _sql(view: str, mark: Watermark) -> str:
    text = files("pipeline.lake").joinpath("sql", f"{view}.sql").read_text()
    text = text.replace("{watermark}", f"DATE '{mark.through}'").replace("{open_from}", f"DATE '{mark.open_from}'")
    return text.strip().removesuffix(";")


def _view(name: str, source: str) -> str:
    exact = name == "late_commits" or TABLES[name].snapshot
    return f"CREATE VIEW lake.{name} AS {source if exact else _CORRECTED.format(files=source)}"


def _from(name: str, source: str) -> str:
    """A macro for the rows of a narrow table from a day on: a view's filter by date opens all files of months before it."""
    return f"CREATE MACRO lake.{name}_from(since) AS TABLE {_CORRECTED.format(files=source)} WHERE t.date >= since"


def _table_files(lake: Lake, name: str, mark: Watermark, *, by_name: bool, since: bool = False) -> str:
    """A query for every row of a table: its closed months and days, then its open days, and the guard against what is deleted.

    `since`: of the months, only those from that of the macro's argument on.
    """
    day, month = f"DATE '{mark.through}'", f"DATE '{mark.months_through}'"
    cold = _read(lake.root / "cold" / name / "date=*" / "data.parquet", by_name=by_name)
    if TABLES[name].snapshot:
        return f"FROM {cold} WHERE date = {day} AND {_guard(lake, mark, narrow=False)}"
    parts = [f"FROM {_read(lake.root / 'hot/*/*' / f'{name}.parquet', by_name=by_name)} WHERE date > {day}"]
    if mark.day:
        after = f" AND date > {month}" if TABLES[name].narrow else ""
        parts.insert(0, f"FROM {cold} WHERE date <= {day}{after}")
    if mark.month and TABLES[name].narrow:
        from_month = " AND month >= strftime(since, '%Y-%m')" if since else ""
        months = _read(lake.root / "cold" / name / "month=*" / "data.parquet", by_name=by_name, key="month", kind="VARCHAR")
        parts.insert(0, f"SELECT * EXCLUDE (month) FROM {months} WHERE month <= '{mark.month}'{from_month}")
    return f"FROM ({' UNION ALL BY NAME '.join(parts)}) WHERE {_guard(lake, mark, narrow=TABLES[name].narrow)}"


def _guard(lake: Lake, mark: Watermark, *, narrow: bool) -> str:
    """A condition that raises once a file this view reads may be deleted.

    An uncorrelated subquery is evaluated also where pruning leaves no file to read; a plain CASE would stay silent then.
    """
    gone = f"max(hot_through) > DATE '{mark.through}'"
    if narrow:
        gone += f" OR max(days_through) > DATE '{mark.months_through}'"
    return f"(SELECT CASE WHEN {gone} THEN error('{_OUTDATED}') ELSE true END FROM read_parquet({quoted(_mark(lake))}))"


def _read(path: Path, *, by_name: bool, key: str = "date", kind: str = "DATE") -> str:
    """All files of a pattern as one table.

    The first file by name is the one without rows that has every column, so its columns are taken and no other file is
    opened for them; only where an older file lacks one of them must they all be.
    """
    return f"read_parquet({quoted(path)}, union_by_name = {by_name}, hive_partitioning = true, hive_types = {{'{key}': {kind}}})"


def lacking(lake: Lake) -> dict[Path, tuple[str, pa.Schema, set[str] | None]]:
    """The files without rows that are not as today: their table, its schema, and the columns they lack; None: no file."""
    schemas = {lake.schema_files("hot") / f"{name}.parquet": (name, table_schema(name)) for name in TABLES}
    schemas |= {lake.cold(name, SCHEMA_DAY): (name, table_schema(name)) for name in TABLES}
    dated = pa.field("date", pa.date32())
    schemas |= {lake.cold(name, _NO_MONTH): (name, table_schema(name).append(dated)) for name, t in TABLES.items() if t.narrow}
    schemas[lake.schema_files("raw") / "bodies.parquet"] = ("bodies", bodies_schema())
    found: dict[Path, tuple[str, pa.Schema, set[str] | None]] = {}
    for path, (name, schema) in schemas.items():
        missing = set(schema.names) - set(pq.read_schema(path).names) if path.exists() else None
        if missing or missing is None:
            found[path] = name, schema, missing
    return found


def _write_schema_files(lake: Lake) -> None:
    """A file without rows for every table and tree, in which later fields appear too.

    A table that got a field after its first file is noted in `evolved.json`: its files are read by name, which is slower.
    """
    for path, (name, schema, missing) in lacking(lake).items():
        if missing:
            write_file(lake.root / "evolved.json", json.dumps(sorted(lake.evolved() | {name})).encode())
        place_file(path, partial(pq.write_table, schema.empty_table()))
