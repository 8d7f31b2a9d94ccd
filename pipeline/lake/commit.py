"""Makes a batch part of the lake: one directory, filled aside and renamed into place. I/O.

Every row carries `available_at`, from when it could be read: late, never early. It is stamped a little ahead of the
rename; a rename that would miss it is stamped again. Should the process be held up just between that check and the
rename, the directory's own change time shows it, and a row in `late_commits` says from when the batch counts.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import __version__
from pipeline.errors import DayClosed
from pipeline.lake.durable import place_file, remove_dir, sha256
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import Fence, guarded
from pipeline.lake.rows import Tables, read_tables, write_tables
from pipeline.lake.store import store_of
from pipeline.lake.views import turn_away
from pipeline.lake.watermark import closing, open_day, taken, watermark
from pipeline.lake.watermark import late as came_late
from schemas import Stamp, table_schema
from schemas.columns import arrow_schema, from_arrow, to_arrow
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
    """What one directory will hold. Its rows count from `not_before` at the earliest: never before what they rest on.

    It lies under the batch's own date, or under `day`: work that came too late for its own.
    """

    batch: BatchRef
    tables: Tables
    shards: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    not_before: datetime | None = None
    day: date | None = None


#: What must be left at least of the time ahead of it that rows are stamped, for the rename and for confirming it.
MARGIN = timedelta(milliseconds=100)
#: A correction may be late itself; its own lead is generous.
CORRECTION_LEAD = timedelta(seconds=5)
#: Beside the mark `confirmed` lies `confirmed.<microseconds since 1970>` where a batch counts from another time than its stamp.
NOTE, CONFIRMED = "commit.json", "confirmed"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def commit(lake: Lake, parcel: Parcel, timing: Timing, fence: Fence = nullcontext) -> bool:
    """Adds a batch to the lake, whole or not at all; False where it is there already, and then nothing is written.

    Raises:
        LakeBusy: the fence says that the stage was lost; nothing is written.
        DayClosed: the day is closed; what may have been written counts for nothing, now or later.
    """
    place = lake.hot(parcel.batch, parcel.day)
    placed = not (place / NOTE).is_file() and _place(lake, place, parcel, store_of(place).lead, timing, fence)
    try:
        # once more: without locks of the system a closing could come between the check and the rename
        _refuse_closed(lake, place)
    except DayClosed:
        turn_away(lake, day_of(place), timing.clock())
        raise
    confirm(lake, place, timing)
    return placed


def committed(lake: Lake, batch: BatchRef) -> dict[BatchRef, dict[str, Any]]:
    """The parts of a batch that are in the lake, each with its note: shards, counts, available_at; mostly one.

    Of a part whose day was closed and whose directory is deleted there is no note any more: it is empty.
    """
    parts: dict[BatchRef, dict[str, Any]] = {}
    mark, day = watermark(lake), batch.date
    while mark.covers(day):
        record = closing(lake, day)
        parts |= {ref: {"shards": [], "counts": {}} for ref in _of_batch(batch, record.directories if record else ())}
        day += timedelta(days=1)
    for place in _placed(lake, f"{batch.root}*-{batch.stage}"):
        if taken(lake, day_of(place), place.name):
            parts |= {ref: note_of(place) for ref in _of_batch(batch, [place.name])}
    return dict(sorted(parts.items(), key=lambda part: part[0].number))


def next_part(lake: Lake, batch: BatchRef, now: datetime, *, late: bool) -> tuple[BatchRef, date]:
    """Under which id and day a batch's next part is committed: its own, or derived ones where those are taken or it is late."""
    names = [p.name for p in _placed(lake, f"{batch.root}*-{batch.stage}")]
    used = {ref.number for ref in [*committed(lake, batch), *_of_batch(batch, names)]}
    late = late or watermark(lake).covers(batch.date)
    target = BatchRef(batch.root, batch.stage) if not used and not late else batch.derived(max({1, *used}) + 1)
    return target, open_day(lake, now) if late else batch.date


def _placed(lake: Lake, names: str) -> Iterator[Path]:
    """The committed directories whose names fit, under any day."""
    return (place for place in (lake.root / "hot").glob(f"date=*/{names}") if store_of(place).is_placed(place))


def _of_batch(batch: BatchRef, names: Iterable[str]) -> list[BatchRef]:
    refs = (BatchRef.parse(name) for name in names)
    return [ref for ref in refs if ref and (ref.root, ref.stage) == (batch.root, batch.stage)]


def day_of(place: Path) -> date:
    """The day a committed directory lies under."""
    return date.fromisoformat(place.parent.name.removeprefix("date="))


def _refuse_closed(lake: Lake, place: Path) -> None:
    if not taken(lake, day_of(place), place.name):
        raise DayClosed(f"{day_of(place)} is closed without {place.name}: its work is done again under a derived id")


def note_of(place: Path) -> dict[str, Any]:
    """What a committed directory says of itself: its batch, shards, rows, counts, hashes and from when it counts."""
    note: dict[str, Any] = json.loads((place / NOTE).read_text())
    return note


def confirm_batches(lake: Lake, refs: Iterable[BatchRef], timing: Timing) -> bool:
    """Settles from when these batches could be read; False where one of them was late."""
    places = [place for ref in refs for place in _placed(lake, ref.name)]
    kept = [confirm(lake, place, timing) for place in places]
    return all(kept)


def confirm(lake: Lake, place: Path, timing: Timing) -> bool:
    """True where a committed directory kept its time; else a correction is added, unless it was before.

    A correction lies under a day that is open, maybe another than its batch. It may miss its own time; then the next one
    follows, counted from the later of both clocks involved. The answer is found once: later changes of the directory's change
    time (a restored copy, other rights) say nothing of the rename.
    """
    if (place / CONFIRMED).is_file():
        return not _correction(lake, place, 1)
    note, newest, number = note_of(place), place, 0
    counts_from = datetime.fromisoformat(note["available_at"])
    while True:
        renamed = store_of(newest).placed_at(newest)
        correction = _correction(lake, place, number + 1)
        # `as_of` counts it from when it is confirmed: killed before that, it must not come into a past that has been read
        if not correction and max(renamed, timing.clock()) + timing.tolerance > counts_from:
            late = LateCommit(
                late_batch_id=note["batch_id"],
                late_stage=note["stage"],
                stamped_at=datetime.fromisoformat(note["available_at"]),
                readable_at=max(timing.clock(), renamed) + timing.tolerance + CORRECTION_LEAD,
            )
            correction = _correct(lake, place, number + 1, late, timing)
        if not correction:
            break
        number, newest = number + 1, correction
        counts_from = read_tables(newest)["late_commits"]["readable_at"][0].as_py()
    if number:  # in one listing with the mark itself: a query may have looked for corrections before there was one
        place_file(place / f"{CONFIRMED}.{(counts_from - _EPOCH) // timedelta(microseconds=1)}", Path.touch)
    place_file(place / CONFIRMED, Path.touch)
    return not number


def _correction(lake: Lake, place: Path, number: int) -> Path | None:
    found = (p for p in _placed(lake, f"{place.name}.late{number}") if taken(lake, day_of(p), p.name))
    return next(found, None)


def _correct(lake: Lake, place: Path, number: int, late: LateCommit, timing: Timing) -> Path:
    """Adds a correction under the day of its batch, or where that is closed under one that is open."""
    parcel = Parcel(BatchRef(late.late_batch_id, late.late_stage), {"late_commits": to_arrow([late], LateCommit)})
    while True:
        day = max(day_of(place), watermark(lake).through + timedelta(days=1))
        correction = lake.hot_day(day) / f"{place.name}.late{number}"
        with suppress(DayClosed):
            _place(lake, correction, parcel, CORRECTION_LEAD, timing, lambda: guarded(lake, late.late_stage))
            _refuse_closed(lake, correction)
            return correction


def recommit_corrections(lake: Lake, stage: str, timing: Timing, say: Callable[[str], None]) -> None:
    """Commits the corrections of a stage again whose day was closed without them, under a day that is open."""
    for lost in came_late(lake):
        name, _, number = lost.name.rpartition(".late")
        ref = BatchRef.parse(name)
        if not (ref and ref.stage == stage and number.isdigit()):
            continue
        place = lost.with_name(name)
        if not _correction(lake, place, int(number)):
            (row,) = from_arrow(read_tables(lost)["late_commits"], LateCommit)
            _correct(lake, place, int(number), row, timing)
        say(f"{lost.name}: its day was closed without it, what it corrects is corrected under a day that is open")
        remove_dir(lost, lake.root / "staging")


def _place(lake: Lake, place: Path, parcel: Parcel, lead: timedelta, timing: Timing, fence: Fence) -> bool:
    """Fills a directory aside, stamped to the time it will be readable, brings it to its place and shows it there."""
    store = store_of(place)
    with store.scratch(lake.root, "commit") as aside:
        while True:
            began = timing.clock()
            available_at = max(began + timing.tolerance + lead, parcel.not_before or began)
            _fill(aside, parcel, available_at)
            brought, tried = store.bring(aside, place), False
            try:
                with fence():
                    if watermark(lake).covers(day_of(place)):
                        raise DayClosed(f"{day_of(place)} is closed; {place.name} is committed under a day that is open")
                    # all of it lasts before this check, so that next to nothing is left between it and the rename
                    ready = timing.clock()
                    if ready + timing.tolerance + MARGIN <= available_at:
                        tried = True  # an error from now on does not mean that it is not there
                        return brought.place()
            finally:
                if not tried:
                    brought.discard()
            lead = 2 * max(lead, ready - began)


def _fill(aside: Path, parcel: Parcel, available_at: datetime) -> None:
    for left in aside.iterdir():
        left.unlink()
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
        "sha256": {path.name: sha256(path) for path in sorted(aside.glob("*.parquet"))},
    }
    (aside / NOTE).write_text(json.dumps(note, indent=1))


def _stamped(name: str, table: pa.Table, stamp: Stamp) -> pa.Table:
    """The table with the columns every row of the lake carries, in the contract's order and types."""
    for column in arrow_schema(Stamp):
        value = pa.scalar(getattr(stamp, column.name), type=column.type)
        table = table.append_column(column, pa.repeat(value, table.num_rows))
    return table.select(table_schema(name).names).cast(table_schema(name))
