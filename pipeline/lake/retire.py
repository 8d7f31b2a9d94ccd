"""Deletes what closing has moved, once nobody can be reading it any more, and raw bytes past their keeping. I/O.

A mark that all views look at is set before the first file goes: whoever still reads the old place gets an error, never less. Who
began to read just before the mark reads on, so the files go later than the mark.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline.lake.durable import remove_dir
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.views import deleted_through, mark_deleted, marked_at, write_news
from pipeline.lake.watermark import closing, last_day, late, watermark
from schemas import TABLES, Table


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what was moved stays for those who read it, and how many days raw bytes are kept (None: for good).

    `drain` is how long a query may take that began to read an outdated view before the mark told it not to.
    """

    grace: timedelta
    raw_days: int | None = None
    drain: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Retired:
    """What was deleted."""

    directories: int = 0
    files: int = 0
    raw_batches: int = 0

    def __str__(self) -> str:
        done = {"moved directories": self.directories, "moved files": self.files, "batches of raw bytes": self.raw_batches}
        return "deleted: " + (", ".join(f"{n:,} {what}" for what, n in done.items() if n) or "nothing yet")


def retire(lake: Lake, now: datetime, rules: Rules) -> Retired:
    """Deletes what its rules allow; broken off, it is gone on with the next time. The caller holds the closer's lock."""
    raw = _delete_raw(lake, now, rules)
    marked = marked_at(lake)
    if marked and marked + rules.drain > now:
        return Retired(raw_batches=raw)
    hot_through, days_through = before = deleted_through(lake)
    hot = [day for day in lake.days() if watermark(lake).covers(day) and _is_past(lake, day, now, rules)]
    months = [m for m in _months(lake) if _is_past(lake, m, now, rules)]
    upcoming = _latest(hot_through, hot), _latest(days_through, map(last_day, months))
    if upcoming != before:
        write_news(lake)  # whoever gets the error finds a news.duckdb that does not raise it
        mark_deleted(lake, *upcoming, now)
        if not rules.drain:
            hot_through, days_through = upcoming
    directories = sum(_delete_hot(lake, day) for day in hot if hot_through and day <= hot_through)
    files = _delete_cold(lake, hot_through, days_through)
    return Retired(directories, files, raw)


def _latest(before: date | None, days: Iterable[date]) -> date | None:
    return max([*days, *filter(None, [before])], default=None)


def _is_past(lake: Lake, period: date | str, now: datetime, rules: Rules) -> bool:
    record = closing(lake, period)
    return record is not None and record.closed_at + rules.grace <= now


def _months(lake: Lake) -> list[str]:
    """The closed months of which days are still there."""
    months = {f"{day:%Y-%m}" for table, t in TABLES.items() if t.narrow for day in lake.days(f"cold/{table}")}
    return sorted(month for month in months if month <= (watermark(lake).month or ""))


def _delete_hot(lake: Lake, day: date) -> int:
    """Deletes the directories that the closing of a day took, and no other."""
    record = closing(lake, day)
    places = [p for name in (record.directories if record else ()) if (p := lake.hot_day(day) / name).exists()]
    for place in places:
        remove_dir(place, lake.root / "staging")
    with suppress(OSError):
        lake.hot_day(day).rmdir()
    return len(places)


def _delete_cold(lake: Lake, hot_through: date | None, days_through: date | None) -> int:
    """Deletes days of narrow tables that are in month files, and snapshots that only views from before the mark could read."""

    def is_gone(table: Table, day: date) -> bool:
        moved = table.narrow and days_through is not None and day <= days_through
        return moved or (table.snapshot and hot_through is not None and day < hot_through)

    places = [
        lake.cold(name, day).parent for name, table in TABLES.items() for day in lake.days(f"cold/{name}") if is_gone(table, day)
    ]
    for place in places:
        remove_dir(place, lake.root / "staging")
    return len(places)


def _delete_raw(lake: Lake, now: datetime, rules: Rules) -> int:
    """Deletes raw bytes of closed days past their keeping, never of a batch that is not committed yet."""
    if rules.raw_days is None:
        return 0
    mark, oldest = watermark(lake), (now - timedelta(days=rules.raw_days)).date()
    begun = [p.name for p in [*(lake.root / "staging").iterdir(), *late(lake)]]
    waiting = {f"{ref.root}-{ref.stage}" for name in begun if (ref := BatchRef.parse(name))}
    places = [
        place
        for day in lake.days("raw")
        if mark.covers(day) and day < oldest
        for place in (lake.root / "raw" / f"date={day}").iterdir()
        if place.name not in waiting
    ]
    for place in places:
        remove_dir(place, lake.root / "staging")
        with suppress(OSError):
            place.parent.rmdir()
    return len(places)
