"""Closes days and months: what was committed in small files becomes one file a table, and the watermark moves over it. I/O.

Nothing changes for a reader before the watermark moves, and it moves while nobody can commit: either a batch is in the list of
what the day took, or it finds the day closed. What was moved before is deleted first (`retire`).
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from pipeline.errors import LakeError
from pipeline.lake.commit import Timing, confirm, note_of
from pipeline.lake.compact import Compactor, Stamped
from pipeline.lake.durable import make_dirs, sha256
from pipeline.lake.erase import erase_pending
from pipeline.lake.layout import CLOSER, SCHEMA_DAY, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import Fence, hold, nobody_commits
from pipeline.lake.retire import Retired, Rules, retire
from pipeline.lake.staging import ABANDONED
from pipeline.lake.store import Seen, store_of, table_of
from pipeline.lake.views import prepare, write_news
from pipeline.lake.watermark import Closing, Written, closable_from, closing, last_day, move, seen_before, watermark
from schemas import TABLES

#: New batches during the closing of a day that should have none: so often it is begun anew.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Closed:
    """A day or month that was closed: what it took, what it wrote, and how long that was."""

    period: str
    directories: int
    files_before: int
    files: int
    rows: int
    bytes: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.period} closed: {self.files_before:,} files of {self.directories:,} directories are {self.files} now, "
            f"{self.rows:,} rows, {self.bytes / 1e6:.1f} MB, {self.seconds:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """Everything one closing did."""

    closed: tuple[Closed, ...]
    retired: Retired


def close(lake: Lake, timing: Timing, rules: Rules, say: Callable[[str], None], *, through: date = date.max) -> ClosingReport:
    """Closes every day (up to `through`) and month whose time has come, oldest first, and deletes what nobody can be reading.

    Before that it brings to its end what takedowns have left to be erased.

    Raises:
        LakeBusy: somebody else is closing, or keeps the lake from moving on; the message says who.
        LossError: a batch's files do not hold what it says; its day stays open.
    """
    lake.open_for_writing()
    prepare(lake)
    now = timing.clock()
    closed: list[Closed] = []
    with hold(lake, BatchRef(batch_id_of(now), CLOSER), "close", last=True) as fence:
        # first, so that a day that cannot be closed, or a disk too full for it, does not keep what can go
        retired = retire(lake, now, rules)
        store_of(lake.root).sweep(lake.root / "hot", ABANDONED)
        try:
            if erased := erase_pending(lake, timing):
                say(str(erased))
            for day in [day for day in lake.days() if day <= through and _is_due(lake, day, now)]:
                closed.append(_close_day(lake, day, timing, fence))
                say(str(closed[-1]))
            for month in _closable_months(lake):
                closed.append(_close_month(lake, month, timing, fence))
                say(str(closed[-1]))
        finally:
            write_news(lake)
            say(str(retired))
    return ClosingReport(tuple(closed), retired)


def _is_due(lake: Lake, day: date, now: datetime) -> bool:
    return closable_from(day) <= now and not watermark(lake).covers(day)


def _close_day(lake: Lake, day: date, timing: Timing, fence: Fence) -> Closed:
    began = time.perf_counter()
    for _ in range(ATTEMPTS):
        seen = seen_before(lake, day, [lake.cold(table, day) for table in TABLES])
        places = _settled(lake, day, timing)
        with _aside(lake) as compactor:
            files = _merge_day(lake, day, places, compactor, timing)
            open_from = _open_from(lake, day, compactor)
            with fence():
                record = _place(lake, day, compactor, files, timing.clock(), seen)
                with nobody_commits(lake):
                    if batches_of(lake, day) == places:
                        replace(record, directories=tuple(p.name for p in places)).write(lake, seen)
                        before = watermark(lake)
                        late = (before.day is not None and before.late) or _any_correction(lake)
                        move(lake, replace(before, day=day, open_from=open_from, late=late), seen)
                        return _told(record, len(places), sum(len(_tables(p)) for p in places), began)
    raise LakeError(f"{day} was to be closed, and {ATTEMPTS} times new batches were committed under it; are the clocks right?")


def batches_of(lake: Lake, day: date) -> list[Path]:
    """The committed directories of a day; whatever else lies there is nobody's and stays."""
    return sorted(p.parent for p in lake.hot_day(day).glob("*/commit.json"))


def _any_correction(lake: Lake) -> bool:
    return any(".late" in place.name for day in lake.days() for place in lake.hot_day(day).iterdir())


def _settled(lake: Lake, day: date, timing: Timing) -> list[Path]:
    """The committed directories of a day, each with its time settled: the files that tell of it will be gone."""
    while True:
        places = batches_of(lake, day)
        for place in places:
            if ".late" not in place.name:
                confirm(lake, place, timing)
        if batches_of(lake, day) == places:
            return places


def _tables(place: Path) -> list[Path]:
    return store_of(place).files_in(place)


def _merge_day(lake: Lake, day: date, places: list[Path], compactor: Compactor, timing: Timing) -> dict[str, Written]:
    """One file of each table that got rows this day, and the snapshot of all feeds."""
    sources: dict[str, list[Path]] = {}
    said: dict[str, int] = {}
    for place in places:
        for table, rows in note_of(place)["rows"].items():
            said[table] = said.get(table, 0) + rows
            if rows:  # also where the file is gone: then it is missed
                sources.setdefault(table, [_columns(lake, table)])
        for path in _tables(place):
            sources.setdefault(table_of(path), [_columns(lake, table_of(path))]).append(path)
    if unknown := (sources.keys() | {t for t, rows in said.items() if rows}) - TABLES.keys():
        raise LakeError(f"{day} has tables this Newsmill does not know ({', '.join(sorted(unknown))}): update Newsmill")
    with ThreadPoolExecutor(2) as pool:
        merged = pool.map(lambda table: compactor.merge(table, sources[table], said.get(table, 0)), sources)
        files = dict(zip(sources, merged, strict=True))
    before = watermark(lake).day
    snapshot = [lake.cold("feed_state", before)] if before and lake.cold("feed_state", before).exists() else []
    stamp = Stamped(batch_id_of(timing.clock()), timing.clock() + timing.tolerance)
    return files | {
        "feed_state": compactor.feed_state(
            sources.get("visits", [_columns(lake, "visits")]),
            sources.get("entries", [_columns(lake, "entries")]),
            [lake.cold("feed_state", SCHEMA_DAY), *snapshot],
            stamp,
        )
    }


def _open_from(lake: Lake, day: date, compactor: Compactor) -> date:
    """The first day up to this one, the day after if there is none, on which something may be left to do.

    What ended it may lie a day earlier. Whether it was done on a later day is seen when that is closed.
    """

    def of_day(table: str, one: date) -> list[Path]:
        path = compactor.aside / f"{table}.parquet" if one == day else lake.cold(table, one)
        return [path] if path.exists() else []

    def since(table: str, first: date) -> list[Path]:
        days = [d for d in lake.days(f"cold/{table}") if first <= d < day]
        months = (lake.root / "cold" / table).glob("month=*/data.parquet")
        return [
            *(path for one in [*days, day] for path in of_day(table, one)),
            *(path for path in months if path.parent.name >= f"month={first:%Y-%m}"),
        ]

    came = {*lake.days("cold/entries"), *lake.days("cold/articles"), day}
    for one in sorted(d for d in came if watermark(lake).open_from <= d <= day):
        before = one - timedelta(days=1)
        left = of_day("entries", one), of_day("articles", one)
        if compactor.left_to_do(*left, since("outcomes", before), since("taggings", before)):
            return one
    return day + timedelta(days=1)


def _columns(lake: Lake, table: str) -> Path:
    """The file without rows that has every column of a table."""
    return lake.schema_files("hot") / f"{table}.parquet"


def _closable_months(lake: Lake) -> Iterator[str]:
    mark = watermark(lake)
    days = {day for table in TABLES for day in lake.days(f"cold/{table}")}
    for month in sorted({f"{day:%Y-%m}" for day in days}):
        if month > (mark.month or "") and mark.covers(last_day(month)):
            yield month


def _close_month(lake: Lake, month: str, timing: Timing, fence: Fence) -> Closed:
    """One file a month for each narrow table, in place of its days."""
    began = time.perf_counter()
    days = [day for day in lake.days("cold/visits") if f"{day:%Y-%m}" == month]
    seen = seen_before(lake, month, [lake.cold(table, month) for table in TABLES])
    records = [record for day in _days_of(month) if (record := closing(lake, day))]
    with _aside(lake) as compactor:
        files: dict[str, Written] = {}
        for table in (name for name, t in TABLES.items() if t.narrow):
            paths = [p for day in _days_of(month) if (p := lake.cold(table, day)).exists()]
            said = sum(w.rows for r in records for name, w in r.files.items() if name.startswith(f"cold/{table}/"))
            if paths:
                files[table] = compactor.merge(table, [lake.cold(table, SCHEMA_DAY), *paths], said, dated=True)
        with fence():
            record = _place(lake, month, compactor, files, timing.clock(), seen)
            record.write(lake, seen)
            move(lake, replace(watermark(lake), month=month), seen)
    return _told(record, len(days), sum(len(r.files) for r in records), began)


def _days_of(month: str) -> list[date]:
    last = last_day(month)
    return [last.replace(day=n) for n in range(1, last.day + 1)]


@contextmanager
def _aside(lake: Lake) -> Iterator[Compactor]:
    with store_of(lake.root).scratch(lake.root, "close") as place:
        compactor = Compactor.open(place, lake.evolved())
        store_of(lake.root).let_read(compactor.con, lake.root)
        try:
            yield compactor
        finally:
            compactor.con.close()


def _place(lake: Lake, period: date | str, compactor: Compactor, files: dict[str, Written], now: datetime, seen: Seen) -> Closing:
    """Puts what was written into cold/, and takes what an earlier attempt left there out of it; the record of it all."""
    store, placed = store_of(lake.root), dict[str, Written]()
    empty = SCHEMA_DAY if isinstance(period, date) else f"{SCHEMA_DAY:%Y-%m}"
    for table in TABLES:
        path = lake.cold(table, period)
        if table in files:
            make_dirs(path.parent)
            store.bring_file(compactor.aside / f"{table}.parquet", path, seen)
            placed[str(path.relative_to(lake.root))] = files[table]
        elif store.clear_file(path, lake.cold(table, empty), seen):
            placed[str(path.relative_to(lake.root))] = Written(0, path.stat().st_size, sha256(path))
    return Closing(str(period), now, (), placed)


def _told(record: Closing, directories: int, files_before: int, began: float) -> Closed:
    return Closed(
        period=record.period,
        directories=directories,
        files_before=files_before,
        files=len(record.files),
        rows=sum(w.rows for w in record.files.values()),
        bytes=sum(w.bytes for w in record.files.values()),
        seconds=time.perf_counter() - began,
    )
