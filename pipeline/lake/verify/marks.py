"""Checks the small files that say how far the lake is closed and deleted, and what each closing took. I/O, reads only."""

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from pipeline.errors import LakeError, LakeFormat
from pipeline.lake.layout import SCHEMA_DAY, Lake
from pipeline.lake.verify.finding import Finding, error, restored, warning
from pipeline.lake.views import deleted_through
from pipeline.lake.watermark import Closing, Watermark, closing, watermark
from schemas import LAKE_FORMAT, TABLES

_PERIOD = re.compile(r"\d{4}-\d\d(-\d\d)?")


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the lake is closed and deleted, the records of it, and the tables whose older files lack a column."""

    mark: Watermark
    records: dict[str, Closing]
    hot_deleted: date | None
    days_deleted: date | None
    evolved: frozenset[str]

    def covers(self, period: str) -> bool:
        """Whether a day, or a month, is closed."""
        return period <= (self.mark.month or "") if len(period) == 7 else self.mark.covers(date.fromisoformat(period))

    def in_month(self, table: str, day: date) -> bool:
        """Whether views read this day of a table from a month file."""
        return TABLES[table].narrow and day <= self.mark.months_through


def read_marks(lake: Lake) -> tuple[Marks, list[Finding]]:
    """What the small files say; where one is damaged, what follows from the others.

    Raises:
        LakeError: there is no lake, or newer code wrote it.
    """
    found = _format(lake)
    records, periods, bad_records = _records(lake)
    expected = Watermark(
        max((date.fromisoformat(p) for p in periods if len(p) == 10), default=None),
        max((p for p in periods if len(p) == 7), default=None),
    )
    mark, bad_mark = _watermark(lake, expected)
    hot, days, bad_deleted = _deleted(lake)
    evolved, bad_evolved = _evolved(lake)
    marks = Marks(mark, records, hot, days, evolved)
    found += [*bad_records, *bad_mark, *bad_deleted, *bad_evolved]
    if not bad_mark:
        found += _consistent(lake, marks, expected, periods)
    return marks, found


def _format(lake: Lake) -> list[Finding]:
    path = lake.root / "format.json"
    if not path.exists() and not (lake.root / "hot").is_dir():
        lake.check()
    try:
        lake.check()
    except LakeFormat:
        raise
    except LakeError:
        what = "is damaged" if path.exists() else "is missing"
        return [error("format", "format.json", what, f'write {{"format": {LAKE_FORMAT}}} into it')]
    return []


def _records(lake: Lake) -> tuple[dict[str, Closing], list[str], list[Finding]]:
    """The records that can be read, the days and months that have one, and what is wrong with them."""
    records: dict[str, Closing] = {}
    periods: list[str] = []
    found = []
    for path in sorted((lake.root / "closed").glob("[!.]*")):
        place = _place(lake, path)
        if path.suffix != ".json" or not _is_period(path.stem):
            found.append(warning("stranger", place, "is no record of a closing", f"move {place} out of the lake"))
            continue
        periods.append(path.stem)
        try:
            record = closing(lake, path.stem)
            if record and record.period == path.stem:
                records[path.stem] = record
            else:
                found.append(error("record", place, f"is the record of {record and record.period}", restored(place)))
        except LakeError:
            found.append(error("record", place, "is damaged", restored(place)))
    return records, periods, found


def _is_period(text: str) -> bool:
    try:
        return bool(_PERIOD.fullmatch(text) and date.fromisoformat(text if len(text) == 10 else f"{text}-01"))
    except ValueError:
        return False


def _watermark(lake: Lake, expected: Watermark) -> tuple[Watermark, list[Finding]]:
    try:
        return watermark(lake), []
    except LakeError:
        return expected, [error("watermark", "watermark.json", "is damaged", f"write {_written(expected)} into it")]


def _written(mark: Watermark) -> str:
    return json.dumps({"day": mark.day and mark.day.isoformat(), "month": mark.month})


def _deleted(lake: Lake) -> tuple[date | None, date | None, list[Finding]]:
    try:
        return *deleted_through(lake), []
    except FileNotFoundError:
        problem, remedy = "is missing", "any `newsmill run` puts it back"
    except (pa.ArrowException, OSError, ValueError, KeyError):
        problem, remedy = "is damaged", "delete it; any `newsmill run` puts it back"
    return None, None, [error("deleted", "deleted.parquet", problem, remedy)]


def _evolved(lake: Lake) -> tuple[frozenset[str], list[Finding]]:
    try:
        names = lake.evolved()
        if names <= TABLES.keys() | {"bodies"}:
            return frozenset(names), []
        problem = f"names tables that are not there: {', '.join(map(str, sorted(names - TABLES.keys())))}"
    except (ValueError, TypeError):
        problem = "is damaged"
    remedy = f"write {json.dumps([*TABLES, 'bodies'])} into it: files of all tables are read by column name then"
    return frozenset({*TABLES, "bodies"}), [error("evolved", "evolved.json", problem, remedy)]


def _consistent(lake: Lake, marks: Marks, expected: Watermark, periods: list[str]) -> list[Finding]:
    """What does not fit between watermark, records, cold files and the mark of deletion."""
    mark = marks.mark
    cold_days = {day for table in TABLES for day in lake.days(f"cold/{table}")}
    write = f"write {_written(expected)} into it"
    if behind := _behind(marks):
        return [error("watermark", "watermark.json", behind, write)]
    if mark.day and mark.day > (expected.day or SCHEMA_DAY) and mark.day not in cold_days:
        return [error("watermark", "watermark.json", f"names {mark.day}, which was never closed", write)]
    if mark.months_through > mark.through:
        problem = f"names {mark.month}, of which days after {mark.day} are open"
        return [error("watermark", "watermark.json", problem, write)]
    months = {path.name.removeprefix("month=") for path in (lake.root / "cold").glob("*/month=*")} - {f"{SCHEMA_DAY:%Y-%m}"}
    should = {str(day) for day in cold_days | {mark.through} if SCHEMA_DAY < day <= mark.through}
    should |= {month for month in months | {mark.month or ""} if "" < month <= (mark.month or "")}
    lost = [f"closed/{period}.json" for period in sorted(should - set(periods))]
    above = [period for period in sorted(periods) if not marks.covers(period)]
    found = [error("record", place, "is missing, and its day or month is closed", restored(place)) for place in lost]
    if above:
        problem = f"does not cover what has a record: {', '.join(above)}"
        found.append(warning("watermark", "watermark.json", problem, "`newsmill lake close` closes it again"))
    return found


def _behind(marks: Marks) -> str:
    """Why views raise an error, where the watermark lies behind what has been deleted."""
    hot, days, mark = marks.hot_deleted or SCHEMA_DAY, marks.days_deleted or SCHEMA_DAY, marks.mark
    if hot > mark.through:
        return f"covers days through {mark.day}, and hot days through {hot} are deleted: no view can be read"
    if days > mark.months_through:
        return f"covers months through {mark.month}, and days through {days} have been replaced by months: no view can be read"
    return ""


def _place(lake: Lake, path: Path) -> str:
    return str(path.relative_to(lake.root))
