"""What a lake holds, how far it is closed, what is to be done: from notes, records and footers, not from rows. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LakeError
from pipeline.lake.commit import note_of
from pipeline.lake.connect import connect
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import holders
from pipeline.lake.retire import Rules
from pipeline.lake.staging import finished_shards
from pipeline.lake.store import store_of, table_of
from pipeline.lake.verify.finding import Finding, error, warning
from pipeline.lake.verify.hot import late_finding
from pipeline.lake.verify.marks import Marks, read_marks
from pipeline.lake.verify.unfinished import check_unfinished
from pipeline.lake.watermark import Watermark, closable_from, last_day
from pipeline.s3 import readable
from schemas import TABLES

#: A feed is due every quarter of an hour; where none was visited for so long, nobody pulls.
STALE = timedelta(hours=1)

#: An entry is given up a little over a day after its first attempt; what is due for longer is not being tried.
STILL_DUE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Part:
    """Files of one kind."""

    files: int = 0
    bytes: int = 0
    rows: int = 0

    def __add__(self, other: "Part") -> "Part":
        return Part(self.files + other.files, self.bytes + other.bytes, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A table as views read it: its open days, its closed days and months; `newest` is the last available_at."""

    hot: Part = field(default_factory=Part)
    days: Part = field(default_factory=Part)
    months: Part = field(default_factory=Part)
    newest: datetime | None = None

    @property
    def all(self) -> Part:
        return self.hot + self.days + self.months


@dataclass(frozen=True, slots=True)
class DayStatus:
    """What came on a day, and how the entries that came then stand now; `state` is hot, closed or empty: nothing came."""

    day: date
    state: str
    entries: int = 0
    kept: int = 0
    dropped: int = 0
    due: int = 0
    articles: int = 0


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that is not at its end; `held` where somebody is at work on it."""

    batch: str
    began: datetime
    shards: int
    held: bool


@dataclass(frozen=True, slots=True)
class ToClose:
    period: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """What a closing has moved and is still there for those who opened the lake before."""

    period: str
    what: Part
    deleted_from: datetime


@dataclass(frozen=True, slots=True)
class Raw:
    """The raw bytes of feeds and pages; `kept_days` None: for good."""

    packs: Part
    oldest: date | None
    newest: date | None
    kept_days: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `newsmill lake status` tells."""

    lake: Path
    now: datetime
    size: Part
    newest: datetime | None
    mark: Watermark
    tables: dict[str, TableStatus]
    days: tuple[DayStatus, ...]
    to_close: tuple[ToClose, ...]
    moved: tuple[Moved, ...]
    raw: Raw
    begun: tuple[Begun, ...]
    locks: dict[str, str]
    attention: tuple[Finding, ...]


def status(lake: Lake, now: datetime, rules: Rules, days: int = 14) -> Status:
    """How the lake stands now, with a picture of its last days.

    Raises:
        LakeError: there is no lake, or newer code wrote it.
    """
    lake = Lake(lake.root.resolve())
    marks, attention = read_marks(lake)
    try:
        locks = holders(lake)
    except LakeError:
        locks = {}  # check_unfinished names the one that is damaged
    tables = _tables(lake, marks)
    pictured, blind = _pictured(lake, marks, now, days)
    raw = _raw(lake, rules)
    others = [
        _size(path) if path.is_dir() else Part(1, path.stat().st_size) for path in lake.root.iterdir() if path.name != "raw"
    ]
    newest = max((t.newest for n, t in tables.items() if t.newest and not TABLES[n].snapshot), default=None)
    attention += [*blind, *_late(lake, marks), *check_unfinished(lake, marks, now, rules)]
    attention += [*_stale(tables["visits"].newest, now), *_waiting(pictured, now)]
    return Status(
        lake=lake.root,
        now=now,
        size=replace(sum(others, raw.packs), rows=sum(t.all.rows for t in tables.values())),
        newest=newest,
        mark=marks.mark,
        tables=tables,
        days=pictured,
        to_close=tuple(_to_close(lake, marks)),
        moved=tuple(_moved(lake, marks, rules)),
        raw=raw,
        begun=tuple(_begun(lake, locks)),
        locks=locks,
        attention=tuple(attention),
    )


def _tables(lake: Lake, marks: Marks) -> dict[str, TableStatus]:
    hot, newest = _hot(lake, marks)
    tables = {}
    for name, table in TABLES.items():
        days, months = Part(), Part()
        last: Path | None = None
        for period, record in sorted(marks.records.items()):
            path = lake.cold(name, date.fromisoformat(period) if len(period) == 10 else period)
            written = record.files.get(str(path.relative_to(lake.root)))
            if written is None or not _is_read(marks, name, period):
                continue
            part = Part(1, written.bytes, written.rows)
            if len(period) == 10:
                days = part if table.snapshot else days + part
            else:
                months += part
            last = path
        at = newest.get(name) or (_newest_in(last) if last else None)
        tables[name] = TableStatus(hot.get(name, Part()), days, months, at)
    return tables


def _is_read(marks: Marks, table: str, period: str) -> bool:
    """Whether views read a table's file of a closed period."""
    return marks.covers(period) and (len(period) == 7 or not marks.in_month(table, date.fromisoformat(period)))


def _hot(lake: Lake, marks: Marks) -> tuple[dict[str, Part], dict[str, datetime]]:
    """The files of open days and their last available_at, by table, as the batches' notes say."""
    parts: dict[str, Part] = {}
    newest: dict[str, datetime] = {}
    store = store_of(lake.root)
    for place in (p for day in lake.days() if not marks.mark.covers(day) for p in store.placed_in(lake.hot_day(day))):
        sizes = {table_of(path): path.stat().st_size for path in store.files_in(place)}
        for name, rows, at in _noted(place):
            parts[name] = parts.get(name, Part()) + Part(1, sizes.get(name, 0), rows)
            newest[name] = max(at, newest.get(name, at))
    return parts, newest


def _noted(place: Path) -> Iterator[tuple[str, int, datetime]]:
    try:
        note = note_of(place)
        at = datetime.fromisoformat(note["available_at"])
        yield from ((name, rows, at) for name, rows in note["rows"].items() if rows and name in TABLES)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # `newsmill lake verify` names it


def _newest_in(path: Path) -> datetime | None:
    """The last available_at of a file, from its footer."""
    try:
        footer = pq.read_metadata(readable(path))
    except (OSError, pa.ArrowException):
        return None
    # nested columns come apart in a footer, so the column is found by its path
    groups = [footer.row_group(n) for n in range(footer.num_row_groups)]
    columns = [g.column(c) for g in groups for c in range(g.num_columns) if g.column(c).path_in_schema == "available_at"]
    known = [c.statistics.max for c in columns if c.statistics and c.statistics.has_min_max]
    return max(known, default=None)


def _size(path: Path) -> Part:
    """Files and bytes below a path; what goes away meanwhile counts for nothing."""
    files, size = store_of(path).size(path)
    return Part(files, size)


_PICTURE = """
WITH last AS (
    SELECT entry_id, revision, arg_max(kept, attempt) AS kept, arg_max(final, attempt) AS final
    FROM lake.outcomes WHERE date >= DATE '{since}' GROUP BY ALL
),
entered AS (
    SELECT date, count(*) AS entries, count(*) FILTER (kept) AS kept, count(*) FILTER (final AND NOT kept) AS dropped
    FROM (SELECT entry_id, revision, date FROM lake.entries WHERE date >= DATE '{since}')
    LEFT JOIN last USING (entry_id, revision) GROUP BY date
),
read AS (SELECT date, count(*) AS articles FROM lake.articles WHERE date >= DATE '{since}' GROUP BY date)
SELECT date, coalesce(entries, 0) AS entries, coalesce(kept, 0) AS kept, coalesce(dropped, 0) AS dropped,
       coalesce(articles, 0) AS articles
FROM entered FULL JOIN read USING (date)
"""


def _pictured(lake: Lake, marks: Marks, now: datetime, days: int) -> tuple[tuple[DayStatus, ...], list[Finding]]:
    """The last days, oldest first; and why there is no picture, where there is none."""
    wanted = [now.date() - timedelta(days=n) for n in reversed(range(days))]
    try:
        with connect(lake.root) as con:
            rows: list[dict[str, Any]] = con.sql(_PICTURE.format(since=wanted[0])).to_arrow_table().to_pylist()
    except (LakeError, ValueError, duckdb.Error) as e:
        return (), [error("unreadable", "lake", str(e).splitlines()[0], "`newsmill lake verify` names the files")]
    found = {row.pop("date"): row for row in rows}
    hot = set(lake.days())
    told = []
    for day in wanted:
        row = found.get(day, {})
        state = ("closed" if row else "") if marks.mark.covers(day) else "hot" if day in hot else ""
        due = row.get("entries", 0) - row.get("kept", 0) - row.get("dropped", 0)
        told.append(DayStatus(day, state, due=due, **row))
    return tuple(told), []


def _late(lake: Lake, marks: Marks) -> Iterator[Finding]:
    for day in lake.days():
        if (record := marks.records.get(str(day))) and marks.mark.covers(day):
            listed = set(record.directories)
            there = store_of(lake.root).placed_in(lake.hot_day(day))
            yield from (late_finding(lake, p) for p in there if p.name not in listed)


def _stale(newest: datetime | None, now: datetime) -> Iterator[Finding]:
    if newest is None:
        yield warning("stale", "visits", "no feed has been visited yet", "`newsmill run`, or start Airflow's pull_feeds")
    elif now - newest > STALE:
        hours = (now - newest) / timedelta(hours=1)
        since = f"{hours:,.0f} h" if hours < 48 else f"{hours / 24:,.0f} days"
        yield warning("stale", "visits", f"no feed has been visited for {since}", "`newsmill run`, or start Airflow's pull_feeds")


def _waiting(days: tuple[DayStatus, ...], now: datetime) -> Iterator[Finding]:
    old = [d for d in days if d.due and d.day < (now - STILL_DUE).date()]
    if old:
        problem = f"{sum(d.due for d in old):,} entries of {old[0].day} and later have been due for more than two days"
        yield warning("waiting", "outcomes", problem, "`newsmill run` reads what is due")


def _to_close(lake: Lake, marks: Marks) -> Iterator[ToClose]:
    """The open days, and the months whose last day is open or that are not closed yet, with the time from which each may be."""
    for day in lake.days():
        if not marks.mark.covers(day):
            yield ToClose(str(day), closable_from(day))
    months = {f"{day:%Y-%m}" for day in [*lake.days(), *filter(None, [marks.mark.day])]}
    for month in sorted(m for m in months if m > (marks.mark.month or "")):
        yield ToClose(month, closable_from(last_day(month)))


def _moved(lake: Lake, marks: Marks, rules: Rules) -> Iterator[Moved]:
    for period, record in sorted(marks.records.items()):
        if len(period) == 7:
            narrow = [name for name, table in TABLES.items() if table.narrow]
            places = [p for name in narrow for p in (lake.root / "cold" / name).glob(f"date={period}-*")]
        else:
            places = [lake.hot_day(date.fromisoformat(period)) / name for name in record.directories]
        left = sum(map(_size, places), Part())
        if left.files and marks.covers(period):
            yield Moved(period, left, record.closed_at + rules.grace)


def _raw(lake: Lake, rules: Rules) -> Raw:
    days = lake.days("raw")
    packs = _size(lake.root / "raw")
    return Raw(packs, min(days, default=None), max(days, default=None), rules.raw_days)


def _begun(lake: Lake, locks: dict[str, str]) -> Iterator[Begun]:
    for place in sorted((lake.root / "staging").glob("[!.]*")):
        if ref := BatchRef.parse(place.name):
            held = ref.root in locks.get(ref.stage, "")
            yield Begun(ref.name, ref.began, len(finished_shards(lake, ref)), held)
