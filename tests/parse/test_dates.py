"""What feeds write as a date, and what it means."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.parse import parse_feed
from pipeline.parse.dates import read_date
from schemas.feed import DateQuality, ParsedEntry, ParsedFeed

RECEIVED = datetime(2024, 7, 20, 12, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "pages_and_feeds" / "feeds"


def read(raw: str | None, language: str | None = "de") -> tuple[str | None, str]:
    moment, quality = read_date(raw, language=language, received_at=RECEIVED)
    assert moment is None or moment.tzinfo is UTC
    return moment and moment.strftime("%Y-%m-%d %H:%M:%S"), quality.value


@pytest.mark.parametrize(
    ("raw", "utc"),
    [
        ("Thu, 06 Jun 2024 08:30:00 +0200", "2024-06-06 06:30:00"),
        ("Thu,6 Jun 2024 08:30 GMT", "2024-06-06 08:30:00"),
        ("Do, 06 Jun 2024 08:30:00 MESZ", "2024-06-06 06:30:00"),
        ("Don, 07 Mär 2024 08:30:00 MEZ", "2024-03-07 07:30:00"),
        ("Die, 07 Mai 2024 08:30:00 CEST", "2024-05-07 06:30:00"),
        ("Sa., 7. Okt. 2023 08:30:00 +02:00", "2023-10-07 06:30:00"),
        ("Donnerstag, 7. Dezember 2023 - 08:30 Uhr MEZ", "2023-12-07 07:30:00"),
        ("07 Dec 23 08:30:00 EST", "2023-12-07 13:30:00"),
        ("07 Jul 2023 08:30:00 PDT", "2023-07-07 15:30:00"),
        ("July 7, 2023 8:30 PM EDT", "2023-07-08 00:30:00"),
        ("07 Jul 2023 12:05 a.m. UTC", "2023-07-07 00:05:00"),
        ("07 Jul 2023 08:30:00 ET", "2023-07-07 12:30:00"),
        ("07 Jan 2023 08:30:00 ET", "2023-01-07 13:30:00"),
        ("Fri Jul  7 08:30:00 2023 UTC", "2023-07-07 08:30:00"),
        ("Fri Jul 7 08:30:00 CEST 2023", "2023-07-07 06:30:00"),
        ("Friday, 07-Jul-23 08:30:00 GMT", "2023-07-07 08:30:00"),
        ("2023-07-07T08:30:00Z", "2023-07-07 08:30:00"),
        ("2023-07-07T08:30:00.123456-05:30", "2023-07-07 14:00:00"),
        ("2023-07-07 08:30:00 +0200", "2023-07-07 06:30:00"),
        ("2023-07-07T08:30+02", "2023-07-07 06:30:00"),
        ("20230707T083000Z", "2023-07-07 08:30:00"),
        ("07 Jul 2023 24:00:00 GMT", "2023-07-08 00:00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
        ("1688718600", "2023-07-07 08:30:00"),
        ("1688718600123", "2023-07-07 08:30:00"),
        ("07 Jul 2023 08:30:00 GMT+2", "2023-07-07 06:30:00"),
    ],
)
def test_a_time_with_an_offset_is_exact(raw: str, utc: str) -> None:
    assert read(raw) == (utc, "exact")


@pytest.mark.parametrize(
    ("raw", "language", "utc"),
    [
        ("07.07.2023 08:30", "de", "2023-07-07 06:30:00"),
        ("07.01.2023 08:30", "de-AT", "2023-01-07 07:30:00"),
        ("7. Juli 2023, 08:30 Uhr", "de", "2023-07-07 06:30:00"),
        ("7. Juli 2023, 8.30 Uhr", "de", "2023-07-07 06:30:00"),
        ("7.7.23, 9 Uhr", "de", "2023-07-07 07:00:00"),
        ("2023-07-07T08:30:00", "de", "2023-07-07 06:30:00"),
        ("2023-07-07T08:30:00", "en", "2023-07-07 08:30:00"),
        ("2023-07-07T08:30:00", None, "2023-07-07 08:30:00"),
        ("7/9/2023 08:30", "en", "2023-07-09 08:30:00"),
        ("7/9/2023 08:30", "de", "2023-09-07 06:30:00"),
        ("17/9/2023 08:30", "en", "2023-09-17 08:30:00"),
        ("07 Jul 2023 08:30:00 XYZ", "en", "2023-07-07 08:30:00"),
        ("31 Mar 2024 24:00", "de", "2024-03-31 22:00:00"),
    ],
)
def test_a_time_without_an_offset_is_in_the_zone_of_the_language(raw: str, language: str | None, utc: str) -> None:
    assert read(raw, language) == (utc, "assumed_zone")


@pytest.mark.parametrize(
    "raw", ["07.07.23", "2023-07-07", "7. Juli 2023", "Fri, 7 Jul 2023", "20230707", "July 7th, 2023", "07/07/23"]
)
def test_a_day_is_a_day_and_not_its_midnight_somewhere(raw: str) -> None:
    assert read(raw) == ("2023-07-07 00:00:00", "day")


@pytest.mark.parametrize(
    "raw",
    ["0000-00-00T00:00:00Z", "gestern", "heute, 10:15 Uhr", "2023-02-30", "2023", "07 Jul", "07 Jul 2023 25:00:00 GMT",
     "07 Jul 2023 08:61 GMT", "99999999999999999999", "{{ date }}", "x" * 5000, "07 Jux 2023"],
)  # fmt: skip
def test_what_is_no_date_is_unreadable_and_never_now(raw: str) -> None:
    assert read(raw) == (None, "unreadable")


@pytest.mark.parametrize("raw", ["", "  \n", None])
def test_nothing_is_missing(raw: str | None) -> None:
    assert read(raw) == (None, "missing")


@pytest.mark.parametrize(
    "raw",
    ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T24:00:00-12:00", "1994-12-31T23:59:59Z", "2024-07-23"],
)
def test_what_no_feed_can_mean_is_implausible(raw: str) -> None:
    assert read(raw) == (None, "implausible")


def test_two_days_ahead_is_the_limit() -> None:
    assert read("2024-07-22T12:00:00Z") == ("2024-07-22 12:00:00", "exact")
    assert read("2024-07-22T12:00:01Z") == (None, "implausible")


def test_all_months_in_both_languages() -> None:
    names = ["Jan Januar January Jänner", "Feb Februar February", "Mär März Mar March", "Apr April", "Mai May", "Jun Juni June",
             "Jul Juli July", "Aug August", "Sep Sept September", "Okt Oktober Oct October", "Nov November",
             "Dez Dezember Dec December"]  # fmt: skip
    for month, row in enumerate(names, 1):
        for name in row.split():
            for written in (name, name.upper(), name.lower()):
                assert read(f"3. {written} 2023") == (f"2023-{month:02}-03 00:00:00", "day")


def shown(entry: ParsedEntry) -> str:
    if entry.published_at is None:
        return "null"
    return entry.published_at.strftime("%Y-%m-%d" if entry.date_quality is DateQuality.DAY else "%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared corpus")
def test_the_table_of_german_dates() -> None:
    feed = parse_feed(
        (SHARED / "made_german_dates.xml").read_bytes(), "https://x.example/", received_at=RECEIVED + timedelta(days=900)
    )
    assert isinstance(feed, ParsedFeed)
    wanted = [text.split(" (")[0] for text in json.loads((SHARED / "made_german_dates.expected.json").read_text())]
    got = [shown(entry) for entry in feed.entries]
    assert got == wanted
