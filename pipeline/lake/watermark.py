"""How far the lake is closed: the watermark, and the records of what each closing took. I/O on small files.

Days at or below the watermark are read from cold/, days above from hot/. A committed directory of a closed day counts only if
the day's record lists it; one that is not listed came too late, and its batch is done again.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pipeline.errors import LakeError
from pipeline.lake.layout import SCHEMA_DAY, Lake
from pipeline.lake.store import Seen, store_of

#: So long may a batch go on; afterwards what it has kept is finished under a derived id, in a day that is open.
LIFETIME = timedelta(hours=6)
#: A day closes so long after its end at the earliest: when no batch of it can be alive.
CLOSES_AFTER = LIFETIME


@dataclass(frozen=True, slots=True)
class Watermark:
    """The last closed day and month, None where none is closed; and the first day on which something may still be to do."""

    day: date | None = None
    month: str | None = None
    open_from: date = SCHEMA_DAY
    #: Whether a closed batch may count from another time than its rows say.
    late: bool = True

    def covers(self, day: date) -> bool:
        return self.day is not None and day <= self.day

    @property
    def through(self) -> date:
        """The last closed day, or one before all days."""
        return self.day or SCHEMA_DAY

    @property
    def months_through(self) -> date:
        """The last day of the last closed month, or one before all days."""
        return last_day(self.month) if self.month else SCHEMA_DAY


def last_day(month: str) -> date:
    """The last day of a month named like 2026-11."""
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def watermark(lake: Lake) -> Watermark:
    """How far the lake is closed now.

    Raises:
        LakeError: the file that says so is damaged.
    """
    path = lake.root / "watermark.json"
    try:
        found = json.loads(path.read_text())
        day, open_from = (date.fromisoformat(found[key]) if found.get(key) else None for key in ("day", "open_from"))
        return Watermark(day, found["month"], open_from or SCHEMA_DAY, found.get("late", True))
    except FileNotFoundError:
        return Watermark()
    except (ValueError, KeyError, TypeError) as e:
        raise LakeError(f"{path} is damaged ({e}); the newest files in closed/ name the day and the month it should hold") from e


def move(lake: Lake, to: Watermark, seen: Seen | None = None) -> None:
    """Sets the watermark; readers that open the lake from now on follow it.

    Raises:
        LakeBusy: it is another than was seen.
    """
    said = {"day": to.day and to.day.isoformat(), "month": to.month, "open_from": to.open_from.isoformat(), "late": to.late}
    store_of(lake.root).write_file(lake.root / "watermark.json", json.dumps(said).encode(), seen)


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a closing wrote."""

    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Closing:
    """What the closing of a day or a month took, by directory name, and what it wrote, by path in the lake."""

    period: str
    closed_at: datetime
    directories: tuple[str, ...]
    files: dict[str, Written]

    def write(self, lake: Lake, seen: Seen | None = None) -> None:
        """Raises LakeBusy where the record is another than was seen."""
        said = {**asdict(self), "closed_at": self.closed_at.isoformat()}
        store_of(lake.root).write_file(_record(lake, self.period), json.dumps(said, indent=0).encode(), seen)


def closing(lake: Lake, period: date | str) -> Closing | None:
    """The record of a day's or a month's closing; None where it has none.

    Raises:
        LakeError: the record is damaged.
    """
    path = _record(lake, str(period))
    try:
        said = json.loads(path.read_text())
        files = {name: Written(**written) for name, written in said["files"].items()}
        return Closing(said["period"], datetime.fromisoformat(said["closed_at"]), tuple(said["directories"]), files)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as e:
        raise LakeError(f"{path} is damaged ({e}); restore it from a copy of the lake") from e


def seen_before(lake: Lake, period: date | str, files: list[Path]) -> Seen:
    """What closing a period will write, as it is found before that: also these files."""
    return store_of(lake.root).seen([*files, _record(lake, str(period)), lake.root / "watermark.json"])


def _record(lake: Lake, period: str) -> Path:
    return lake.root / "closed" / f"{period}.json"


def closable_from(day: date) -> datetime:
    """From when a day may be closed."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) + CLOSES_AFTER


def open_day(lake: Lake, now: datetime) -> date:
    """The day under which work done now can be committed: today, or the first open one where a clock ran ahead."""
    return max(now.astimezone(UTC).date(), watermark(lake).through + timedelta(days=1))


def taken(lake: Lake, day: date, directory: str) -> bool:
    """Whether a committed directory counts: its day is open, or was closed with it."""
    if not watermark(lake).covers(day):
        return True
    record = closing(lake, day)
    return record is not None and directory in record.directories


def late(lake: Lake) -> list[Path]:
    """Committed directories that count for nothing: their day was closed without them."""
    mark = watermark(lake)
    found: list[Path] = []
    for day in lake.days():
        if mark.covers(day):
            record = closing(lake, day)
            listed = set(record.directories) if record else set()
            there = store_of(lake.root).placed_in(lake.hot_day(day))
            found += [p for p in there if p.name not in listed and not p.name.startswith(".")]
    return found
