"""A month of five-minute batches on a clock of its own: files a reader meets, time and memory of closing a day, bytes at the end.

Each figure against its limit: 700 visible files of any table, 1 s and 500 MB to close a day of 3,000 articles, 1.2 times the
bytes of the same rows written at once. A whole month (`--days 31`) takes about eight minutes and so a higher `--cap`.
"""

import multiprocessing
import resource
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.made_up import batch
from benchmarks.table import Line, Options, Table, median_seconds
from pipeline.lake import connect
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.retire import Rules
from pipeline.lake.views import prepare
from pipeline.lake.watermark import watermark
from pipeline.lake.work import due_entries, last_visits, untagged
from schemas import TABLES

MONTH, GRACE = datetime(2026, 10, 1, tzinfo=UTC), timedelta(hours=6)
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


def measure(options: Options) -> Table:
    days, a_day = (1, 60) if options.tiny else (options.days, A_DAY)
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        seconds, peak, most = _lived(lake, days, 12 if options.tiny else 288, a_day)
        once = Path(place) / "once"
        once.mkdir()
        ours, at_once = bytes_of(lake), bytes_at_once(lake, once)
        lines = [
            Line(what="visible files of a table, most", figure=most, unit="", limit=700),
            Line(what="closing a day", figure=statistics.median(_of(seconds, days=True)), unit="s", limit=1),
            Line(what="closing a day, slowest", figure=max(_of(seconds, days=True)), unit="s", limit=1),
            Line(what="memory of a closing, most", figure=peak, unit="MB", limit=500),
            Line(what="bytes, against all at once", figure=ours / 1e6, unit="MB", peer=at_once / 1e6, limit=1.2),
            *(Line(what="closing the month", figure=s, unit="s") for s in _of(seconds, days=False)),
            *_asked(lake),
        ]
    return Table(title=f"{days} days of five-minute batches, {a_day} articles and 50 feeds a day, wall time", lines=lines)


def _of(seconds: dict[str, float], *, days: bool) -> list[float]:
    return [s for period, s in seconds.items() if (len(period) == 10) == days]


def _lived(lake: Lake, days: int, batches: int, a_day: int) -> tuple[dict[str, float], float, int]:
    """Commits so many days and the first hours of the next one; seconds by period closed, most memory, most visible files."""
    seconds: dict[str, float] = {}
    peak, most, every = 0.0, 0, timedelta(days=1) / batches
    for number in range(days * batches + batches // 4 + 1):
        at = MONTH + every * number
        articles = a_day * (number + 1) // batches - a_day * number // batches
        for stage, tables in batch(at, articles).items():
            commit(lake, Parcel(BatchRef(batch_id_of(at), stage), tables), Timing(timedelta(0)))
        if at.minute == 0 and at.hour in (0, 6, 12):
            most = max(most, visible(lake))
            done, memory = closed(lake, at)
            seconds |= dict(done)
            peak = max(peak, memory)
    # the last day is closed, what was moved is deleted, and the first hours of the next day are still hot
    closed(lake, at + GRACE)
    return seconds, peak, most


def _asked(lake: Lake) -> list[Line]:
    with connect(lake.root) as con:
        questions = {
            "opening the lake": lambda: connect(lake.root).close(),
            "last visits of all feeds": lambda: last_visits(con),
            "entries that are due": lambda: due_entries(con, MONTH + timedelta(days=99)),
            "versions not tagged": lambda: untagged(con),
        }
        return [Line(what=what, figure=median_seconds(ask) * 1000, unit="ms") for what, ask in questions.items()]
