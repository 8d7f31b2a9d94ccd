"""What a sweep finds and says: batches that were left, work that nobody was told of, and what came too late for its day."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, batch_id_of
from pipeline.lake.lock import hold
from pipeline.run import (
    Swept,
    close_days,
    days_to_announce,
    finish_broken_off,
    follow_up,
    note_announced,
    run_once,
    settle,
    sweep,
    work_shard,
)
from pipeline.settings import Settings
from tests.opened import opened
from tests.run.publisher import STORIES, Publisher, publishing, settings_for

ROOT = Path(__file__).parents[2]
NEWS = len(STORIES)


class Desk:
    """A lake and its publisher, and sweeps at moments after now."""

    def __init__(self, run_dir: Path, publisher: Publisher) -> None:
        self.publisher, self.settings = publisher, settings_for(run_dir, publisher.port)
        self.lake, self.began = opened(self.settings.lake), datetime.now(UTC)
        self.batch = batch_id_of(self.began)
        self.said: list[str] = []

    def work(self, stage: str, batch: str | None = None, *, settled: bool = True) -> dict[str, int]:
        work_shard(self.settings, stage, batch or self.batch, 0, self.said.append)
        return settle(self.settings, stage, batch or self.batch, self.said.append).counts if settled else {}

    def sweep(self, stage: str, minutes: float) -> Swept:
        return sweep(self.settings, stage, self.said.append, lambda: datetime.now(UTC) + timedelta(minutes=minutes))

    def count(self, table: str) -> int:
        with connect(self.lake.root) as con:
            ((rows,),) = con.sql(f"SELECT count(*) FROM lake.{table}").fetchall()
        return rows


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.lake.lock.LEASE", timedelta(0))  # the stage would stay a batch's for 90 seconds
    with publishing() as publisher:
        yield Desk(tmp_path, publisher)


def test_a_lost_event_is_made_good_once(desk: Desk) -> None:
    desk.work("pull")
    assert desk.sweep("pull", 9) == Swept(waiting=NEWS), "the event may still be on its way"
    assert desk.said[-1] == f"pull: nothing was missed, {NEWS} wait for the stage read"
    swept = desk.sweep("pull", 12)
    (batch,) = swept.announce
    assert swept == Swept(waiting=NEWS, announce=(batch,)) and f"Announced as {batch}" in desk.said[-1]
    assert desk.sweep("pull", 27) == Swept(waiting=NEWS), "once"
    assert f"Not announced: {batch}-read is begun" in desk.said[-1]
    assert desk.work("read", batch)["article"] == NEWS
    assert desk.sweep("pull", 60) == Swept()
    assert desk.sweep("read", 12).announce and desk.sweep("tag", 12) == Swept()


def test_what_nobody_took_up_is_announced_again_later(desk: Desk) -> None:
    desk.work("pull")
    (first,) = desk.sweep("pull", 12).announce
    assert desk.sweep("read", 29) == Swept() and (desk.lake.root / "staging" / f"{first}-read").exists()
    assert desk.sweep("read", 31) == Swept() and not (desk.lake.root / "staging" / f"{first}-read").exists()
    (second,) = desk.sweep("pull", 45).announce
    assert second > first
    assert desk.work("read", second)["article"] == NEWS


def test_a_batch_that_was_left_is_finished_from_what_it_kept_and_announced(desk: Desk) -> None:
    """Killed with its bytes kept and no result left: the feed's next answer would be a 304."""
    environ = {**os.environ, "NEWSMILL_RUN": str(desk.settings.lake.parent), "NEWSMILL_SPACING_S": "0"}
    command = [sys.executable, "-m", "tests.run.killed", "-pull/shard-0-of-1"]
    assert subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode == -9
    asked = list(desk.publisher.asked)
    assert "feed" in asked
    assert desk.sweep("pull", 29) == Swept(), "it may still be at work: its tasks have half an hour"
    swept = desk.sweep("pull", 31)
    assert ([r.counts["entries new"] for r in swept.finished], swept.waiting, len(swept.announce)) == ([NEWS], NEWS, 1)
    assert desk.publisher.asked == asked, "a sweep asks no server"
    assert desk.sweep("pull", 31) == Swept(waiting=NEWS)


def test_what_a_cleared_shard_left_without_its_announcement_is_committed(desk: Desk) -> None:
    """An operator who clears a shard alone, without what comes after it."""
    two = replace(desk.settings, shards=2)
    for shard in (0, 1):
        work_shard(two, "pull", desk.batch, shard, desk.said.append)
    assert desk.count("visits") == 0
    (finished,) = desk.sweep("pull", 31).finished
    assert (finished.batch_id, finished.counts["came_in"], desk.count("entries")) == (desk.batch, 1, NEWS)


def test_a_tag_batch_that_was_left_is_announced_under_its_own_id(desk: Desk) -> None:
    for stage in ("pull", "read"):
        desk.work(stage)
    desk.work("tag", settled=False)
    assert desk.sweep("tag", 31).announce == (desk.batch,)
    assert desk.count("taggings") == NEWS


def test_somebody_at_work_is_no_error(desk: Desk) -> None:
    desk.work("pull")
    before = list(desk.publisher.asked)
    with hold(desk.lake, BatchRef(desk.batch, "pull"), "shard-2-of-4", last=True):
        assert desk.sweep("pull", 60) == Swept()
    assert desk.said[-1].startswith("pull: not this time. stage pull of the lake at ")
    with hold(desk.lake, BatchRef(desk.batch, "read"), "shard-2-of-4"):
        assert desk.sweep("pull", 60) == Swept(waiting=NEWS)
    assert f"Not announced: stage read of the lake at {desk.lake.root} is being written: batch {desk.batch}" in desk.said[-1]
    assert desk.publisher.asked == before


def test_pages_that_are_due_again_count_from_when_they_are(desk: Desk) -> None:
    desk.publisher.page_status = 503
    for stage in ("pull", "read"):
        desk.work(stage)
    assert desk.sweep("pull", 4) == Swept(), "not due yet"
    assert desk.sweep("pull", 14) == Swept(waiting=NEWS), "the next pull's run takes them up"
    assert len(desk.sweep("pull", 16).announce) == 1


def test_the_next_stage_goes_on_under_the_same_id_while_it_can(desk: Desk) -> None:
    desk.work("pull")
    assert follow_up(desk.settings, "pull", desk.batch) == desk.batch
    assert follow_up(desk.settings, "tag", desk.batch) == desk.batch, "nothing follows"
    work_shard(desk.settings, "read", desk.batch, 0, desk.said.append)
    assert follow_up(desk.settings, "pull", desk.batch) > desk.batch, "begun: it may have looked already"
    settle(desk.settings, "read", desk.batch, desk.said.append)
    assert follow_up(desk.settings, "pull", desk.batch) > desk.batch, "committed"
    old = batch_id_of(desk.began - timedelta(hours=6, minutes=1))
    assert follow_up(desk.settings, "pull", old) > desk.batch, "too old to ask for anything"


def three_days_ago(desk: Desk) -> BatchRef:
    then = desk.began - timedelta(days=3)
    run_once(desk.settings, desk.said.append, lambda: then)
    return BatchRef(batch_id_of(then), "pull")


def test_days_are_to_be_announced_until_they_were(desk: Desk) -> None:
    batch = three_days_ago(desk)
    assert days_to_announce(desk.settings) == {}
    report = close_days(desk.settings, desk.said.append)
    for _ in range(2):
        assert days_to_announce(desk.settings) == {str(batch.date): report.closed[0].rows}
    note_announced(desk.settings, days_to_announce(desk.settings))
    assert days_to_announce(desk.settings) == {}


def test_a_batch_its_day_was_closed_without_is_done_again_from_its_bytes(desk: Desk, tmp_path: Path) -> None:
    batch = three_days_ago(desk)
    desk.lake.hot(batch).rename(tmp_path / "held-up")
    close_days(desk.settings, desk.said.append)
    assert desk.count("visits") == 0
    (tmp_path / "held-up").rename(desk.lake.hot(batch))
    asked = list(desk.publisher.asked)
    (finished,) = desk.sweep("pull", 0).finished
    assert finished.counts["came_in"] == 1 and desk.count("visits") == 1 and desk.count("entries") == NEWS
    assert desk.publisher.asked == asked and not desk.lake.hot(batch).exists()
    assert desk.sweep("pull", 60).finished == ()


def test_a_correction_its_day_was_closed_without_is_committed_again(desk: Desk, tmp_path: Path) -> None:
    batch = three_days_ago(desk)
    correction = correct(desk, batch)
    ((_, said),) = corrections(desk.settings)
    correction.rename(tmp_path / "held-up")
    close_days(desk.settings, desk.said.append)
    (tmp_path / "held-up").rename(correction)
    assert corrections(desk.settings) == []
    for _ in range(2):
        finish_broken_off(desk.settings, "pull", desk.said.append)
        ((day, again),) = corrections(desk.settings)
        assert (again, day > batch.date, correction.exists()) == (said, True, False)
    assert f"{correction.name}: its day was closed without it" in "\n".join(desk.said)
    # one that was redone before its process died is not there twice
    correction.mkdir()
    for file in (desk.lake.hot_day(day) / correction.name).iterdir():
        (correction / file.name).write_bytes(file.read_bytes())
    finish_broken_off(desk.settings, "pull", desk.said.append)
    assert corrections(desk.settings) == [(day, said)] and not correction.exists()


def correct(desk: Desk, batch: BatchRef) -> Path:
    """Has the batch's time settled anew by a clock that is far ahead: it was late, a row says so."""
    from pipeline.lake.commit import Timing, confirm

    place = desk.lake.hot(batch)
    (place / "confirmed").unlink()
    assert not confirm(desk.lake, place, Timing(timedelta(seconds=60)))
    return place.with_name(f"{place.name}.late1")


def corrections(settings: Settings) -> list[tuple[object, object]]:
    with connect(settings.lake) as con:
        query = "SELECT date, (late_batch_id, late_stage, stamped_at, readable_at) FROM lake.late_commits"
        return con.sql(query).fetchall()
