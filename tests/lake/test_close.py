"""Closing days: nothing missing, nothing twice, for whoever reads meanwhile; in order; and nothing deleted that is not moved."""

import hashlib
import shutil
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import DayClosed, LakeBusy, LakeError, LossError
from pipeline.lake import close as closing_module
from pipeline.lake import connect
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import CLOSER, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.retire import Rules
from pipeline.lake.staging import keep
from pipeline.lake.store.directory import Renamed
from pipeline.lake.views import deleted_through
from pipeline.lake.watermark import Watermark, closing, late, watermark
from pipeline.lake.work import due_entries, last_revisions, last_visits, untagged
from schemas import TABLES, ids, table_schema
from schemas.web import Body, FetchCode, Kind
from tests.lake.news import DAY, GRACE, News, batch_rows, new_lake

MINUTES, HOUR, ONE = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
#: 30 October may be closed.
OVER = DAY + ONE + timedelta(hours=6)


@pytest.fixture
def news(place: Path) -> News:
    """Two batches on 30 October and one on the 31st."""
    made = News(new_lake(place))
    made.batch(DAY, "a", "b")
    made.batch(DAY + MINUTES, "c")
    made.batch(DAY + ONE, "d")
    return made


def everything(con: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """Every row of every table that comes from batches."""
    tables = [name for name, table in TABLES.items() if not table.snapshot]
    return {name: con.sql(f"FROM lake.{name} ORDER BY ALL").fetchall() for name in tables}


def rows(news: News, query: str) -> list[Any]:
    with connect(news.lake.root) as con:
        return con.sql(query).fetchall()


def closed_through(news: News) -> tuple[date | None, str | None]:
    mark = watermark(news.lake)
    return mark.day, mark.month


def test_a_closed_day_is_one_file_a_table_with_the_same_rows(news: News) -> None:
    with connect(news.lake.root) as con:
        before = everything(con)
        assert len(before["articles"]) == 4
        report = news.close(OVER)
        assert everything(con) == before, "who opened the lake before reads the same"
    assert [(c.period, c.directories, c.files_before, c.files) for c in report.closed] == [("2026-10-30", 6, 16, 9)]
    assert closed_through(news) == (date(2026, 10, 30), None)
    with connect(news.lake.root) as con:
        assert everything(con) == before
    record = closing(news.lake, date(2026, 10, 30))
    assert record and len(record.directories) == 6
    for name, written in record.files.items():
        content = (news.lake.root / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (written.bytes, written.sha256)
    written_rows = {name.split("/")[1]: written.rows for name, written in record.files.items()}
    assert written_rows["visits"] == 2 and written_rows["articles"] == written_rows["mentions"] == 3
    articles = pq.read_table(news.lake.cold("articles", date(2026, 10, 30)), partitioning=None)
    assert articles.schema.names == table_schema("articles").names and articles["article_id"].to_pylist() == ["a_a", "a_b", "a_c"]


def test_a_day_waits_until_none_of_its_batches_can_be_alive(news: News) -> None:
    assert news.close(OVER - timedelta(seconds=1)).closed == ()
    assert watermark(news.lake) == Watermark()
    assert [c.period for c in news.close(OVER).closed] == ["2026-10-30"]
    assert news.close(OVER).closed == (), "closed once"


def test_days_without_news_are_passed_over_and_never_the_last_one_with_news(news: News) -> None:
    """A clock that is years ahead closes what there is, not the days to come."""
    news.batch(DAY + 9 * ONE, "e")
    assert [c.period for c in news.close(DAY + 900 * ONE).closed][:3] == ["2026-10-30", "2026-10-31", "2026-11-08"]
    assert closed_through(news) == (date(2026, 11, 8), "2026-10")


def test_what_was_moved_is_deleted_after_the_grace_and_then_old_views_say_so(news: News) -> None:
    old = connect(news.lake.root)
    news.close(OVER)
    assert news.close(OVER + GRACE - timedelta(seconds=1)).retired.directories == 0
    assert old.sql("SELECT count(*) FROM articles").fetchall() == [(4,)]
    assert news.close(OVER + GRACE).retired.directories == 6
    assert deleted_through(news.lake) == (date(2026, 10, 30), None)
    assert not news.lake.hot_day(date(2026, 10, 30)).exists()
    for query in ("FROM articles", "FROM lake.visits WHERE date = '2020-01-01'", "FROM articles_as_of(now())", "FROM feeds"):
        with pytest.raises(duckdb.Error, match="close it and open the lake again"):
            old.sql(query).fetchall()
    old.close()
    assert rows(news, "SELECT article_id FROM articles ORDER BY 1") == [("a_a",), ("a_b",), ("a_c",), ("a_d",)]


def test_only_what_a_closing_took_is_ever_deleted(news: News) -> None:
    """Neither a directory that came too late nor one that is nobody's."""
    news.close(OVER)
    day = news.lake.hot_day(date(2026, 10, 30))
    (day / "notes").mkdir()
    shutil.copytree(day / "20261030T000000000Z-pull", day / "20261030T001000000Z-pull")
    news.close(OVER + GRACE)
    assert sorted(p.name for p in day.iterdir()) == ["20261030T001000000Z-pull", "notes"]
    assert [p.name for p in late(news.lake)] == ["20261030T001000000Z-pull", "notes"]
    assert rows(news, "SELECT count(*) FROM lake.visits") == [(3,)], "what came too late counts for nothing"


def test_narrow_tables_get_a_file_a_month_once_the_month_is_over(news: News) -> None:
    news.batch(DAY + 2 * ONE, "e")
    with connect(news.lake.root) as con:
        before = everything(con)
    news.close(DAY + 3 * ONE + 6 * HOUR)
    assert closed_through(news) == (date(2026, 11, 1), "2026-10")
    mentions = pq.read_table(news.lake.cold("mentions", "2026-10"), partitioning=None)
    assert mentions["date"].to_pylist() == [date(2026, 10, 30)] * 3 + [date(2026, 10, 31)]
    assert not news.lake.cold("articles", "2026-10").exists(), "wide tables stay by day"
    between = connect(news.lake.root)
    assert everything(between) == before
    deleted = news.close(DAY + 3 * ONE + 6 * HOUR + GRACE).retired
    assert deleted.directories == 12 and deleted.files > 10
    assert not news.lake.cold("mentions", date(2026, 10, 30)).exists()
    assert news.lake.cold("mentions", date(2026, 11, 1)).exists() and news.lake.cold("articles", date(2026, 10, 30)).exists()
    assert everything(between) == before, "it knew of the month already"
    with connect(news.lake.root) as con:
        assert everything(con) == before
        assert con.sql("SELECT count(*) FROM mentions WHERE date = '2026-10-30'").fetchall() == [(3,)]
    assert len(list(news.lake.root.glob("cold/feed_state/date=2*"))) == 1, "the last snapshot is the one that is read"


def test_a_view_from_before_a_month_was_closed_says_so_when_its_days_are_gone(news: News) -> None:
    news.close(OVER + ONE)
    mark = watermark(news.lake)
    (news.lake.root / "watermark.json").write_text(f'{{"day": "{mark.day}", "month": null}}')
    with connect(news.lake.root) as old:
        (news.lake.root / "watermark.json").write_text(f'{{"day": "{mark.day}", "month": "{mark.month}"}}')
        news.close(OVER + ONE + GRACE)
        assert old.sql("SELECT count(*) FROM lake.articles").fetchall() == [(4,)], "wide tables have lost nothing"
        with pytest.raises(duckdb.Error, match="open the lake again"):
            old.sql("FROM lake.mentions").fetchall()


READ_PLAINLY = """
import duckdb, select, sys
from collections import Counter
seen = Counter()
asked = ""
while asked != "closed":
    with duckdb.connect(sys.argv[1], read_only=True) as con:
        query = "SELECT count(*), count(DISTINCT version_id), (SELECT count(*) FROM mentions) FROM articles"
        seen[con.execute(query).fetchone()] += 1
    if select.select([sys.stdin], [], [], 0)[0]:
        asked = sys.stdin.readline().strip()
        print(asked, flush=True)
print(seen.keys(), sum(seen.values()) > 1)
"""


def test_plain_duckdb_in_another_directory_reads_all_of_it_while_a_day_closes(news: News, tmp_path: Path) -> None:
    for n in range(40):
        news.batch(DAY + HOUR + n * MINUTES, f"n{n}")
    command = [sys.executable, "-c", READ_PLAINLY, str(news.lake.root / "news.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", text=True) as reader:
        assert reader.stdin and reader.stdout

        def one_more(said: str) -> None:
            """Until the reader has ended a query, and so opens the lake anew."""
            print(said, file=reader.stdin, flush=True)
            assert reader.stdout and reader.stdout.readline() == f"{said}\n"

        one_more("open")
        news.close(OVER)
        one_more("moved")  # a day lies between a closing and the mark of deletion: whoever opened before it has ended
        news.close(OVER + ONE, drain=GRACE)
        one_more("marked")  # what the time between mark and deletion is for: that a query which has begun ends
        assert news.close(OVER + ONE + GRACE, drain=GRACE).retired.directories > 100
        said, _ = reader.communicate("closed\n", timeout=60)
    assert said == "closed\ndict_keys([(44, 44, 44)]) True\n"


def test_a_copied_lake_is_read_where_it_lies_however_long_it_lay(news: News, tmp_path: Path) -> None:
    news.close(OVER)
    copy = tmp_path / "copy"
    shutil.copytree(news.lake.root, copy)
    shutil.rmtree(news.lake.root)
    with connect(copy) as con:
        assert con.sql("SELECT count(*) FROM articles").fetchall() == [(4,)]
        assert len(con.sql("FROM feeds").fetchall()) == 1


def test_a_commit_into_a_closed_day_is_refused(news: News) -> None:
    news.close(OVER)
    at = DAY + 2 * HOUR
    parcel = Parcel(BatchRef(batch_id_of(at), "pull"), batch_rows(at, ["x"])["pull"])
    with pytest.raises(DayClosed, match="2026-10-30 is closed; 20261030T020000000Z-pull is committed under a day that is open"):
        commit(news.lake, parcel, Timing(timedelta(0)))
    assert late(news.lake) == []


def test_a_commit_whose_day_closes_between_its_check_and_its_rename_is_refused_and_counts_for_nothing(
    news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system carries no locks, nothing holds the closing back."""
    place = Renamed.place

    def held_up(brought: Renamed) -> bool:
        monkeypatch.setattr(Renamed, "place", place)
        news.close(OVER)
        return place(brought)

    monkeypatch.setattr(Renamed, "place", held_up)
    parcel = Parcel(BatchRef(batch_id_of(DAY + HOUR), "pull"), batch_rows(DAY + HOUR, ["x"])["pull"])
    with pytest.raises(DayClosed, match="2026-10-30 is closed without 20261030T010000000Z-pull: its work is done again"):
        commit(news.lake, parcel, Timing(timedelta(0)))
    assert [p.name for p in late(news.lake)] == ["20261030T010000000Z-pull"]
    assert rows(news, "SELECT count(*) FROM lake.visits") == [(3,)]


def test_a_batch_that_is_committed_while_its_day_closes_is_in_it_or_finds_it_closed(
    news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes just before the watermark moves: the closing is begun anew and takes it too."""
    merge = closing_module._merge_day
    came = []

    def meanwhile(*args: Any) -> Any:
        merged = merge(*args)
        if not came:
            came.append(news.batch(DAY + 2 * HOUR, "x"))
        return merged

    monkeypatch.setattr(closing_module, "_merge_day", meanwhile)
    (closed,) = news.close(OVER).closed
    assert closed.directories == 9 and late(news.lake) == []
    assert rows(news, "SELECT count(*) FROM articles") == [(5,)]


def test_files_that_do_not_hold_what_their_batch_says_keep_the_day_open(news: News) -> None:
    file = news.lake.hot_day(date(2026, 10, 30)) / "20261030T000000000Z-read" / "articles.parquet"
    pq.write_table(pq.read_table(file, partitioning=None).slice(1), file)
    with pytest.raises(LossError, match=r"articles: its files hold 2 rows and their batches say 3; nothing was closed"):
        news.close(OVER)
    assert watermark(news.lake) == Watermark() and not list((news.lake.root / "staging").glob(".close*"))


def test_a_table_of_newer_code_keeps_the_day_open(news: News) -> None:
    place = news.lake.hot_day(date(2026, 10, 30)) / "20261030T000000000Z-read"
    pq.write_table(pa.table({"x": [1]}), place / "futures.parquet")
    with pytest.raises(LakeError, match=r"2026-10-30 has tables this Newsmill does not know \(futures\): update Newsmill"):
        news.close(OVER)


def test_two_closers_do_not_meet(news: News) -> None:
    with (
        hold(news.lake, BatchRef("20261101T000000Z", CLOSER), "close", last=True),
        pytest.raises(LakeBusy, match=r"stage close of the lake .* is being written: batch 20261101T000000Z, close by process"),
    ):
        news.close(OVER)
    errors: list[Exception] = []

    def closer() -> None:
        try:
            close(news.lake, Timing(timedelta(0), lambda: OVER), Rules(GRACE), lambda _line: None)
        except LakeBusy as busy:
            errors.append(busy)

    threads = [threading.Thread(target=closer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) < 4
    assert closed_through(news) == (date(2026, 10, 30), None)
    assert rows(news, "SELECT count(*), count(DISTINCT version_id) FROM articles") == [(4, 4)]


def test_the_snapshot_of_the_feeds_stands_for_the_days_before(news: News) -> None:
    """Its rows are those that all visits and entries together give, and an entry it has dropped is still known."""
    many = [f"n{n}" for n in range(60)]
    news.batch(DAY + HOUR, *many, feed="g")
    news.batch(DAY + ONE + HOUR, "d2", feed="g")
    with connect(news.lake.root) as con:
        visits = last_visits(con)
        known = last_revisions(con, [ids.entry_id("g", n) for n in (*many, "d2")])
    news.close(OVER + ONE)
    news.close(OVER + ONE + GRACE)
    with connect(news.lake.root) as con:
        assert last_visits(con) == visits and set(visits) == {"f", "g"}
        snapshot = dict(con.sql("SELECT feed_id, [k.entry_id for k in known] FROM lake.feed_state").fetchall())
        assert {feed: len(names) for feed, names in snapshot.items()} == {"f": 4, "g": 50}
        assert ids.entry_id("g", "d2") in snapshot["g"]
        assert last_revisions(con, [ids.entry_id("g", n) for n in (*many, "d2")]) == known and len(known) == 61


def test_what_waits_is_found_however_long_ago_it_came_and_days_without_are_not_searched(news: News) -> None:
    """An entry nobody has read and a version nobody has tagged, on days closed since; then their outcome and tagging come."""
    waits = batch_rows(DAY + HOUR, ["x"])
    commit(news.lake, Parcel(BatchRef(batch_id_of(DAY + HOUR), "pull"), waits["pull"]), Timing(timedelta(0)))
    untagged_one = batch_rows(DAY + ONE + HOUR, ["y"])
    for stage in ("pull", "read"):
        commit(news.lake, Parcel(BatchRef(batch_id_of(DAY + ONE + HOUR), stage), untagged_one[stage]), Timing(timedelta(0)))

    def found() -> tuple[date, list[str], list[str]]:
        with connect(news.lake.root) as con:
            due = [d.entry.key for d in due_entries(con, DAY + 99 * ONE)]
            return watermark(news.lake).open_from, due, [u.article.article_id for u in untagged(con)]

    for number in range(2, 5):
        news.batch(DAY + number * ONE, f"later {number}")
    news.close(OVER + 3 * ONE)
    news.close(OVER + 3 * ONE + GRACE)
    assert watermark(news.lake).month == "2026-10", "the outcomes of those days are in a month's file"
    assert found() == (date(2026, 10, 30), ["x"], ["a_y"])
    later = DAY + 4 * ONE
    commit(news.lake, Parcel(BatchRef(batch_id_of(later + HOUR), "read"), waits["read"]), Timing(timedelta(0)))
    assert found() == (date(2026, 10, 30), [], ["a_y", "a_x"])
    for n, rows_of in enumerate((waits, untagged_one)):
        commit(news.lake, Parcel(BatchRef(batch_id_of(later + n * HOUR), "tag").derived(2), rows_of["tag"]), Timing(timedelta(0)))
    assert found() == (date(2026, 10, 30), [], [])
    news.close(OVER + 4 * ONE)
    assert found() == (date(2026, 11, 4), [], [])


def test_what_a_batch_before_midnight_ended_is_not_left_to_do(news: News) -> None:
    """An entry of 00:10, read and tagged by the batch of 23:55: its outcome lies a day before it, in another month."""
    first = datetime.fromisoformat("2026-11-01T00:10:00+00:00")
    rows_of = batch_rows(first, ["x"])
    commit(news.lake, Parcel(BatchRef(batch_id_of(first), "pull"), rows_of["pull"]), Timing(timedelta(0)))
    for stage in ("read", "tag"):
        commit(news.lake, Parcel(BatchRef(batch_id_of(first - 3 * MINUTES), stage), rows_of[stage]), Timing(timedelta(0)))
    news.close(first + 7 * HOUR)
    news.close(first + ONE + 7 * HOUR)
    assert (watermark(news.lake).day, watermark(news.lake).open_from) == (date(2026, 11, 1), date(2026, 11, 2))


def test_a_day_that_cannot_be_closed_keeps_nothing_that_can_go(news: News) -> None:
    news.close(OVER)
    (news.lake.hot_day(date(2026, 10, 31)) / "20261031T000000000Z-read" / "articles.parquet").unlink()
    with pytest.raises(LossError, match="articles"):
        news.close(OVER + ONE)
    assert not news.lake.hot_day(date(2026, 10, 30)).exists() and watermark(news.lake).day == date(2026, 10, 30)


def body(owner: str) -> Body:
    return Body(
        kind=Kind.FEED, owner=owner, target="f", url="https://f.example/feed", asked_at=DAY, answered_at=DAY, code=FetchCode.OK
    )


def test_raw_bytes_are_kept_as_long_as_was_said_and_always_while_their_batch_is_not_committed(news: News) -> None:
    for at in (DAY, DAY + MINUTES, DAY + ONE):
        with keep(news.lake, BatchRef(batch_id_of(at), "pull"), "shard-0") as packs:
            packs.add(body(ids.visit_id(batch_id_of(at), "f")))
    (news.lake.staging(BatchRef(batch_id_of(DAY + MINUTES), "pull"))).mkdir(parents=True)
    raw = news.lake.root / "raw"
    assert news.close(OVER).retired.raw_batches == 0 and len(list(raw.glob("date=2*/*"))) == 3, "for good, if nothing is said"
    assert news.close(OVER + 2 * ONE, raw_days=3).retired.raw_batches == 0
    assert news.close(OVER + 3 * ONE, raw_days=3).retired.raw_batches == 1
    assert sorted(p.name for p in raw.glob("date=2*/*")) == ["20261030T000500000Z-pull", "20261031T000000000Z-pull"]


def test_a_lake_of_the_first_format_is_raised_and_closed(news: News) -> None:
    (news.lake.root / "format.json").write_text('{"format": 1}')
    for extra in ("cold", "closed"):
        shutil.rmtree(news.lake.root / extra, ignore_errors=True)
    for extra in ("deleted.parquet", "news.duckdb"):
        (news.lake.root / extra).unlink()
    with pytest.raises(LakeError, match="lacks files of its own"):
        connect(news.lake.root)
    news.close(OVER)
    assert Lake(news.lake.root).check() == 2
    assert rows(news, "SELECT count(*) FROM articles") == [(4,)]


def test_a_field_added_later_is_null_in_days_closed_before(news: News) -> None:
    """The lake as older code left it: no rows, no file without rows has the new field."""
    news.close(OVER)
    for path in (*news.lake.root.glob("cold/visits/*/*.parquet"), *news.lake.root.glob("hot/*/*/visits.parquet")):
        pq.write_table(pq.read_table(path, partitioning=None).drop(["detail", "due_rule"]), path)
    (news.lake.root / "news.duckdb").unlink()  # older code made another one
    news.batch(DAY + ONE + HOUR, "e")
    assert news.lake.evolved() == set()
    news.close(OVER + MINUTES)
    assert news.lake.evolved() == {"visits"}
    news.batch(DAY + ONE + 2 * HOUR, "g")
    news.close(OVER + ONE)
    assert rows(news, "SELECT due_rule, count(*) FROM lake.visits GROUP BY ALL ORDER BY ALL") == [("interval", 2), (None, 3)]
    assert watermark(news.lake).month == "2026-10"
    assert datetime.fromisoformat("2026-10-31").date() == watermark(news.lake).day
