"""The lake as SQL: the script of its views and macros over its files, as the watermark divides them. Reads the watermark alone.

Schema `lake` has every row ever written, one view per table (and `bodies`); the views and macros outside it, one file each in
sql/, leave out what is superseded and what was taken down. `available_at` is corrected for batches that were late.

Each table is read from its closed months and days in cold/ and its open days in hot/. A view says days through which watermark it
reads from cold/. Before anything it reads elsewhere is deleted, deleted.parquet says so, and from then on it raises an error
instead of losing rows. Closed days of small tables are copied, into schema `closed`.
"""

from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import duckdb

from pipeline.lake import dictionary
from pipeline.lake.layout import Lake
from pipeline.lake.literal import quoted
from pipeline.lake.store import store_of
from pipeline.lake.watermark import Watermark, watermark
from schemas import TABLES

#: In this order: a later one may build on an earlier one.
VIEWS = (
    *("to_do", "feeds", "articles", "mentions", "sentiments", "evidence", "companies", "outcomes"),
    *("as_of", "stories", "backtest", "calendars", "sessions", "judged", "company_news"),
    *("company_day", "movers", "feed_status", "why"),
)

_OUTDATED = "this connection reads days that have moved since it was opened: close it and open the lake again"
_CORRECTED = """
SELECT t.* REPLACE (coalesce(late.readable_at, t.available_at) AS available_at)
FROM ({files}) t LEFT JOIN {late} late ON late.late_batch_id = t.batch_id AND late.late_stage = t.stage"""
#: Of a batch the last correction counts.
_LATE = "(SELECT late_batch_id, late_stage, max(readable_at) AS readable_at FROM {} GROUP BY ALL)"


def definitions(lake: Lake) -> str:
    """The script, with absolute paths and the watermark as it is now."""
    return _script(lake.root.resolve(), watermark(lake), frozenset(lake.evolved()))


@lru_cache(maxsize=4)
def _script(root: Path, mark: Watermark, evolved: frozenset[str]) -> str:
    source = _Source(Lake(root), mark, evolved)
    late = f"({source.unguarded('late_commits')})"
    names = sorted(name for name in TABLES if name != "late_commits")
    narrow = [name for name in names if TABLES[name].narrow]
    confirmed = f"""
        SELECT parse_path(file)[-2] AS name,
               max(coalesce(TRY_CAST(split_part(parse_filename(file), '.', 2) AS BIGINT), 0)) AS counts_from
        FROM glob({quoted(source.lake.root / "hot/*/*/confirmed*")})
        GROUP BY ALL HAVING bool_or(parse_filename(file) = 'confirmed')"""
    script = [
        "CREATE SCHEMA IF NOT EXISTS lake; CREATE SCHEMA IF NOT EXISTS closed",
        f"CREATE VIEW lake.late_commits AS {source.rows('late_commits')}",
        # a day is closed once its batches are settled: nothing that comes later corrects them
        f"CREATE TABLE closed.late AS FROM {_LATE.format(late)}",
        *(f"CREATE TABLE closed.{name} AS {source.closed(name)} ORDER BY date" for name in names if TABLES[name].copied),
        *(f"CREATE VIEW lake.{name} AS {source.rows(name)}" for name in names),
        *(f"CREATE MACRO lake.{name}_from(since) AS TABLE {source.rows(name, since=True)}" for name in narrow),
        f"CREATE VIEW lake.gone AS {source.gone()}",
        f"CREATE VIEW lake.bodies AS FROM {_read(source.lake.root / 'raw/*/*/*.parquet', by_name='bodies' in source.evolved)}",
        f"CREATE VIEW lake.confirmed AS {confirmed}",
        *(source.sql(view) for view in VIEWS),
    ]
    text = ";\n".join(script)
    return f"{text};\nCREATE VIEW lake.made_by AS SELECT '{digest(text)}' AS script;"


def make(con: duckdb.DuckDBPyConnection, script: str) -> None:
    """Runs the script, as a whole or not at all.

    Where a closed file of a small table cannot be read, views stand for the copies: only who needs that table is told, and once
    the file is restored they have its rows.
    """
    con.begin()  # a commit for each statement would take longer than all of them
    try:
        con.execute(script)
    except duckdb.Error:
        con.rollback()
        con.begin()
        try:
            con.execute(script.replace("CREATE TABLE closed.", "CREATE VIEW closed."))
        except duckdb.Error:
            con.rollback()
            raise
    con.commit()


def copied(lake: Lake) -> dict[str, str]:
    """By table, the query whose rows were copied into schema `closed`."""
    source = _Source(Lake(lake.root.resolve()), watermark(lake), lake.evolved())
    return {name: source.closed(name) for name, table in TABLES.items() if table.copied}


def digest(script: str) -> str:
    """Of a script and of all descriptions: what made a database."""
    text = script.partition(";\nCREATE VIEW lake.made_by")[0] + dictionary.fingerprint()
    return blake2b(text.encode(), digest_size=16).hexdigest()


class _Source:
    """A lake's files in SQL, divided at its watermark; `evolved` names the tables that are read by name."""

    def __init__(self, lake: Lake, mark: Watermark, evolved: set[str] | frozenset[str]) -> None:
        self.lake, self.mark, self.evolved = lake, mark, evolved

    def sql(self, view: str) -> str:
        """The statements of a file in sql/."""
        if view == "judged" and "sentiments" in self.evolved:
            view = "judged_before"
        text = _file(view).replace("{watermark}", f"DATE '{self.mark.through}'")
        return text.replace("{open_from}", f"DATE '{self.mark.open_from}'").strip().removesuffix(";")

    def rows(self, name: str, *, since: bool = False) -> str:
        """A query for every row of a table. `since`: for those of the macro's argument or later; no month before it is opened."""
        if TABLES[name].snapshot:
            return f"FROM {self._cold(name)} WHERE date = DATE '{self.mark.through}' AND {self._guard(name)}"
        after = "date >= since AND " if since else ""
        return f"FROM ({self.unguarded(name, since=since)}) WHERE {after}{self._guard(name)}"

    def unguarded(self, name: str, *, since: bool = False) -> str:
        """The same, whatever has been deleted meanwhile."""
        hot = self._hot(name)
        closed = f"FROM closed.{name}" if TABLES[name].copied else self.closed(name, since=since)
        if name != "late_commits":
            hot = _CORRECTED.format(files=hot, late=_LATE.format(f"({self._hot('late_commits')})"))
        return " UNION ALL BY NAME ".join(f"({part})" for part in ([closed, hot] if self.mark.day else [hot]))

    def closed(self, name: str, *, since: bool = False) -> str:
        """A query for the rows of a table's closed days."""
        day, month = f"DATE '{self.mark.through}'", f"DATE '{self.mark.months_through}'"
        parts = [f"FROM {self._cold(name)} WHERE date <= {day}{f' AND date > {month}' if TABLES[name].narrow else ''}"]
        if self.mark.month and TABLES[name].narrow:
            from_month = " AND month >= strftime(since, '%Y-%m')" if since else ""
            path = self.lake.root / "cold" / name / "month=*" / "data.parquet"
            months = _read(path, by_name=name in self.evolved, key="month", kind="VARCHAR")
            parts.insert(0, f"SELECT * EXCLUDE (month) FROM {months} WHERE month <= '{self.mark.month}'{from_month}")
        found = " UNION ALL BY NAME ".join(parts)
        exact = name == "late_commits" or not self.mark.late
        return found if exact else _CORRECTED.format(files=found, late=_LATE.format("closed.late"))

    def gone(self) -> str:
        """A query for the ids that count no more, and since when; without a guard, as what it is held against has one."""
        parts = [part for name in ("superseded", "forgotten") for part in (f"FROM closed.{name}", self._hot(name))]
        return " UNION ALL ".join(f"SELECT id, date {part}" for part in parts)

    def _hot(self, name: str) -> str:
        """A query for the rows of a table's open days."""
        pattern, placed = store_of(self.lake.root).in_sql(self.lake.root / "hot/*/*", name)
        return f"FROM {self._read(name, pattern)} WHERE date > DATE '{self.mark.through}'{placed}"

    def _cold(self, name: str) -> str:
        return self._read(name, self.lake.root / "cold" / name / "date=*" / "data.parquet")

    def _read(self, name: str, path: Path) -> str:
        return _read(path, by_name=name in self.evolved)

    def _guard(self, name: str) -> str:
        """A condition that raises once a file this view reads may be deleted.

        An uncorrelated subquery is evaluated also where pruning leaves no file to read; a plain CASE would stay silent then.
        """
        gone = f"max(hot_through) > DATE '{self.mark.through}'"
        if TABLES[name].narrow:
            gone += f" OR max(days_through) > DATE '{self.mark.months_through}'"
        path = quoted(self.lake.root / "deleted.parquet")
        return f"(SELECT CASE WHEN {gone} THEN error('{_OUTDATED}') ELSE true END FROM read_parquet({path}))"


@cache
def _file(view: str) -> str:
    return files("pipeline.lake").joinpath("sql", f"{view}.sql").read_text()


def _read(path: Path, *, by_name: bool, key: str = "date", kind: str = "DATE") -> str:
    """All files of a pattern as one table.

    The first file by name is the one without rows that has every column, so its columns are taken and no other file is
    opened for them; only where an older file lacks one of them must they all be.
    """
    return (
        f"read_parquet({quoted(path)}, union_by_name = {by_name}, hive_partitioning = true, hive_types = {{'{key}': '{kind}'}})"
    )
