"""Checks the committed directories: each holds what its note says, and nothing else lies there. I/O, reads only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.lake.commit import CONFIRMED, NOTE, note_of
from pipeline.lake.layout import PUSH, STAGES, BatchRef, Lake
from pipeline.lake.store import store_of, table_of
from pipeline.lake.verify.file import Said, look
from pipeline.lake.verify.finding import Finding, Watch, done_again, error, restored, warning
from pipeline.lake.verify.marks import Marks
from schemas import TABLES, table_schema


@dataclass(slots=True)
class Sources:
    """The files that hold each table's rows, as views read them and save damaged ones; the tables of which some are lost."""

    files: dict[str, list[Path]] = field(default_factory=lambda: {name: [] for name in TABLES})
    lost: set[str] = field(default_factory=set)


def check_hot(lake: Lake, marks: Marks, sources: Sources, watch: Watch) -> Iterator[Finding]:
    """Looks at every committed directory; the sound files of open days are added to `sources`."""
    for stray in sorted(p for p in (lake.root / "hot").glob("*") if p.name.removeprefix("date=") not in _days(lake)):
        yield _stranger(lake, stray)
    places = [place for day in lake.days() for place in store_of(lake.root).placed_in(lake.hot_day(day))]
    for number, place in enumerate(places):
        watch("committed batches", number, len(places))
        day = date.fromisoformat(place.parent.name.removeprefix("date="))
        record = marks.records.get(str(day))
        if not marks.mark.covers(day):
            yield from _open(lake, marks, sources, place)
        elif record and place.name in record.directories:
            yield from _moved(lake, place)
        elif record:
            yield late_finding(lake, place)


def _days(lake: Lake) -> set[str]:
    return {str(day) for day in lake.days()} | {"1970-01-01"}


def _stranger(lake: Lake, path: Path) -> Finding:
    """Something that no commit placed. What looks like a table to views is an error: they read it."""
    place = str(path.relative_to(lake.root))
    tables = sorted({table_of(p) for p in path.rglob("*.parquet")} & TABLES.keys()) if path.is_dir() else []
    if tables:
        problem = f"was placed by no commit, and views read what it holds: {', '.join(tables)}"
        return error("stranger", place, problem, f"move {place} out of the lake")
    return warning("stranger", place, "was placed by no commit", f"move {place} out of the lake")


def late_finding(lake: Lake, place: Path) -> Finding:
    """A directory of a closed day that its closing did not take."""
    at = str(place.relative_to(lake.root))
    ref = BatchRef.parse(place.name)
    if ref and ref.stage in (PUSH, *STAGES) and (place / NOTE).exists():
        return warning("late", at, "came after its day was closed, and counts for nothing", "`newsmill run` does its work again")
    problem = "lies in a closed day whose closing did not take it, and counts for nothing"
    return warning("late", at, problem, f"move {at} out of the lake")


def _moved(lake: Lake, place: Path) -> Iterator[Finding]:
    """A directory whose rows are in cold/ by now; it matters only to connections of before."""
    _, found = _contents(place, str(place.relative_to(lake.root)), "")
    for one in found:
        remedy = "none is needed: its rows are in cold/, and `newsmill lake close` deletes it after its time of grace"
        yield warning(one.kind, one.place, f"{one.problem}; only connections opened before the closing read it", remedy)


def _open(lake: Lake, marks: Marks, sources: Sources, place: Path) -> Iterator[Finding]:
    """A directory that views read."""
    at = str(place.relative_to(lake.root))
    ref = BatchRef.parse(place.name.partition(".late")[0])
    if ref is None or not place.is_dir():
        yield _stranger(lake, place)
        return
    note = _note(place)
    if note and (said := f"{note['batch_id']}-{note['stage']}") != ref.name:
        copied = next((lake.root / "hot").glob(f"date=*/{said}"), None)
        remedy = f"move {at} out of the lake" if copied else f"rename it to {said}"
        yield error("foreign", at, f"says that it is {said}" + (", which is there too" if copied else ""), remedy)
        if copied:
            return
    sound, found = _contents(place, at, restored(at, done_again(lake, at, place.name)))
    yield from found
    known = {table_of(path) for path in place.glob("*.parquet")} if note is None else {t for t, n in note["rows"].items() if n}
    sources.lost |= (known - {table_of(path) for path in sound}) & TABLES.keys()
    for path, lacking in sound.items():
        sources.files[table_of(path)].append(path)
        if lacking and table_of(path) not in marks.evolved:
            yield not_evolved(f"{at}/{path.name}", table_of(path), lacking)


def _note(place: Path) -> dict[str, Any] | None:
    """A directory's note; None where it is missing or damaged."""
    try:
        note = note_of(place)
        return note if isinstance(note["rows"], dict) and note["batch_id"] and note["stage"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _contents(place: Path, at: str, remedy: str) -> tuple[dict[Path, tuple[str, ...]], list[Finding]]:
    """The sound files of a directory with the columns each lacks, and what is wrong in it."""
    note = _note(place)
    if note is None:
        what = "is damaged" if (place / NOTE).exists() else "is missing"
        return {}, [error("note", f"{at}/{NOTE}", what, remedy)]
    hashes = note.get("sha256", {})
    said = {
        f"{name}.parquet": Said(rows, None, hashes.get(f"{name}.parquet"))
        for name, rows in note["rows"].items()
        if rows or f"{name}.parquet" in hashes  # a takedown can leave a file without rows
    }
    files = {f"{table_of(path)}.parquet": path for path in store_of(place).files_in(place)}
    sound: dict[Path, tuple[str, ...]] = {}
    found: list[Finding] = []
    for name, of_file in said.items():
        table = name.removesuffix(".parquet")
        if table not in TABLES:
            found.append(error("unknown_table", f"{at}/{name}", "is a table that this Newsmill does not know", "update Newsmill"))
            continue
        path = files.get(name, place / name)
        seen = look(path, of_file, table_schema(table))
        if seen.problem:
            found.append(error(seen.kind, f"{at}/{name}", seen.problem, remedy))
        else:
            sound[path] = seen.lacking
    ours = {NOTE, *(files[name].name for name in said if name in files)}
    strange = (
        p for p in store_of(place).seen_in(place) if p.name not in ours and p.name.partition(".")[0] not in ("", CONFIRMED)
    )
    for path in sorted(strange):
        found.append(_unnamed(path, f"{at}/{path.name}"))
    return sound, found


def _unnamed(path: Path, at: str) -> Finding:
    if path.suffix == ".parquet" and table_of(path) in TABLES:
        return error("stranger", at, "is not in the note of its batch, and views read it", f"move {at} out of the lake")
    return warning("stranger", at, "is not in the note of its batch", f"move {at} out of the lake")


def not_evolved(at: str, table: str, lacking: tuple[str, ...]) -> Finding:
    problem = f"lacks columns of today ({', '.join(lacking)}), and evolved.json does not name its table"
    return error("evolved", at, problem, f"add {json.dumps(table)} to the list in evolved.json")
