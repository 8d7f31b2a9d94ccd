"""The view feed_status: what feeds brought against their own usual; whole rows, on a small lake and at a moment of its clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.lake import connect
from schemas.feed import Entry, KeyBasis, Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode
from tests.lake.prints import Print, add_prints
from tests.lake.sample import add, made, moment, shut

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def visit(at: datetime, feed: str = "a", failures: int = 0) -> Visit:
    return Visit(
        visit_id=f"f_{feed}{at}", feed_id=feed, source=feed.upper(), url=f"https://{feed}.example/feed", visited_at=at,
        outcome=VisitCode.BUSY if failures else VisitCode.UNCHANGED, status=503 if failures else 304, failures=failures,
        detail="busy" if failures else None, next_due_at=at + timedelta(hours=1), due_rule="interval",
    )  # fmt: skip


def entry(at: datetime, n: int, feed: str = "a", number: int = 1) -> Entry:
    return Entry(
        entry_id=f"e_{feed}{at:%m%d}{n}", revision=f"r_{number}", number=number, wording="w", visit_id=f"f_{feed}{at}",
        seen_at=at,
        position=n, key=str(n), key_basis=KeyBasis.GUID, title=f"Title {n}", feed_id=feed, source=feed.upper(),
    )  # fmt: skip


def outcome(e: Entry, code: OutcomeCode, *, final: bool = True) -> Outcome:
    return Outcome(
        entry_id=e.entry_id, revision=e.revision, feed_id=e.feed_id, source=e.source, attempt=1, code=code,
        kept=code == OutcomeCode.ARTICLE, final=final, title=e.title, ended_at=e.seen_at,
    )  # fmt: skip


def test_a_feed_is_told_by_its_last_visit_and_its_last_28_days(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake")
    before, since = datetime(2026, 10, 20, 10, tzinfo=UTC), datetime(2026, 11, 10, 12, tzinfo=UTC)
    add(lake, before, "pull", visits=[visit(before), visit(before, "old")], entries=[entry(before, 0), entry(before, 0, "old")])
    for n in range(20):  # two entries a day for 14 days, then one; the first of them is counted once
        at = since + timedelta(days=n)
        entries = [entry(at, k) for k in range(2 if n < 14 else 1)] + ([entry(since, 0, number=2)] if n == 3 else [])
        add(lake, at, "pull", visits=[visit(at)], entries=entries)
        codes = [OutcomeCode.NO_TEXT if n < 5 else OutcomeCode.ARTICLE, OutcomeCode.HTTP_ERROR]
        ended = [outcome(e, code, final=code != OutcomeCode.HTTP_ERROR) for e, code in zip(entries, codes, strict=False)]
        add(lake, at, "read", outcomes=ended)
    failing = [visit(NOW - timedelta(hours=h), failures=4 - h) for h in (3, 2)]
    add(lake, NOW - timedelta(hours=2), "pull", visits=failing)
    add_prints(lake, *(Print(str(n), f"2026-11-{n} 08:00", genre="promotion" if n < 13 else None) for n in range(12, 16)))
    add_prints(lake, Print("early", "2026-10-20 08:00"))
    told = [_at(lake.root, NOW)]
    shut(lake, "2026-11-25 12:00")
    told.append(_at(lake.root, NOW))
    a = {
        "feed_id": "a", "source": "A", "url": "https://a.example/feed", "visited_at": moment("2026-11-30 10:00"),
        "outcome": "busy",
        "status": 503, "detail": "busy", "failures": 2, "next_due_at": moment("2026-11-30 11:00"),
        "overdue_since": moment("2026-11-30 11:00"), "last_new_at": moment("2026-11-29 12:00"), "visits": 22, "failed": 2,
        "entries_today": 0, "entries_a_day_7": 6 / 7, "entries_a_day_28": 34 / 20, "articles": 4, "promotion_share": 0.25,
        "ended": 20, "no_text_share": 0.25,
        "state": "blocked", "bad": ["failures", "dates"], "expected": 2.0, "seen": 0, "chance": 1.0, "silent_since": None,
        "last_good_at": moment("2026-11-29 12:00"), "duplicates_share": 0.0, "read_share": 0.75, "key_churn": None,
        "future_dates_share": 0.0, "missing_dates_share": 1.0, "publish_lag_s": None, "rhythm_s": None, "key_policy": None,
        "due_rule": "interval", "moved_to": None,
    }  # fmt: skip
    old = {
        "feed_id": "old", "source": "OLD", "url": "https://old.example/feed", "visited_at": before, "outcome": "unchanged",
        "status": 304, "detail": None, "failures": 0, "next_due_at": before + timedelta(hours=1),
        "overdue_since": before + timedelta(hours=1), "last_new_at": None, "visits": 0, "failed": 0, "entries_today": 0,
        "entries_a_day_7": 0, "entries_a_day_28": 0, "articles": 0, "promotion_share": None, "ended": 0, "no_text_share": None,
        "state": "ok", "bad": [], "expected": None, "seen": 0, "chance": 1.0, "silent_since": None,
        "last_good_at": None, "duplicates_share": None, "read_share": None, "key_churn": None,
        "future_dates_share": None, "missing_dates_share": None, "publish_lag_s": None, "rhythm_s": None, "key_policy": None,
        "due_rule": "interval", "moved_to": None,
    }  # fmt: skip
    assert told == [[a, old], [a, old | {"last_new_at": before}]]


def test_the_view_goes_by_the_clock(tmp_path: Path) -> None:
    lake, now = made(tmp_path / "lake"), datetime.now(UTC)
    add(lake, now, "pull", visits=[visit(now), visit(now - timedelta(hours=2), "late")], entries=[entry(now, 0)])
    with connect(lake.root) as con:
        found = con.sql("SELECT feed_id, overdue_since, entries_today, entries_a_day_7 FROM feed_status ORDER BY 1").fetchall()
    assert found == [("a", None, 1, 1.0), ("late", now - timedelta(hours=1), 0, 0)]


def _at(root: Path, now: datetime) -> list[dict[str, Any]]:
    with connect(root) as con:
        query = "FROM lake.feed_status_at($now) ORDER BY feed_id"
        found: list[dict[str, Any]] = con.sql(query, params={"now": now}).to_arrow_table().to_pylist()
        return found
