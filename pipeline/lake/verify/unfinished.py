"""Checks for what was begun and not brought to its end, and for what is overdue. I/O, reads only."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.lake.commit import CONFIRMED, NOTE
from pipeline.lake.definitions import definitions
from pipeline.lake.layout import CLOSER, BatchRef, Lake
from pipeline.lake.lock import holders
from pipeline.lake.retire import Rules
from pipeline.lake.rows import read_tables
from pipeline.lake.staging import ABANDONED
from pipeline.lake.store import store_of
from pipeline.lake.verify.finding import Finding, error, warning
from pipeline.lake.verify.marks import Marks
from pipeline.lake.views import is_current
from pipeline.lake.watermark import LIFETIME, closable_from
from schemas import TABLES

#: The closer is called once a day at least; what it has not done by then it has missed.
OVERDUE = timedelta(days=1)


def check_unfinished(lake: Lake, marks: Marks, now: datetime, rules: Rules) -> Iterator[Finding]:
    """Batches begun and left, closings and deletions that are overdue, times not settled, a news.duckdb that is not current."""
    try:
        held = holders(lake)
    except LakeError as e:
        held = {}
        yield error("lock", "locks", str(e), "make sure that nobody writes to this lake, and delete that file")
    yield from _begun(lake, now, held)
    yield from _half_written(lake)
    if CLOSER not in held:
        yield from _to_close(lake, marks, now)
        yield from _to_delete(lake, marks, now, rules)
    yield from _unsettled(lake, marks, now)
    yield from _outdated(lake)


def _begun(lake: Lake, now: datetime, held: dict[str, str]) -> Iterator[Finding]:
    for place in sorted((lake.root / "staging").glob("[!.]*")):
        at, ref = f"staging/{place.name}", BatchRef.parse(place.name)
        if ref is None:
            yield warning("stranger", at, "belongs to no batch", f"move {at} out of the lake")
            continue
        for shard in sorted(place.glob("[!.]*")):
            yield from _shard(shard, f"{at}/{shard.name}")
        if now - ref.began > LIFETIME and ref.root not in held.get(ref.stage, ""):
            hours = (now - ref.began) / timedelta(hours=1)
            problem = f"was begun {hours:.0f} h ago and left"
            yield warning("begun", at, problem, "`newsmill run` brings it to its end from the bytes it kept")


def _shard(shard: Path, at: str) -> Iterator[Finding]:
    """A finished shard's results: they are to be committed, and refused unless they are whole."""
    try:
        said = json.loads((shard / "shard.json").read_text())
        found = {name: table.num_rows for name, table in read_tables(shard).items()}
        problem = f"should hold the rows {said} and holds {found}" if said != found else ""
    except (OSError, ValueError, pa.ArrowException) as e:
        problem = f"cannot be read ({str(e).splitlines()[0][:100]})"
    if problem:
        remedy = f"delete {at} and call `newsmill run`: it is done again from the bytes it kept"
        yield error("shard", at, problem, remedy)


def _half_written(lake: Lake) -> Iterator[Finding]:
    for aside in sorted((lake.root / "staging").glob(".*")):
        if time.time() - aside.stat().st_mtime > ABANDONED.total_seconds():
            problem = "was left half-written more than a day ago"
            yield warning("half_written", f"staging/{aside.name}", problem, "the next batch of any stage clears it away")


def _to_close(lake: Lake, marks: Marks, now: datetime) -> Iterator[Finding]:
    for day in lake.days():
        if not marks.mark.covers(day) and closable_from(day) + OVERDUE <= now:
            problem = f"could have been closed since {closable_from(day):%Y-%m-%d %H:%M} UTC"
            yield warning("overdue", f"hot/date={day}", problem, "`newsmill lake close` closes it")


def _to_delete(lake: Lake, marks: Marks, now: datetime, rules: Rules) -> Iterator[Finding]:
    """What was moved and is still there past its time, and what is gone though readers were not told."""
    for period, record in marks.records.items():
        is_day = len(period) == 10
        if not marks.covers(period):
            continue
        due = record.closed_at + rules.grace
        left = _left_of_day(lake, period, record.directories) if is_day else _left_of_month(lake, period)
        if left and due + OVERDUE <= now:
            problem = f"{left} have been to delete since {due:%Y-%m-%d %H:%M} UTC"
            place = f"hot/date={period}" if is_day else f"cold/*/date={period}-*"
            yield warning("not_deleted", place, problem, "`newsmill lake close` deletes them")


def _left_of_day(lake: Lake, period: str, directories: tuple[str, ...]) -> str:
    there = sum((lake.hot_day(date.fromisoformat(period)) / name).is_dir() for name in directories)
    return f"{there:,} moved directories" if there else ""


def _left_of_month(lake: Lake, month: str) -> str:
    there = sum(len(list((lake.root / "cold" / name).glob(f"date={month}-*"))) for name, t in TABLES.items() if t.narrow)
    return f"{there:,} moved files" if there else ""


def _unsettled(lake: Lake, marks: Marks, now: datetime) -> Iterator[Finding]:
    """Batches that were killed before it was settled from when they count: what asks as of a moment leaves them out."""
    for place in (
        p for day in lake.days() if not marks.mark.covers(day) for p in store_of(lake.root).placed_in(lake.hot_day(day))
    ):
        ref = BatchRef.parse(place.name)
        if ref and (place / NOTE).exists() and not (place / CONFIRMED).exists() and now - _renamed(place) > LIFETIME:
            problem = "was never settled from when it counts, so as_of macros leave it out"
            at = str(place.relative_to(lake.root))
            yield warning("unsettled", at, problem, "`newsmill lake close` settles it when its day is closed")


def _renamed(place: Path) -> datetime:
    return datetime.fromtimestamp(place.stat().st_mtime, UTC)


def _outdated(lake: Lake) -> Iterator[Finding]:
    try:
        current = is_current(lake, definitions(lake))
    except (LakeError, ValueError, duckdb.Error):
        return  # what its views would rest on is damaged, and that has been said
    if not current:
        what = "is not what this version writes" if (lake.root / "news.duckdb").exists() else "is missing"
        yield warning(
            "outdated", "news.duckdb", f"{what}; `newsmill` itself does without it", "any `newsmill run` writes it anew"
        )
