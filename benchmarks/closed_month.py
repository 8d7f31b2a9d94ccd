"""A month of five-minute batches on a clock of its own: files a reader meets, time and memory of closing a day, bytes at the end.

    .venv/bin/python benchmarks/closed_month.py [DAYS]

Each figure against its limit: 700 visible files of any table, 1 s and 500 MB to close a day of 3,000 articles, 1.2 times the
bytes of the same rows written at once. Takes about eight minutes for a month of 31 days.
"""

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

from benchmarks.hot_batches import median_ms
from benchmarks.made_up import batch
from pipeline.lake import connect
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.retire import Rules
from pipeline.lake.views import prepare
from pipeline.lake.watermark import watermark
from pipeline.lake.work import due_entries, last_visits, untagged
from schemas import TABLES

MONTH, EVERY, GRACE = datetime(2026, 10, 1, tzinfo=UTC), timedelta(minutes=5), timedelta(hours=6)
A_DAY = 3000


def visible(lake: Lake) -> int:
    """The files that the view of one table reads, for the table with most of them."""
    mark = watermark(lake)
    hot = {day for day in lake.days() if not mark.covers(day)}
    return max(
        sum(len(list(lake.hot_day(day).glob(f"*/{table}.parquet"))) for day in hot)
        + sum(
            mark.covers(day) and not (TABLES[table].narrow and day <= mark.months_through) for day in lake.days(f"cold/{table}")
        )
        + len(list((lake.root / "cold" / table).glob("month=2*")))
        for table in TABLES
    )


def closing(root: Path, now: datetime, results: Connection) -> None:
    """Closes in a process of its own, so that its memory is its own; sends seconds by period, and its peak in MB."""
    report = close(Lake(root), Timing(timedelta(0), lambda: now), Rules(GRACE), lambda _line: None)
    results.send(([(c.period, c.seconds) for c in report.closed], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def closed(lake: Lake, now: datetime) -> tuple[list[tuple[str, float]], float]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=closing, args=(lake.root, now, theirs))
    process.start()
    found = ours.recv()
    process.join()
    return found


def bytes_at_once(lake: Lake, place: Path) -> int:
    """The same rows in one file a table."""
    with connect(lake.root) as con:
        for table in TABLES:
            order, path = ", ".join(TABLES[table].sorted_by), place / f"{table}.parquet"
            how = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 20000"
            con.execute(f"COPY (SELECT * EXCLUDE (date) FROM lake.{table} ORDER BY {order}) TO '{path}' ({how})")
    return sum(path.stat().st_size for path in place.iterdir())


def bytes_of(lake: Lake) -> int:
    return sum(path.stat().st_size for tree in ("hot", "cold") for path in (lake.root / tree).rglob("*") if path.is_file())


def against(what: str, figure: float, limit: float, unit: str) -> None:
    print(f"{what:28s} {figure:8.2f} {unit:2s}  against {limit:6.1f}: {figure / limit:.3f}")


def main(days: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        seconds: dict[str, float] = {}
        peak, most = 0.0, 0
        began = time.perf_counter()
        for number in range(days * 288 + 73):
            at = MONTH + EVERY * number
            articles = A_DAY * (number + 1) // 288 - A_DAY * number // 288
            for stage, tables in batch(at, articles).items():
                commit(lake, Parcel(BatchRef(batch_id_of(at), stage), tables), Timing(timedelta(0)))
            if at.minute == 0 and at.hour in (0, 6, 12):
                most = max(most, visible(lake))
                done, memory = closed(lake, at)
                seconds |= dict(done)
                peak = max(peak, memory)
                if at.hour == 6:
                    print(f"{at:%Y-%m-%d}  {time.perf_counter() - began:5.0f} s  {done}", file=sys.stderr, flush=True)
        # the last day is closed, what was moved is deleted, and the first hours of the next month are still hot
        closed(lake, at + GRACE)
        once = Path(place) / "once"
        once.mkdir()
        ours, at_once = bytes_of(lake), bytes_at_once(lake, once)
        of_days = [s for period, s in seconds.items() if len(period) == 10]
        months = [s for period, s in seconds.items() if len(period) == 7]
        print(f"{days} days of 288 batches, {A_DAY} articles, 50 feeds; of {len(of_days)} closings the median and the slowest")
        against("visible files of a table", most, 700, "")
        against("closing a day", statistics.median(of_days), 1, "s")
        against("closing a day, the slowest", max(of_days), 1, "s")
        against("memory of a closing", peak, 500, "MB")
        against("bytes, of the same at once", ours / 1e6, at_once / 1e6, "MB")
        for s in months:
            print(f"{'closing the month':28s} {s:8.2f} s")
        with connect(lake.root) as con:
            print(f"opening the lake             {median_ms(lambda: connect(lake.root).close()):6.1f} ms")
            print(f"last visits of all feeds     {median_ms(lambda: last_visits(con)):6.1f} ms")
            print(f"entries that are due         {median_ms(lambda: due_entries(con, MONTH + timedelta(days=99))):6.1f} ms")
            print(f"versions not tagged          {median_ms(lambda: untagged(con)):6.1f} ms")


if __name__ == "__main__":
    print(f"duckdb {duckdb.__version__}", file=sys.stderr)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 31)
