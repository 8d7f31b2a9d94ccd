"""A lake in S3: what a conditional write decides, what those who die leave, what it costs, and what is said where it fails."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import DayClosed, LakeBusy, LakeError
from pipeline.lake import connect
from pipeline.lake.close import batches_of, close
from pipeline.lake.commit import Parcel, Timing, commit, confirm
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import guarded, hold, refuse_if_held
from pipeline.lake.retire import Rules
from pipeline.lake.store import lease
from pipeline.lake.store.bucket import BUCKET, Uploaded
from pipeline.lake.watermark import Watermark, late, move, seen_before, watermark
from pipeline.s3 import S3Path, client, place_of
from pipeline.s3.files import Objects
from tests.lake.news import DAY, GRACE, News, batch_rows
from tests.s3_server import Bucket
from tests.stores import ADDRESS

TIMING = Timing(timedelta(0))
HOUR, ONE = timedelta(hours=1), timedelta(days=1)
BATCH = BatchRef(batch_id_of(DAY), "pull")


@pytest.fixture
def lake(s3: Bucket) -> Lake:
    return Lake(place_of(ADDRESS))


@pytest.fixture
def anew() -> Iterator[None]:
    """The environment is asked for endpoint and keys again."""
    client.forget()
    yield
    client.forget()


def parcel(*entries: str, at: datetime = DAY) -> Parcel:
    return Parcel(BatchRef(batch_id_of(at), "pull"), batch_rows(at, entries)["pull"])


def titles(lake: Lake) -> list[str]:
    with connect(lake.root) as con:
        return [title for (title,) in con.sql("SELECT title FROM lake.entries ORDER BY 1").fetchall()]


def names(lake: Lake) -> list[str]:
    """The objects of a committed batch, with * for its attempt."""
    place = lake.hot(BATCH)
    (mark,) = place.glob("placed.*")
    return sorted(path.name.replace(mark.suffix[1:], "*") for path in place.iterdir())


def once(said: str, method: str, ending: str, times: int = 1):
    """A fault for the first requests of this kind."""
    left = iter(range(times))
    return lambda m, path: said if m == method and path.endswith(ending) and next(left, None) is not None else None


def test_a_batch_ends_with_its_note_and_its_mark(lake: Lake, s3: Bucket) -> None:
    s3.asked.clear()
    assert commit(lake, parcel("a"), TIMING)
    assert names(lake) == ["commit.json", "confirmed", "entries.*.parquet", "placed.*", "visits.*.parquet"]
    put = [Path(path).name.partition(".")[0] for method, path in s3.asked if method == "PUT"]
    assert sorted(put[:2]) == ["entries", "visits"], "side by side"
    assert put[2:] == ["commit", "placed", "confirmed"], "readers see nothing before all is there"
    assert titles(lake) == ["Title of a"]


def test_of_two_writers_of_a_batch_one_commits_and_the_other_finds_it_done(lake: Lake) -> None:
    @contextmanager
    def overtaken() -> Iterator[None]:
        assert commit(lake, parcel("first"), TIMING)
        yield

    assert not commit(lake, parcel("second", "third"), TIMING, overtaken)
    assert titles(lake) == ["Title of first"]
    assert names(lake) == ["commit.json", "confirmed", "entries.*.parquet", "placed.*", "visits.*.parquet"], "the loser tidied up"


def test_writers_that_race_end_with_one_commit_each_round(lake: Lake) -> None:
    for n in range(3):
        at, barrier, won = DAY + n * HOUR, threading.Barrier(3), list[bool]()

        @contextmanager
        def together(barrier: threading.Barrier = barrier) -> Iterator[None]:
            barrier.wait(30)
            yield

        def write(name: str, at: datetime = at, won: list[bool] = won, fence=together) -> None:
            won.append(commit(lake, parcel(name, at=at), Timing(timedelta(seconds=2)), fence))

        writers = [threading.Thread(target=write, args=(f"{n}{name}",)) for name in "abc"]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert sorted(won) == [False, False, True]
        assert len(titles(lake)) == n + 1


def test_what_was_brought_and_not_placed_is_seen_by_nobody_and_swept_after_a_day(lake: Lake, tmp_path: Path) -> None:
    """A writer that is killed after its last file, before its note."""
    with pytest.raises(ZeroDivisionError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Uploaded, "place", lambda _: 1 / 0)
        commit(lake, parcel("dead"), TIMING)
    assert sorted(path.suffix for path in lake.hot(BATCH).iterdir()) == [".parquet", ".parquet"]
    assert titles(lake) == [] and batches_of(lake, DAY.date()) == []
    assert commit(lake, parcel("alive"), TIMING)
    assert titles(lake) == ["Title of alive"]
    assert BUCKET.sweep(lake.root / "hot", timedelta(days=1)) == 0, "somebody may be bringing it"
    assert BUCKET.sweep(lake.root / "hot", timedelta(seconds=-5)) == 2
    assert titles(lake) == ["Title of alive"]


def test_a_note_without_its_mark_gets_it_from_whoever_comes_next(lake: Lake, s3: Bucket) -> None:
    s3.faults.append(lambda method, path: "before" if method == "PUT" and "/placed." in path else None)
    with pytest.raises(LakeError, match=r"placed\.\w+ cannot be reached .*AWS_ENDPOINT_URL"):
        commit(lake, parcel("a"), TIMING)
    s3.faults.clear()
    assert titles(lake) == []
    assert not commit(lake, parcel("other"), TIMING), "the note has decided"
    assert titles(lake) == ["Title of a"]
    with connect(lake.root) as con:
        ((late,),) = con.sql("SELECT count(*) FROM lake.late_commits").fetchall()
    assert late == (0 if confirm(lake, lake.hot(BATCH), TIMING) else 1)


@pytest.mark.parametrize("ending", ["commit.json", ".parquet", "locks/pull.json"])
def test_a_write_whose_answer_was_lost_is_known_as_ones_own(lake: Lake, s3: Bucket, ending: str) -> None:
    s3.faults.append(once("after", "PUT", ending))
    with hold(lake, BATCH, "commit", last=True) as fence:
        assert commit(lake, parcel("a"), TIMING, fence)
    assert titles(lake) == ["Title of a"] and names(lake)[0] == "commit.json"
    refuse_if_held(lake, "pull")


def test_a_write_whose_answer_was_lost_is_known_as_anothers(lake: Lake, s3: Bucket) -> None:
    """Cut off before the server took it, while another writer came through."""

    @contextmanager
    def overtaken() -> Iterator[None]:
        assert commit(lake, parcel("first"), TIMING)
        s3.faults.append(once("before", "PUT", "commit.json"))
        yield

    assert not commit(lake, parcel("second"), TIMING, overtaken)
    assert titles(lake) == ["Title of first"]


def test_a_service_that_asks_for_patience_gets_it(lake: Lake, s3: Bucket) -> None:
    s3.faults += [once("503", method, ending, 2) for method, ending in (("PUT", ".parquet"), ("GET", ".json"), ("LIST", "news"))]
    with hold(lake, BATCH, "commit", last=True) as fence:
        assert commit(lake, parcel("a"), TIMING, fence)
    assert titles(lake) == ["Title of a"]


def test_who_was_held_up_behind_the_fence_commits_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GUARDED", timedelta(0))
    with (
        hold(lake, BATCH, "commit", last=True) as fence,
        pytest.raises(LakeBusy, match="held up: nothing was committed, try again"),
    ):
        commit(lake, parcel("a"), TIMING, fence)
    assert titles(lake) == []


def test_the_guard_of_somebody_who_died_is_taken_after_a_while(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GUARD_LEASE", timedelta(milliseconds=300))
    guard = S3Path(lake.root / "locks" / ".pull.guard")
    tag, _ = lease._taken(guard, timedelta(0))
    with (
        pytest.raises(LakeBusy, match=r"\.pull\.guard has been held for 0 s by .*: let it continue, or end it"),
        guarded(lake, "pull", patience=timedelta(milliseconds=100)),
    ):
        pass
    with guarded(lake, "pull"), pytest.raises(client.Changed):
        client.put(guard, lease.FREE, tag)  # it lived, and finds that it is not its own any more
    assert guard.read_bytes() == lease.FREE


def test_neither_a_closer_that_was_overtaken_nor_a_late_batch_writes_to_a_closed_day(lake: Lake) -> None:
    news = News(lake)
    news.batch(DAY, "a")
    path = lake.cold("visits", DAY.date())
    seen = seen_before(lake, DAY.date(), [path])
    news.close(DAY + ONE + 6 * HOUR)
    before = path.read_bytes(), watermark(lake)
    with pytest.raises(LakeBusy, match="was written by somebody else meanwhile, who does the same work"):
        BUCKET.write_file(path, b"older", seen)
    with pytest.raises(LakeBusy, match=r"watermark\.json was written by somebody else"):
        move(lake, Watermark(date(2026, 10, 1)), seen)
    assert (path.read_bytes(), watermark(lake)) == before
    with pytest.raises(DayClosed, match="2026-10-30 is closed; 20261030T010000000Z-pull is committed under a day that is open"):
        commit(lake, parcel("b", at=DAY + HOUR), TIMING)
    assert late(lake) == [] and titles(lake) == ["Title of a"]


def test_plain_duckdb_reads_it_through_a_copy_of_news_duckdb(lake: Lake, tmp_path: Path) -> None:
    """As with httpfs, which brings its own reader of S3: the views are the same."""
    commit(lake, parcel("a"), TIMING)
    (tmp_path / "news.duckdb").write_bytes((lake.root / "news.duckdb").read_bytes())
    with duckdb.connect(tmp_path / "news.duckdb", read_only=True) as con:
        assert isinstance(lake.root, S3Path)
        con.register_filesystem(Objects(lake.root))
        assert con.sql("SELECT title FROM lake.entries").fetchall() == [("Title of a",)]


def test_what_it_costs(lake: Lake, s3: Bucket) -> None:
    """In requests: a commit, opening the lake, a query of one day among others, and closing a day of twelve batches."""
    for n in range(2):
        for day in (DAY, DAY + ONE):
            for stage, tables in batch_rows(day + n * HOUR, [f"{day:%d}{n}"]).items():
                with s3.counted() as committed:
                    commit(lake, Parcel(BatchRef(batch_id_of(day + n * HOUR), stage), tables), TIMING)
    assert committed == {"HEAD": 2, "PUT": 5, "GET": 3, "LIST": 5}
    with s3.counted() as opened:  # as any question and any closing: sharing nothing
        con = Context().run(connect, lake.root)
    assert opened == {"GET": 4}
    with con:
        query = "SELECT count(*) FROM lake.visits WHERE date = DATE '2026-10-31'"
        with s3.counted() as asked:
            assert con.sql(query).fetchall() == [(2,)]
    files = Counter(Path(path).name.partition(".")[0] for method, path in s3.asked if method == "GET")
    assert asked["LIST"] == 2, "of hot/, and of the mark of deletion"
    assert files == {"visits": 3, "late_commits": 1, "deleted": 1}, "the two of that day, and those without rows for the columns"
    with s3.counted() as closed:
        timing = Timing(timedelta(0), lambda: DAY + ONE + 6 * HOUR)
        Context().run(close, lake, timing, Rules(GRACE), lambda _: None)
    assert sum(closed.values()) < 320, dict(closed)


def test_a_bucket_that_is_not_there_is_named(s3: Bucket) -> None:
    where = Lake(place_of("s3://elsewhere/lake"))
    for ask in (where.check, where.open_for_writing):
        with pytest.raises(LakeError, match=r"there is no bucket elsewhere at http://127\.0\.0\.1:\d+: make it, or name another"):
            ask()


@pytest.mark.usefixtures("s3")
def test_a_place_without_a_lake_is_told_apart() -> None:
    with pytest.raises(LakeError, match=r"no lake at s3://news/elsewhere: name another with --lake"):
        connect("s3://news/elsewhere")


def test_credentials_that_do_not_fit_are_named(lake: Lake, s3: Bucket) -> None:
    s3.faults.append(lambda *_: "403")
    with pytest.raises(
        LakeError, match=r"format\.json may not be used with these credentials \(InvalidAccessKeyId: .*check AWS_ACC"
    ):
        lake.check()


@pytest.mark.usefixtures("anew")
def test_no_credentials_are_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(LakeError, match=r"no credentials for s3://news/lake/.*: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        lake.check()


@pytest.mark.usefixtures("anew")
def test_a_service_that_does_not_run_is_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(LakeError, match=r"cannot be reached .*are AWS_ENDPOINT_URL and AWS_REGION right"):
        lake.check()


def test_the_time_of_a_commit_is_late_never_early(lake: Lake) -> None:
    commit(lake, parcel("a"), TIMING)
    with connect(lake.root) as con:
        ((stamped,),) = con.sql("SELECT DISTINCT available_at FROM lake.entries").fetchall()
        assert con.sql("FROM lake.late_commits").fetchall() == [], "it was stamped far enough ahead"
    assert datetime.now(UTC) < stamped + timedelta(seconds=60) and BUCKET.placed_at(lake.hot(BATCH)) < stamped
