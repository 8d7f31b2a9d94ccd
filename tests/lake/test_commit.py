"""The commit: whole or not at all, once, and stamped late but never early."""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError, LakeBusy, LakeError, LakeFormat
from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit, committed, confirm, system_clock
from pipeline.lake.durable import place_file, remove_dir, write_file
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.store import store_of
from pipeline.lake.store.directory import Renamed
from pipeline.lake.views import prepare
from pipeline.s3 import readable
from schemas import TABLES, table_schema
from schemas.columns import to_arrow
from schemas.feed import Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode

BATCH = BatchRef("20261123T014200Z", "pull")
NOW = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
TIMING = Timing(timedelta(milliseconds=100))


def visits(*names: str):
    rows = [
        Visit(
            visit_id=f"f_{n}", feed_id=n, source=n, url=f"https://{n}.example/feed", visited_at=NOW,
            outcome=VisitCode.PARSED, redirects=("https://a.example",), next_due_at=NOW, due_rule="interval",
        )
        for n in names
    ]  # fmt: skip
    return {"visits": to_arrow(rows, Visit)}


def outcomes(name: str):
    ended = Outcome(
        entry_id=name, revision="1", feed_id="f", source="f", attempt=1, code=OutcomeCode.GONE, kept=False, final=True,
        title=name, ended_at=NOW,
    )  # fmt: skip
    return {"outcomes": to_arrow([ended], Outcome)}


@pytest.fixture
def lake(place: Path) -> Lake:
    made = Lake(place)
    made.open_for_writing()
    prepare(made)
    return made


def files(lake: Lake) -> set[str]:
    """The files of committed batches, and of what is under way."""
    found = {str(p.relative_to(lake.root)) for p in lake.root.rglob("*") if p.is_file() and "1970-01-01" not in str(p)}
    return {f for f in found if f.startswith(("hot/", "staging/"))}


def test_a_batch_is_one_directory_with_its_tables_and_its_note(lake: Lake) -> None:
    before = datetime.now(UTC)
    assert commit(lake, Parcel(BATCH, visits("b", "a"), ("shard-0-of-1",)), TIMING)
    place = "hot/date=2026-11-23/20261123T014200Z-pull"
    assert files(lake) == {f"{place}/visits.parquet", f"{place}/commit.json", f"{place}/confirmed"}
    table = pq.read_table(lake.root / place / "visits.parquet", partitioning=None)
    assert table.schema.equals(table_schema("visits"))
    assert table["feed_id"].to_pylist() == ["a", "b"], "sorted as the contract says"
    stamps = set(table["available_at"].to_pylist())
    note = json.loads((lake.root / place / "commit.json").read_text())
    assert stamps == {datetime.fromisoformat(note["available_at"])}
    assert min(stamps) > before + TIMING.tolerance
    assert note["rows"] == {"visits": 2} and note["shards"] == ["shard-0-of-1"]


@pytest.mark.both_stores
def test_a_committed_batch_is_never_written_again(lake: Lake) -> None:
    assert commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
    bytes_before = {f: (lake.root / f).read_bytes() for f in files(lake)}
    assert not commit(
        lake,
        Parcel(
            BATCH,
            visits("a", "b"),
            (
                "s0",
                "s1",
            ),
        ),
        TIMING,
    )
    assert {f: (lake.root / f).read_bytes() for f in files(lake)} == bytes_before
    assert {part: note["shards"] for part, note in committed(lake, BATCH).items()} == {BATCH: ["s0"]}


def test_what_is_finished_later_comes_under_a_derived_id(lake: Lake) -> None:
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
    commit(lake, Parcel(BATCH.derived(2), visits("b"), ("s1",)), TIMING)
    parts = {part: note["shards"] for part, note in committed(lake, BATCH).items()}
    assert parts == {BATCH: ["s0"], BatchRef("20261123T014200Z.2", "pull"): ["s1"]}
    with connect(lake.root) as con:
        assert con.sql("SELECT feed_id, batch_id FROM lake.visits ORDER BY 1").fetchall() == [
            ("a", "20261123T014200Z"),
            ("b", "20261123T014200Z.2"),
        ]


def test_a_rename_that_would_miss_its_stamp_is_stamped_again(lake: Lake) -> None:
    """A clock that jumps ahead while the files are written: the first stamp is missed, the second holds."""
    jumps = iter([timedelta(0), timedelta(seconds=2)])
    shift = timedelta(0)

    def clock() -> datetime:
        nonlocal shift
        shift = next(jumps, shift)
        return datetime.now(UTC) + shift

    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), Timing(timedelta(0), clock))
    with connect(lake.root) as con:
        ((stamped,),) = con.sql("SELECT available_at FROM lake.visits").fetchall()
        assert stamped > datetime.now(UTC) + timedelta(seconds=1)
        assert con.sql("FROM lake.late_commits").fetchall() == []


def test_a_pause_between_stamp_and_rename_is_corrected_by_a_row(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Renamed.place

    def held_up(brought: Renamed) -> bool:
        if ".late" not in brought.path.name:
            time.sleep(0.5)
        return rename(brought)

    monkeypatch.setattr(Renamed, "place", held_up)
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
    readable = datetime.now(UTC)
    with connect(lake.root) as con:
        ((stamped,),) = con.sql("SELECT stamped_at FROM lake.late_commits").fetchall()
        ((counts_from,),) = con.sql("SELECT available_at FROM lake.visits").fetchall()
    assert stamped < readable <= counts_from
    # a retry that finds the batch committed adds no second correction
    before = files(lake)
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
    assert files(lake) == before


def test_a_file_server_whose_clock_is_far_ahead_ends_in_one_correction_by_its_clock(lake: Lake) -> None:
    behind = Timing(timedelta(0), lambda: datetime.now(UTC) - timedelta(hours=1))
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), behind)
    with connect(lake.root) as con:
        ((counts_from, corrections),) = con.sql(
            "SELECT available_at, (SELECT count(*) FROM lake.late_commits) FROM lake.visits"
        ).fetchall()
    assert counts_from > datetime.now(UTC) and corrections == 1


def test_the_time_of_a_commit_is_settled_once(lake: Lake) -> None:
    """Other rights, or a restored copy, change a directory's change time; that says nothing of when it could be read."""
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), Timing(timedelta(seconds=5)))
    time.sleep(0.01)
    lake.hot(BATCH).chmod(0o700)
    before = files(lake)
    assert confirm(lake, lake.hot(BATCH), Timing(timedelta(seconds=60)))
    assert files(lake) == before


def test_a_commit_that_died_before_its_check_is_checked_by_whoever_comes_next(lake: Lake) -> None:
    commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
    (lake.hot(BATCH) / "confirmed").unlink()
    assert not confirm(lake, lake.hot(BATCH), Timing(timedelta(seconds=60))), "clocks may differ by more than was allowed for"
    assert not confirm(lake, lake.hot(BATCH), TIMING)
    with connect(lake.root) as con:
        assert con.sql("SELECT count(*) FROM lake.late_commits").fetchall() == [(1,)]
        assert con.sql("SELECT v.available_at = readable_at FROM lake.visits v, lake.late_commits").fetchall() == [(True,)]


def test_what_is_confirmed_later_does_not_come_into_a_past_that_was_read_without_it(lake: Lake) -> None:
    """Killed between its rename, which was in time, and its mark: `as_of` does not count it until it has one."""
    commit(lake, Parcel(BATCH, outcomes("a")), TIMING)
    (lake.hot(BATCH) / "confirmed").unlink()
    with connect(lake.root) as con:
        ((stamped,),) = con.sql("SELECT available_at FROM lake.outcomes").fetchall()
        while datetime.now(UTC) <= stamped:
            time.sleep(0.02)
        assert con.sql("FROM outcomes_as_of(now())").fetchall() == []
        confirm(lake, lake.hot(BATCH), TIMING)
        ((counts_from,),) = con.sql("SELECT available_at FROM lake.outcomes").fetchall()
        assert counts_from > datetime.now(UTC) and con.sql("FROM outcomes_as_of(now())").fetchall() == []
        assert len(con.execute("FROM outcomes_as_of(?)", [counts_from]).fetchall()) == 1
        # also a query that listed the corrections before there was one goes by the time beside the mark
        remove_dir(lake.hot(BATCH).with_name(f"{BATCH.name}.late1"), lake.root / "staging")
        just_before = counts_from - timedelta(microseconds=1)
        assert con.execute("FROM outcomes_as_of(?)", [just_before]).fetchall() == []
        assert len(con.execute("FROM outcomes_as_of(?)", [counts_from]).fetchall()) == 1


def test_rows_never_count_before_what_they_rest_on(lake: Lake) -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    commit(lake, Parcel(BATCH, visits("a"), not_before=later), TIMING)
    with connect(lake.root) as con:
        assert con.sql("SELECT available_at FROM lake.visits").fetchall() == [(later,)]


@pytest.mark.both_stores
def test_who_lost_the_stage_commits_nothing(lake: Lake) -> None:
    """Held up until its heartbeat was old, a batch finds the stage with somebody else, and leaves the lake as it is."""
    path = lake.root / "locks" / "pull.json"
    with hold(lake, BATCH, "commit") as fence:
        path.unlink()
        with (
            hold(lake, BatchRef("20261123T014700Z", "pull"), "commit"),
            pytest.raises(LakeBusy, match=r"lost stage pull to somebody else \(batch 20261123T014700Z"),
        ):
            commit(lake, Parcel(BATCH, visits("a")), TIMING, fence)
        with pytest.raises(LakeBusy, match="lost stage pull"):
            commit(lake, Parcel(BATCH, visits("a")), TIMING, fence)
    assert [f for f in files(lake) if f.startswith(("hot", "staging"))] == []


def test_every_table_can_be_asked_before_its_first_row(lake: Lake) -> None:
    with connect(lake.root) as con:
        for name in [*TABLES, "bodies"]:
            columns = [d[0] for d in con.sql(f"FROM lake.{name}").description]
            assert columns[:2] and con.sql(f"FROM lake.{name}").fetchall() == []
        for view in ("articles", "mentions", "sentiments", "companies", "outcomes", "feeds"):
            assert con.sql(f"FROM {view}").fetchall() == []
        assert commit(lake, Parcel(BATCH, visits("a"), ("s0",)), TIMING)
        assert len(con.sql("FROM lake.visits").fetchall()) == 1, "an open connection sees what is committed later"


def test_a_field_added_later_is_null_in_older_files(lake: Lake) -> None:
    """The lake as older code left it: neither its rows nor its schema file have the new fields."""
    commit(lake, Parcel(BATCH, visits("a")), TIMING)
    (rows,) = store_of(lake.root).files_in(lake.hot(BATCH))
    for path in (rows, lake.schema_files("hot") / "visits.parquet"):
        older = pq.read_table(readable(path), partitioning=None).drop(["detail", "due_rule"])
        place_file(path, partial(pq.write_table, older))
    (lake.root / "news.duckdb").unlink()  # older code made another one
    prepare(lake)
    commit(lake, Parcel(BATCH.derived(2), visits("b")), TIMING)
    with connect(lake.root) as con:
        rows = con.sql("SELECT feed_id, detail, due_rule FROM lake.visits ORDER BY 1").fetchall()
        assert rows == [("a", None, None), ("b", None, "interval")]
    assert lake.evolved() == {"visits"}


def test_a_lake_of_newer_code_is_refused_by_name(lake: Lake) -> None:
    write_file(lake.root / "format.json", b'{"format": 99}')
    with pytest.raises(LakeFormat, match=r"format 99, this Newsmill reads up to 2: update Newsmill"):
        connect(lake.root)
    with pytest.raises(LakeFormat):
        lake.open_for_writing()


def test_no_lake_and_a_damaged_one_are_told_apart(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"no lake at .*: name another with --lake, or fill this one with `newsmill run`"):
        connect(tmp_path / "nowhere")
    write_file(lake.root / "format.json", b"{")
    with pytest.raises(LakeError, match=r"format\.json is damaged"):
        connect(lake.root)


@pytest.mark.parametrize(
    "batch_id", ["", "now", "20261123", "20261123T014200Z-pull", "../20261123T014200Z", "20261123T014200Z/.."]
)
def test_only_batch_ids_become_paths(batch_id: str) -> None:
    with pytest.raises(InputError, match="a batch id is like 20261123T014200Z"):
        BatchRef(batch_id, "pull")


def test_a_batch_keeps_its_own_date_and_id() -> None:
    moment = datetime(2026, 11, 23, 23, 59, 59, 987_654, tzinfo=UTC)
    ref = BatchRef(batch_id_of(moment), "read")
    assert (ref.name, ref.date, ref.began) == ("20261123T235959987Z-read", moment.date(), moment.replace(microsecond=987_000))
    assert ref.derived(2).name == "20261123T235959987Z.2-read"
    assert BatchRef.parse(ref.derived(2).name) == ref.derived(2) and ref.derived(2).root == ref.batch_id
    assert system_clock().tzinfo is UTC
