"""Reads the date and time that a page states of itself. Pure: knows no today."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

_YEARS = range(1990, 2100)
_DAY = re.compile(r"^(\d{4})-?(\d\d)-?(\d\d)$|^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_TIME = re.compile(
    r"^(\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})(?:[T ]|,? )\s*(\d{1,2}:\d\d)(:\d\d)?(?:[.,]\d+)?\s*(.*)$", re.IGNORECASE
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar jänner january jan",
            "februar february feb",
            "märz march mär mrz mar",
            "april apr",
            "mai may",
            "juni june jun",
            "juli july jul",
            "august aug",
            "september sept sep",
            "oktober october okt oct",
            "november nov",
            "dezember december dez dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WRITTEN = re.compile(
    r"^(?:[^\W\d_]{2,10}\.?,? )?(?:(\d{1,2})\.? ([^\W\d_]{3,9})|([^\W\d_]{3,9})\.? (\d{1,2}))\.?,? (\d{4})(?=$|[, ])",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"^(?:utc|gmt)?\s?([+-])(\d\d):?(\d\d)?$", re.IGNORECASE)
_NAMED = {"z": "UTC", "utc": "UTC", "gmt": "UTC"} | dict.fromkeys(("cet", "cest", "mez", "mesz", "uhr"), "Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Stated:
    """A moment and how exactly it was stated: second, minute or day (then midnight UTC of that day)."""

    at: datetime
    precision: str


def read_date(value: str, language: str | None) -> Stated | None:
    """The moment a page states, None where it is unclear or implausible. A time without a zone is the language's usual one."""
    value = " ".join(value.split())[:60]
    figures = _in_figures(value)
    stated = _read_day(figures) or _read_time(figures, language) or _read_rfc(value)
    return stated if stated is not None and stated.at.year in _YEARS else None


def _in_figures(value: str) -> str:
    """ "Montag, 23. November 2026, 17:30 Uhr" is "23.11.2026, 17:30 Uhr"."""
    found = _WRITTEN.match(value)
    month = _MONTHS.get((found[2] or found[3]).lower()) if found else None
    return f"{found[1] or found[4]}.{month}.{found[5]}{value[found.end() :]}" if found and month else value


def _read_day(value: str) -> Stated | None:
    if not (found := _DAY.match(value)):
        return None
    parts = [int(part) for part in found.groups() if part]
    year, month, day = parts if found[1] else reversed(parts)
    try:
        return Stated(datetime.combine(date(year, month, day), time(), UTC), "day")
    except ValueError:
        return None


def _read_time(value: str, language: str | None) -> Stated | None:
    if not (found := _TIME.match(value)) or not (day := _read_day(found[1])):
        return None
    try:
        clock = time.fromisoformat(found[2].zfill(5) + (found[3] or ""))
        zone = _zone(found[4].strip(" ()"), language)
        at = datetime.combine(day.at.date(), clock, zone).astimezone(UTC) if zone else None
    except (ValueError, OverflowError):  # no such time; before the first year
        return None
    return Stated(at, "second" if found[3] else "minute") if at else None


def _zone(name: str, language: str | None) -> tzinfo | None:
    """The zone of that name or offset; None for one that is not known."""
    if not name:
        return ZoneInfo("Europe/Berlin" if language == "de" else "UTC")
    if offset := _OFFSET.match(name):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    if named := _NAMED.get(name.lower()):
        return ZoneInfo(named)
    return None


def _read_rfc(value: str) -> Stated | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return Stated((at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), "second")
