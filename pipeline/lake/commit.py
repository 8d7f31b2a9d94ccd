"""Makes a batch part of the lake: one directory, filled aside and renamed into place. I/O.

Every row carries `available_at`, from when it could be read: late, never early. It is stamped a little ahead of the
rename; a rename that would miss it is stamped again. Should the process be held up just between that check and the
rename, the directory's own change time shows it, and a row in `late_commits` says from when the batch counts.
"""

import json
import secrets
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import __version__
from pipeline.lake.durable import fsync_all, make_dirs, place_dir, place_file, write_file
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import Fence
from pipeline.lake.rows import Tables, write_tables
from schemas import TABLES, Stamp, bodies_schema, table_schema
from schemas.columns import arrow_schema, to_arrow
from schemas.outcome import LateCommit

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock that stamps rows, and how far the clocks of those who write and those who read may differ."""

    tolerance: timedelta
    clock: Clock = system_clock


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one directory will hold. Its rows count from `not_before` at the earliest: never before what they rest on."""

    batch: BatchRef
    tables: Tables
    shards: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    not_before: datetime | None = None


#: How far ahead of the rename rows are stamped at first, and the least that must be left when it is done.
LEAD, MARGIN = timedelta(milliseconds=300), timedelta(milliseconds=20)
#: A correction may be late itself; its own lead is generous.
CORRECTION_LEAD = timedelta(seconds=5)
NOTE, CONFIRMED = "commit.json", "confirmed"


def commit(lake: Lake, parcel: Parcel, timing: Timing, fence: Fence = nullcontext) -> bool:
    """Adds a batch to the lake, whole or not at all; False where it is there already, and then nothing is written.

    Raises:
        LakeBusy: the fence says that the stage was lost; nothing is written.
    """
    place = lake.hot(parcel.batch)
    placed = not place.exists() and _place(lake, place, parcel, LEAD, timing, fence)
    confirm(lake, place, timing)
    return placed


def committed(lake: Lake, batch: BatchRef) -> dict[BatchRef, dict[str, Any]]:
    """The parts of a batch that are in the lake, each with its note: shards, counts, available_at; mostly one."""
    parts: dict[BatchRef, dict[str, Any]] = {}
    ref = BatchRef(batch.root, batch.stage)
    while (lake.hot(ref) / NOTE).exists():
        parts[ref] = _note(lake.hot(ref))
        ref = batch.derived(len(parts) + 1)
    return parts


def _note(place: Path) -> dict[str, Any]:
    note: dict[str, Any] = json.loads((place / NOTE).read_text())
    return note


def confirm(lake: Lake, place: Path, timing: Timing) -> bool:
    """True where a committed directory kept its time; else a correction is added, unless it was before.

    A correction may miss its own time; then the next one follows, counted from the later of both clocks involved. The answer
    is found once: later changes of the directory's change time (a restored copy, other rights) say nothing of the rename.
    """
    note, newest, number = _note(place), place, 0
    counts_from = datetime.fromisoformat(note["available_at"])
    while not (newest / CONFIRMED).exists():
        renamed = datetime.fromtimestamp(newest.stat().st_ctime, UTC)
        correction = place.parent / f"{place.name}.late{number + 1}"
        if renamed + timing.tolerance > counts_from and not correction.exists():
            late = LateCommit(
                late_batch_id=note["batch_id"],
                late_stage=note["stage"],
                stamped_at=datetime.fromisoformat(note["available_at"]),
                readable_at=max(timing.clock(), renamed) + timing.tolerance + CORRECTION_LEAD,
            )
            ref = BatchRef(note["batch_id"], note["stage"])
            parcel = Parcel(ref, {"late_commits": to_arrow([late], LateCommit)})
            _place(lake, correction, parcel, CORRECTION_LEAD, timing, nullcontext)
        place_file(newest / CONFIRMED, Path.touch)
        if not correction.exists():
            break
        number, newest = number + 1, correction
        counts_from = pq.read_table(newest / "late_commits.parquet", partitioning=None)["readable_at"][0].as_py()
    return not (place.parent / f"{place.name}.late1").exists()


def _place(lake: Lake, place: Path, parcel: Parcel, lead: timedelta, timing: Timing, fence: Fence) -> bool:
    """Fills a directory aside, stamped to the time it will be readable, and renames it into place."""
    aside = lake.root / "staging" / f".commit.{secrets.token_hex(6)}"
    make_dirs(aside.parent)
    make_dirs(place.parent)
    try:
        while True:
            began = timing.clock()
            available_at = max(began + timing.tolerance + lead, parcel.not_before or began)
            _fill(aside, parcel, available_at)
            with fence():
                # all is fsynced before this check, so that next to nothing is left between it and the rename
                ready = timing.clock()
                if ready + timing.tolerance + MARGIN <= available_at:
                    return place_dir(aside, place)
            lead = 2 * max(lead, ready - began)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(aside: Path, parcel: Parcel, available_at: datetime) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    ref = parcel.batch
    stamp = Stamp(batch_id=ref.batch_id, stage=ref.stage, pipeline_version=__version__, available_at=available_at)
    write_tables({name: _stamped(name, table, stamp) for name, table in parcel.tables.items()}, aside)
    note = {
        "batch_id": ref.batch_id,
        "stage": ref.stage,
        "shards": parcel.shards,
        "available_at": available_at.isoformat(),
        "pipeline_version": __version__,
        "rows": {name: table.num_rows for name, table in parcel.tables.items()},
        "counts": parcel.counts,
    }
    (aside / NOTE).write_text(json.dumps(note, indent=1))
    fsync_all(aside)


def _stamped(name: str, table: pa.Table, stamp: Stamp) -> pa.Table:
    """The table with the columns every row of the lake carries, in the contract's order and types."""
    for column in arrow_schema(Stamp):
        value = pa.scalar(getattr(stamp, column.name), type=column.type)
        table = table.append_column(column, pa.repeat(value, table.num_rows))
    return table.select(table_schema(name).names).cast(table_schema(name))


def write_schema_files(lake: Lake) -> None:
    """Gives every table of the lake its columns: a file without rows each, in which later fields appear too.

    A table that got a field after its first file is noted in `evolved.json`: its files are read by name, which is slower.
    """
    schemas = {lake.schema_files("hot") / f"{name}.parquet": table_schema(name) for name in TABLES}
    schemas[lake.schema_files("raw") / "bodies.parquet"] = bodies_schema()
    for path, schema in schemas.items():
        known = set(pq.read_schema(path).names) if path.exists() else None
        if known is None or set(schema.names) - known:
            if known is not None:
                evolved = lake.evolved() | {path.stem}
                write_file(lake.root / "evolved.json", json.dumps(sorted(evolved)).encode())
            place_file(path, partial(pq.write_table, schema.empty_table()))
