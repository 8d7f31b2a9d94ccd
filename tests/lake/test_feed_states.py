"""The state of a feed: what silence, walls, failures and poor entries make of it, at moments of a made-up autumn."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake import connect
from schemas.feed import DateQuality, Entry, Visit, VisitCode
from schemas.outcome import OutcomeCode
from tests.lake.sample import add, made, moment
from tests.lake.test_feed_status import entry, outcome, visit

#: A Monday at noon, five weeks after the first visits.
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIRST = datetime(2026, 10, 26, 0, tzinfo=UTC)
HOURS = [FIRST + timedelta(hours=n) for n in range(int((NOW - FIRST) / timedelta(hours=1)) + 1)]


def weekdays(at: datetime) -> bool:
    return at.isoweekday() < 6 and at.hour in (8, 12, 17)


#: When each of these brings an entry.
RHYTHMS: dict[str, Callable[[datetime], bool]] = {
    "weekdays": lambda at: weekdays(at) and at < moment("2026-11-20 18:00"),
    "every day": lambda at: at.hour == 9 and at < moment("2026-11-20 18:00"),
    "every hour": lambda at: at < moment("2026-11-20 18:00"),
    "thursdays": lambda at: at.isoweekday() == 4 and at.hour == 10 and at < moment("2026-11-06 00:00"),
    "at times": lambda at: f"{at:%m%d%H}" in ("102810", "110614", "110919", "111810"),
    "once": lambda at: f"{at:%m%d%H}" == "102810",
    "well": weekdays,
}


def dated(e: Entry, quality: DateQuality = DateQuality.EXACT, lag: timedelta | None = timedelta(0)) -> Entry:
    return replace(e, date_quality=quality, published_at=None if lag is None else e.seen_at - lag)


@pytest.fixture(scope="module")
def rhythms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose feeds are visited every three hours, and bring entries by their rhythms."""
    return _lake(tmp_path_factory.mktemp("rhythms"), RHYTHMS)


def _lake(place: Path, rhythms: dict[str, Callable[[datetime], bool]]) -> Path:
    lake = made(place / "lake")
    visits = [visit(at, feed) for feed in rhythms for at in HOURS[::3]]
    entries = [dated(entry(at, at.hour, feed)) for feed, came in rhythms.items() for at in HOURS if came(at)]
    add(lake, NOW, "pull", visits=visits, entries=entries)
    return lake.root


@pytest.mark.parametrize(
    ("at", "silent"),
    [
        ("2026-11-21 21:00", set()),  # Saturday
        ("2026-11-22 16:00", {"every day"}),
        ("2026-11-22 21:00", {"every day", "every hour"}),  # Sunday
        ("2026-11-23 07:00", {"every day", "every hour"}),  # Monday morning
        ("2026-11-23 21:00", {"every day", "every hour"}),  # one Monday may be a holiday
        ("2026-11-24 21:00", {"every day", "every hour", "weekdays"}),  # Tuesday too is no chance
        ("2026-11-26 09:00", {"every day", "every hour", "weekdays", "once"}),  # for more than four weeks
    ],
)
def test_silence_is_judged_by_a_feeds_own_weekdays(rhythms: Path, at: str, silent: set[str]) -> None:
    assert silent_at(rhythms, at) == silent


def test_days_on_which_the_whole_lake_was_quiet_are_held_against_nobody(tmp_path: Path) -> None:
    """Two holidays in a row; one feed, which comes at night too, goes on being silent."""
    holidays = ("2026-11-24", "2026-11-25")
    quiet = dict.fromkeys((f"paper {n}" for n in range(12)), lambda at: weekdays(at) and f"{at:%F}" not in holidays)
    rhythms = quiet | {"silent": lambda at: weekdays(at) and at < moment("2026-11-24 00:00")}
    assert silent_at(_lake(tmp_path, rhythms), "2026-11-25 21:00") == set()
    assert silent_at(_lake(tmp_path / "few", {"paper": quiet["paper 1"]}), "2026-11-25 21:00") == {"paper"}, (
        "no others to tell by"
    )
    assert silent_at(tmp_path / "lake", "2026-11-27 09:00") == {"silent"}


def test_what_is_said_of_a_feed_is_what_was_so_then(rhythms: Path) -> None:
    rows = status(rhythms, moment("2026-11-20 12:30"))
    assert {feed: (row["visited_at"], row["expected"], row["seen"], row["state"]) for feed, row in rows.items()} == {
        feed: (moment("2026-11-20 12:00"), expected, seen, "ok")
        for feed, expected, seen in [
            ("weekdays", 3, 3), ("every day", 1, 1), ("every hour", 24, 24), ("thursdays", 0, 0), ("at times", 0, 0),
            ("once", 0, 0), ("well", 3, 3),
        ]
    }  # fmt: skip
    assert status(rhythms, FIRST - timedelta(hours=1)) == {}
    young = status(rhythms, FIRST + timedelta(days=6))["well"]
    assert (young["expected"], young["seen"], young["state"]) == (None, 0, "ok")


#: What the last visits of each of these looked like, one a day, the last of them an hour ago; and the state.
ENDS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "fine": ([{}] * 20, "ok"),
    "hiccup": ([{}] * 19 + [{"failures": 1, "outcome": VisitCode.UNREACHABLE}], "ok"),
    "failing": ([{}] * 18 + [{"failures": n, "outcome": VisitCode.UNREACHABLE} for n in (1, 2)], "degraded"),
    "dead": ([{}] * 10 + [{"failures": n, "outcome": VisitCode.NOT_A_FEED} for n in range(1, 10)], "dead"),
    "never": ([{"failures": n, "outcome": VisitCode.HTTP_ERROR} for n in range(1, 10)], "dead"),
    "new and failing": ([{"failures": n, "outcome": VisitCode.HTTP_ERROR} for n in range(1, 5)], "degraded"),
    "refused": ([{}] * 10 + [{"failures": n, "outcome": VisitCode.REFUSED} for n in range(1, 12)], "blocked"),
    "wall": ([{}] * 10 + [{"failures": n, "outcome": VisitCode.CHALLENGE} for n in (1, 2)], "blocked"),
    "gone": ([{}, {"failures": 1, "outcome": VisitCode.GONE}], "muted"),
    "muted": ([{}, {"failures": 9, "outcome": VisitCode.HTTP_ERROR, "due_rule": "muted"}], "muted"),
    "rekeyed": ([{"entries_new": 1, "entries_absorbed": 3}] * 20, "degraded"),
    "young": ([{}] * 6, "ok"),
    "young and empty": ([{}] * 10, "silent"),
}


def test_the_state_is_the_first_that_holds(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake")
    visits: list[Visit] = []
    entries: list[Entry] = []
    for feed, (ends, _) in ENDS.items():
        times = [NOW - timedelta(hours=1 + 24 * n) for n in reversed(range(len(ends)))]
        visits += [replace(visit(at, feed), **end) for at, end in zip(times, ends, strict=True)]
        entries += [dated(entry(at, 0, feed)) for at in times if feed != "young and empty"]
    add(lake, NOW, "pull", visits=visits, entries=entries)
    rows = status(lake.root, NOW)
    assert {feed: row["state"] for feed, row in rows.items()} == {feed: state for feed, (_, state) in ENDS.items()}
    assert (rows["rekeyed"]["key_churn"], rows["rekeyed"]["bad"]) == (0.75, ["keys"])
    assert (rows["young and empty"]["silent_since"], rows["dead"]["last_good_at"]) == (
        NOW - timedelta(days=9, hours=1),
        NOW - timedelta(days=9, hours=1),
    )


def test_dates_and_endings_are_shares_and_make_a_feed_degraded(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake")
    at = [NOW - timedelta(days=20, hours=1) + timedelta(hours=12 * n) for n in range(40)]
    exact, minute = DateQuality.EXACT, timedelta(minutes=1)

    def entries(feed: str, date_of: Callable[[int], tuple[DateQuality, timedelta | None]]) -> Iterable[Entry]:
        return [dated(entry(moment, n, feed), *date_of(n)) for n, moment in enumerate(at)]

    good = entries("good", lambda n: (exact, timedelta(days=90) if n == 0 else n % 3 * minute))
    ahead = entries("ahead", lambda n: (exact, -2 * timedelta(hours=1) if n % 5 == 0 else minute))
    undated = entries("undated", lambda n: (DateQuality.MISSING if n % 4 else DateQuality.UNREADABLE, None))
    codes = {"good": [OutcomeCode.ARTICLE, OutcomeCode.COPY], "ahead": [OutcomeCode.NO_TEXT] * 3 + [OutcomeCode.ARTICLE],
             "undated": [OutcomeCode.KNOWN_ARTICLE]}  # fmt: skip
    ended = [
        replace(outcome(e, code := codes[e.feed_id][n % len(codes[e.feed_id])]), kept=code != OutcomeCode.NO_TEXT)
        for of in (good, ahead, undated) for n, e in enumerate(of)
    ]  # fmt: skip
    add(lake, NOW, "pull", visits=[visit(t, f) for t in at for f in codes], entries=[*good, *ahead, *undated])
    add(lake, NOW, "read", outcomes=ended)
    names = ("state", "bad", "missing_dates_share", "future_dates_share", "publish_lag_s", "read_share", "duplicates_share")
    assert {feed: tuple(row[name] for name in names) for feed, row in status(lake.root, NOW).items()} == {
        "good": ("ok", [], 0, 0, 60, 1, 0.5),
        "ahead": ("degraded", ["reading", "dates"], 0, 0.2, 60, 0.25, 0),
        "undated": ("degraded", ["dates", "duplicates"], 1, 0, None, 1, 1),
    }


def silent_at(root: Path, at: str) -> set[str]:
    return {feed for feed, row in status(root, moment(at)).items() if row["state"] == "silent"}


def status(root: Path, at: datetime) -> dict[str, dict[str, Any]]:
    with connect(root) as con:
        rows: list[dict[str, Any]] = con.sql("FROM lake.feed_status_at($at)", params={"at": at}).to_arrow_table().to_pylist()
    return {row["feed_id"]: row for row in rows}
