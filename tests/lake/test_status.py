"""Status says what is there, whole values compared, before and after days are closed and what was moved is deleted."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold
from pipeline.lake.retire import Rules
from pipeline.lake.staging import begin
from pipeline.lake.status import Status, draw, status
from pipeline.lake.status.draw import bar, span
from pipeline.lake.status.gather import Begun, DayStatus, Moved, Part, ToClose
from pipeline.lake.verify import Finding, Severity
from pipeline.lake.watermark import Watermark
from tests.lake.sample import RULES, add_day, made, moment, shut

FIRST, LAST = date(2026, 10, 31), date(2026, 11, 1)
ROWS = {
    "visits": 4, "entries": 6, "pages": 8, "articles": 6, "article_keys": 6, "relations": 2, "taggings": 6, "mentions": 12,
    "sentiments": 12, "outcomes": 8, "superseded": 2, "companies": 2,
}  # fmt: skip
#: Tables of which every batch of a day writes one file, and those that both reads of a day write.
TWICE = {"pages", "articles", "article_keys", "outcomes"}


@pytest.fixture
def lake(place: Path) -> Lake:
    lake = made(place)
    for day in (FIRST, LAST):
        add_day(lake, day)
    return lake


def parts(s: Status, where: str) -> dict[str, tuple[int, int]]:
    """Files and rows by table, where there are any; their bytes are those on the disk."""
    found = {name: getattr(table, where) for name, table in s.tables.items()}
    return {name: (part.files, part.rows) for name, part in found.items() if part.files}


def on_disk(lake: Lake, pattern: str) -> Part:
    files = [path for path in lake.root.glob(pattern) if path.is_file()]
    return Part(len(files), sum(path.stat().st_size for path in files))


def test_an_open_lake(lake: Lake) -> None:
    now = moment("2026-11-01T12:00")
    s = status(lake, now, RULES, days=3)
    assert parts(s, "hot") == {name: (4 if name in TWICE else 2, rows) for name, rows in ROWS.items()}
    assert (parts(s, "days"), parts(s, "months")) == ({}, {})
    assert s.tables["visits"].hot.bytes == on_disk(lake, "hot/date=2*/*/visits.*parquet").bytes
    everything = on_disk(lake, "**/*")
    assert s.size == Part(everything.files, everything.bytes, sum(ROWS.values()))
    assert s.newest == max(t.newest for t in s.tables.values() if t.newest) > datetime.now(now.tzinfo) - timedelta(minutes=2)
    assert s.mark == Watermark()
    assert s.days == (
        DayStatus(date(2026, 10, 30), ""),
        DayStatus(FIRST, "hot", entries=3, kept=3, articles=3),
        DayStatus(LAST, "hot", entries=3, kept=3, articles=3),
    )
    assert s.to_close == (
        ToClose("2026-10-31", moment("2026-11-01T06:00")),
        ToClose("2026-11-01", moment("2026-11-02T06:00")),
        ToClose("2026-10", moment("2026-11-01T06:00")),
        ToClose("2026-11", moment("2026-12-01T06:00")),
    )
    assert (s.moved, s.begun, s.locks, s.attention) == ((), (), {}, ())
    assert (s.raw.packs, s.raw.oldest, s.raw.newest, s.raw.kept_days) == (on_disk(lake, "raw/**/*"), FIRST, LAST, None)


def test_a_closed_lake_and_what_waits_to_be_deleted(lake: Lake) -> None:
    shut(lake, "2026-11-02T06:10")
    s = status(lake, moment("2026-11-02T07:00"), Rules(timedelta(hours=6), raw_days=30), days=3)
    wide = {"entries": (1, 3), "articles": (1, 3), "feed_state": (1, 2)}
    narrow = {name: (1, rows // 2) for name, rows in ROWS.items() if name not in wide}
    assert parts(s, "hot") == {}
    assert parts(s, "days") == {**narrow, "entries": (2, 6), "articles": (2, 6), "feed_state": (1, 2)}
    assert parts(s, "months") == narrow
    assert s.tables["mentions"].months.bytes == on_disk(lake, "cold/mentions/month=2026-10/*").bytes
    assert s.mark == Watermark(LAST, "2026-10", open_from=LAST + timedelta(days=1), late=False)
    assert s.days == (
        DayStatus(FIRST, "closed", entries=3, kept=3, articles=3),
        DayStatus(LAST, "closed", entries=3, kept=3, articles=3),
        DayStatus(date(2026, 11, 2), ""),
    )
    until = moment("2026-11-02T12:10")
    assert s.moved == (
        Moved("2026-10", sum((on_disk(lake, f"cold/{name}/date=2026-10-*/*") for name in narrow), Part()), until),
        Moved("2026-10-31", on_disk(lake, "hot/date=2026-10-31/*/*"), until),
        Moved("2026-11-01", on_disk(lake, "hot/date=2026-11-01/*/*"), until),
    )
    assert s.to_close == (ToClose("2026-11", moment("2026-12-01T06:00")),) and s.raw.kept_days == 30
    visited = s.tables["visits"].newest
    shut(lake, "2026-11-02T12:10")
    s = status(lake, moment("2026-11-02T12:10"), RULES, days=3)
    assert s.moved == () and s.tables["visits"].newest == visited and s.attention == ()


def test_what_needs_attention(lake: Lake) -> None:
    begun = BatchRef("20261102T130000Z", "read")
    begin(lake, begun)
    later = datetime.now(moment("2026-11-02").tzinfo) + timedelta(hours=5)
    visits = Finding(
        Severity.WARNING, "stale", "visits", "no feed has been visited for 5 h", "`newsmill run`, or start Airflow's pull_feeds"
    )  # fmt: skip
    assert [f for f in status(lake, later, RULES).attention if f.kind == "stale"] == [visits]
    now = moment("2026-11-03T12:00")
    with hold(lake, begun, "shard-0", last=True):
        s = status(lake, now, RULES, days=3)
    assert s.begun == (Begun(begun.name, begun.began, 0, held=True),)
    assert list(s.locks) == ["read"] and s.locks["read"].startswith(f"batch {begun.batch_id}, shard-0 by process ")
    assert [f.kind for f in s.attention] == ["overdue", "overdue"]
    s = status(lake, now, RULES, days=3)
    assert s.begun == (Begun(begun.name, begun.began, 0, held=False),)
    assert [(f.kind, f.place) for f in s.attention] == [
        ("begun", f"staging/{begun.name}"), ("overdue", "hot/date=2026-10-31"), ("overdue", "hot/date=2026-11-01"),
    ]  # fmt: skip


def test_entries_that_nobody_reads_are_told_of(lake: Lake) -> None:
    for place in lake.root.glob("hot/date=2026-10-31/*-read"):
        shutil.move(place, lake.root.parent)
    waiting = (
        "3 entries of 2026-10-31 and later have been due for more than two days", "`newsmill run` reads what is due",
    )  # fmt: skip
    s = status(lake, moment("2026-11-02T12:00"), RULES, days=3)
    assert s.days[0] == DayStatus(FIRST, "hot", entries=3, due=3)
    assert "waiting" not in {f.kind for f in s.attention}
    s = status(lake, moment("2026-11-03T12:00"), RULES, days=4)
    assert [(f.problem, f.remedy) for f in s.attention if f.kind == "waiting"] == [waiting]


def test_a_lake_that_cannot_be_asked_is_told_of_all_the_same(lake: Lake) -> None:
    (lake.root / "watermark.json").write_text("{")
    s = status(lake, moment("2026-11-01T12:00"), RULES)
    assert s.days == () and s.tables["visits"].hot.rows == 4
    assert [(f.severity, f.kind) for f in s.attention] == [(Severity.ERROR, "watermark"), (Severity.ERROR, "unreadable")]
    shutil.rmtree(lake.root / "hot")
    assert drawn(s)[2].startswith("✗ watermark.json: is damaged → write")


def drawn(s: Status) -> list[str]:
    console = Console(width=100, highlight=False, no_color=True)
    with console.capture() as captured:
        draw(s, console)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_picture(lake: Lake) -> None:
    add_day(lake, date(2026, 11, 3))
    shut(lake, "2026-11-02T06:10")
    now = moment("2026-11-03T12:00")
    s = status(lake, now, RULES, days=5)
    lines = drawn(s)
    assert lines[0] == str(lake.root) or "".join(lines[:2]).startswith(str(lake.root))
    assert any("closed through 2026-11-01, months through 2026-10" in line for line in lines)
    at = lines.index("entries a day, and how they stand: █ kept  ▒ dropped  ░ due")
    full = "█" * 36
    assert lines[at + 1 : at + 7] == [
        " day        is                                             entries  kept  dropped  due  articles",
        " Fri 10-30  nothing",
        f" Sat 10-31  closed   {full}        3     3                       3",
        f" Sun 11-01  closed   {full}        3     3                       3",
        " Mon 11-02  nothing",
        f" Tue 11-03  hot      {full}        3     3                       3",
    ]
    assert lines[at + 8 :][0] == "closing   2026-11-03 from 11-04 06:00 (in 18 h); 2026-11 from 12-01 06:00 (in 28 days)"
    assert lines[at + 9].startswith("moved ") and lines[at + 9].endswith("2026-10 due since 11-02 12:10")
    assert [line[:10].strip() for line in lines[at + 10 :]] == ["raw bytes", "under way", "locks"]
    assert max(map(len, lines)) <= 100 and len(lines) < 40


def test_bars_and_spans() -> None:
    assert bar(DayStatus(FIRST, "hot", 100, 50, 25, 25), 200, 8).plain == "██▒░"
    assert bar(DayStatus(FIRST, "hot", 1000, 998, 1, 1), 1000, 8).plain == "████████▒░", "what is there shows, however few"
    assert bar(DayStatus(FIRST, ""), 0).plain == ""
    spans = [timedelta(seconds=5), timedelta(minutes=3), timedelta(hours=4), timedelta(days=3)]
    assert [span(s) for s in spans] == ["5 s", "3 min", "4 h", "3 days"]
