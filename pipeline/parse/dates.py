"""Reads the dates that feeds write, German and English, and says how far each can be trusted. Pure.

feedparser's own dates are not used: it reads CET and MESZ as UTC, takes an epoch for a date of 2017 and knows no
German month, all in silence. Whatever is not understood here is named unreadable; nothing ever becomes "now".
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from schemas.feed import DateQuality

Read = tuple[datetime | None, DateQuality]

_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)
_LONGEST = 80  # characters; no date is longer, and hostile text should not be searched

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januar january jän jänner",
            "feb februar february feber",
            "mär märz mar march mrz maer maerz",
            "apr april",
            "mai may",
            "jun juni june",
            "jul juli july",
            "aug august",
            "sep sept september",
            "okt oktober oct october",
            "nov november",
            "dez dezember dec december",
        ),
        start=1,
    )
    for name in names.split()
}

#: Hours ahead of UTC. CST and IST have several meanings; the one most feeds mean is taken (Chicago, India).
_ZONES = {
    name: timezone(timedelta(hours=hours))
    for hours, names in (
        (0, "z ut utc gmt wet"),
        (1, "cet mez met bst west"),
        (2, "cest mesz mest eet oez"),
        (3, "eest oesz msk"),
        (5.5, "ist"),
        (8, "hkt sgt awst"),
        (9, "jst kst"),
        (10, "aest"),
        (11, "aedt"),
        (12, "nzst"),
        (13, "nzdt"),
        (-3, "brt"),
        (-4, "edt ast"),
        (-5, "est cdt"),
        (-6, "cst mdt"),
        (-7, "mst pdt"),
        (-8, "pst akdt"),
        (-9, "akst"),
        (-10, "hst"),
    )
    for name in names.split()
}
#: Names that leave summer time open.
_REGIONS = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}

_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(?=\D|$)")
_CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})(?::(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?!\d)(?:\s*(?:uhr|([ap])\.?m\b\.?))?"
    r"|(?:\.(\d\d))?\s*(?:uhr\b|([ap])\.?m\b\.?))",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?<![\d-])(?:gmt|utc)?\s?([+-])(\d{1,2})(?::?(\d\d))?(?!\d)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)(?!\d)")
_DAY_NAME = re.compile(r"(?<!\d)(\d{1,2})(?:\.|st|nd|rd|th)?[\s-]*([^\W\d_]{3,9})\.?,?[\s-]*(\d{4}|\d\d)(?!\d)")
_NAME_DAY = re.compile(r"([^\W\d_]{3,9})\.?\s+(\d{1,2})(?:\.|st|nd|rd|th)?,?\s+(\d{4})(?!\d)")


def read_date(raw: str | None, *, language: str | None, received_at: datetime) -> Read:
    """The moment that `raw` names, in UTC, and the quality of that reading.

    A day without a time is given as midnight UTC with DateQuality.DAY. A time without an offset is read in the zone
    of the language. Dates that no feed can mean (before 1995, more than two days after `received_at`) give None.
    """
    text = " ".join((raw or "").split())
    if not text:
        return None, DateQuality.MISSING
    if len(text) > _LONGEST:
        return None, DateQuality.UNREADABLE
    moment, quality = _epoch(text) or _calendar(text, language)
    if moment is None:
        return None, quality
    # Years are compared first: moving year 1 or 9999 to UTC can leave what datetime can hold.
    if not _EARLIEST.year - 1 <= moment.year <= received_at.year + 1:
        return None, DateQuality.IMPLAUSIBLE
    moment = moment.astimezone(UTC)
    if not _EARLIEST <= moment <= received_at + _AHEAD:
        return None, DateQuality.IMPLAUSIBLE
    return moment, quality


def _epoch(text: str) -> Read | None:
    found = _EPOCH.fullmatch(text)
    if not found:
        return None
    seconds = int(found[1]) if found[1] else int(found[2]) // 1000
    return datetime.fromtimestamp(seconds, UTC), DateQuality.EXACT


def _calendar(text: str, language: str | None) -> Read:
    compact = _COMPACT.match(text)
    if compact:
        clock = tuple(int(part or 0) for part in compact.groups()[3:]) if compact[4] else None
        day, rest = _day(int(compact[1]), int(compact[2]), int(compact[3])), text[compact.end() :]
    else:
        # A T between day and time would otherwise be read as part of a word.
        spaced = re.sub(r"(?<=\d)T(?=\d)", " ", text)
        clock, rest = _take_clock(spaced)
        day, rest = _take_day(rest, language)
    if day is None:
        return None, DateQuality.UNREADABLE
    if clock is None or day.year == 9999:
        return day, DateQuality.DAY
    elapsed = _elapsed(*clock)
    if elapsed is None:
        return None, DateQuality.UNREADABLE
    zone = _zone(rest)
    exact = DateQuality.EXACT if zone else DateQuality.ASSUMED_ZONE
    # Added before the zone is set: 24:00 is midnight of the next day by the calendar, also when the clocks change.
    return (day.replace(tzinfo=None) + elapsed).replace(tzinfo=zone or assumed_zone(language)), exact


def assumed_zone(language: str | None) -> tzinfo:
    """The zone in which a feed of this language means a time without an offset."""
    return ZoneInfo("Europe/Berlin") if (language or "").lower()[:2] == "de" else UTC


def _take_clock(text: str) -> tuple[tuple[int, ...] | None, str]:
    found = _CLOCK.search(text)
    if not found:
        return None, text
    hour, minute, second = int(found[1]), int(found[2] or found[5] or 0), int(found[3] or 0)
    half = (found[4] or found[6] or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return (hour, minute, second), f"{text[: found.start()]} {text[found.end() :]}"


def _elapsed(hour: int, minute: int, second: int) -> timedelta | None:
    """Time since midnight; 24:00 and a leap second are allowed."""
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _take_day(text: str, language: str | None) -> tuple[datetime | None, str]:
    for pattern in (_YEAR_FIRST, _DAY_FIRST, _SLASHED, _DAY_NAME, _NAME_DAY):
        for found in pattern.finditer(text):
            day = _from_match(pattern, found, language)
            if day:
                return day, f"{text[: found.start()]} {text[found.end() :]}"
    # asctime writes the year after the time, with the zone before it: bring the year to its day.
    late_year = re.search(r"\s(\d{4})$", text)
    named = re.search(r"([^\W\d_]{3,9})\s+(\d{1,2})(?=\s)", text) if late_year else None
    if late_year and named and named[1].lower() in _MONTHS:
        day = _day(int(late_year[1]), _MONTHS[named[1].lower()], int(named[2]))
        return day, f"{text[: named.start()]} {text[named.end() : late_year.start()]}"
    return None, text


def _from_match(pattern: re.Pattern[str], found: re.Match[str], language: str | None) -> datetime | None:
    if pattern is _YEAR_FIRST:
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if pattern is _DAY_FIRST:
        return _day(_full_year(found[3]), int(found[2]), int(found[1]))
    if pattern is _SLASHED:
        first, second, year = int(found[1]), int(found[3]), _full_year(found[4])
        month_first = found[2] == "/" and (language or "").lower()[:2] != "de"
        orders = ((first, second), (second, first))
        return _day(year, *orders[not month_first]) or _day(year, *orders[month_first])
    name, number = (found[2], found[1]) if pattern is _DAY_NAME else (found[1], found[2])
    month = _MONTHS.get(name.lower())
    return _day(_full_year(found[3]), month, int(number)) if month else None


def _full_year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 70 else 1900)


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def _zone(rest: str) -> tzinfo | None:
    offset = _OFFSET.search(rest)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        ahead = timedelta(minutes=minutes if offset[1] == "+" else -minutes)
        return timezone(ahead) if minutes <= 14 * 60 else None
    for word in _WORD.findall(rest.lower()):
        if word in _ZONES:
            return _ZONES[word]
        if word in _REGIONS:
            return ZoneInfo(_REGIONS[word])
    return None
