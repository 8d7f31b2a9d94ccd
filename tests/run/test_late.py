"""Work that comes too late for its day: done again under a derived id, from the bytes it had, and nobody is asked twice."""

import shutil
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import ArrowInvalid

from pipeline.lake import close as closing
from pipeline.lake import commit as committing
from pipeline.lake.layout import Lake, batch_id_of
from pipeline.lake.store.directory import Renamed
from pipeline.lake.watermark import late, watermark
from pipeline.run import close_days, finish_broken_off, pull, read, settle, work_shard
from tests.run.publisher import STORIES, Desk, publishing

SILENT = lambda _line: None  # noqa: E731
SOON, HOURS, ONE = timedelta(minutes=2), timedelta(hours=7), timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        publisher.slugs = ["sap"]
        yield Desk(tmp_path, publisher)


def fail(*_args: Any) -> None:
    raise ZeroDivisionError


def stage(desk: Desk, name: str) -> str:
    """One batch of one stage at the desk's time."""
    batch = batch_id_of(desk.now)
    work_shard(desk.settings, name, batch, 0, SILENT, lambda: desk.now)
    settle(desk.settings, name, batch, SILENT, lambda: desk.now)
    return batch


def broken_off(desk: Desk, name: str, patch: pytest.MonkeyPatch) -> str:
    """A batch of a stage that fails once its bytes are kept."""
    with patch.context() as broken:
        broken.setattr(pull if name == "pull" else read, "_entries" if name == "pull" else "_to_read", fail)
        with pytest.raises((ZeroDivisionError, TypeError)):
            stage(desk, name)
    return batch_id_of(desk.now)


def once(desk: Desk) -> None:
    """Every row there is is there once."""
    for table, key in {
        "visits": "visit_id",
        "entries": "(entry_id, revision)",
        "articles": "version_id",
        "pages": "page_id",
    }.items():
        assert desk.rows(f"SELECT {key} FROM lake.{table} GROUP BY ALL HAVING count(*) > 1") == [], table
    assert desk.rows("SELECT entry_id, attempt FROM lake.outcomes GROUP BY ALL HAVING count(*) > 1") == []


def test_a_batch_older_than_its_life_is_finished_from_what_it_had(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old = broken_off(desk, "pull", monkeypatch)
    desk.now += HOURS
    desk.publisher.slugs = ["sap", "basf"]
    with desk.settings.catalogue.open("a") as catalogue:
        catalogue.write(f'[[feed]]\nfeed_id = "u"\nurl = "{desk.publisher.base}/another"\n')
    asked = len(desk.publisher.asked)
    finish_broken_off(desk.settings, "pull", SILENT, lambda: desk.now)
    assert len(desk.publisher.asked) == asked, "nobody is asked, not even a feed that is due"
    assert desk.rows("SELECT batch_id, title FROM lake.entries") == [(f"{old}.2", STORIES["sap"][0])]
    desk.batch(timedelta(0))
    assert desk.rows("SELECT title, code FROM outcomes ORDER BY 1") == [(STORIES[s][0], "article") for s in ("basf", "sap")]
    once(desk)


def test_pages_of_a_batch_older_than_its_life_are_asked_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(desk, "pull")
    old = broken_off(desk, "read", monkeypatch)
    desk.now += HOURS
    desk.publisher.slugs, desk.publisher.page_status = ["sap", "basf"], 503
    stage(desk, "pull")
    finish_broken_off(desk.settings, "read", SILENT, lambda: desk.now)
    ended = desk.rows("SELECT title, code, batch_id FROM outcomes ORDER BY 1")
    assert ended == [(STORIES["basf"][0], "waiting", None), (STORIES["sap"][0], "article", f"{old}.2")]
    assert [desk.publisher.asked.count(page) for page in ("sap", "basf")] == [1, 0]
    once(desk)


def test_a_batch_whose_day_is_closed_goes_into_one_that_is_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.batch(timedelta(0))
    desk.publisher.slugs = ["sap", "basf"]
    desk.now += SOON
    old = broken_off(desk, "pull", monkeypatch)
    desk.publisher.slugs = ["sap"]
    desk.now += ONE
    close_days(desk.settings, SILENT, lambda: desk.now)
    assert watermark(Lake(desk.settings.lake)).day == date(2026, 11, 23)
    desk.batch(timedelta(0))
    rows = desk.rows("SELECT batch_id, date, title FROM lake.entries ORDER BY date")
    assert [row[1:] for row in rows] == [(date(2026, 11, 23), STORIES["sap"][0]), (date(2026, 11, 24), STORIES["basf"][0])]
    assert rows[1][0] == f"{old}.2"
    assert {code for (code,) in desk.rows("SELECT code FROM outcomes")} == {"article"}
    once(desk)


def closes_before_the_rename(desk: Desk, patch: pytest.MonkeyPatch, and_then: Any = None) -> None:
    """Where the file system carries no locks: the day closes just when a batch of it has been checked and is renamed."""
    patch.setattr(closing, "nobody_commits", lambda _lake: nullcontext())
    patch.setattr(committing, "guarded", lambda *_: nullcontext())

    place = Renamed.place

    def held_up(brought: Renamed) -> bool:
        if "hot" not in brought.path.parts:  # a shard's results
            return place(brought)
        patch.setattr(Renamed, "place", place)
        close_days(desk.settings, SILENT, lambda: desk.now + ONE)
        assert place(brought)
        return and_then() if and_then else True

    patch.setattr(Renamed, "place", held_up)


@pytest.mark.parametrize("name", ["pull", "read", "tag"])
def test_a_batch_whose_day_closed_between_its_check_and_its_rename(
    name: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.batch(timedelta(0))
    desk.publisher.slugs = ["sap", "basf"]
    desk.now += SOON
    for before in ("pull", "read", "tag")[: ("pull", "read", "tag").index(name)]:
        stage(desk, before)
    closes_before_the_rename(desk, monkeypatch)
    old = stage(desk, name)
    assert [p.name for p in late(Lake(desk.settings.lake))] == [f"{old}-{name}"]
    table = {"pull": "entries", "read": "articles", "tag": "taggings"}[name]
    assert desk.rows(f"SELECT count(*) FROM lake.{table} WHERE batch_id = '{old}.2'") == [(1,)], "its writer did it again at once"
    desk.now += ONE
    asked = len(desk.publisher.asked)
    finish_broken_off(desk.settings, name, SILENT, lambda: desk.now)
    assert len(desk.publisher.asked) == asked
    assert late(Lake(desk.settings.lake)) == [] and not list((desk.settings.lake / "staging").glob("2*"))
    desk.batch(timedelta(0))
    assert desk.rows("SELECT count(*) FROM articles") == desk.rows("SELECT count(*) FROM lake.taggings") == [(2,)]
    once(desk)


@pytest.mark.parametrize("name", ["pull", "read", "tag"])
@pytest.mark.parametrize("kept", ["its shards", "its bytes"])
def test_a_late_batch_whose_writer_is_gone_is_done_again_by_the_sweep(
    name: str, kept: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.batch(timedelta(0))
    desk.publisher.slugs = ["sap", "basf"]
    desk.now += SOON
    for before in ("pull", "read", "tag")[: ("pull", "read", "tag").index(name)]:
        stage(desk, before)
    closes_before_the_rename(desk, monkeypatch, fail)
    with pytest.raises(ZeroDivisionError):
        stage(desk, name)
    if kept == "its bytes":
        shutil.rmtree(desk.settings.lake / "staging")
        (desk.settings.lake / "staging").mkdir()
    (desk.settings.lake / "locks" / f"{name}.json").unlink(missing_ok=True)
    desk.now += ONE
    desk.publisher.page_status, asked = 503, len(desk.publisher.asked)
    finish_broken_off(desk.settings, name, SILENT, lambda: desk.now)
    assert len(desk.publisher.asked) == asked and late(Lake(desk.settings.lake)) == []
    if name != "pull":
        assert desk.rows("SELECT count(*) FROM articles") == [(2,)]
    desk.publisher.page_status = 200
    desk.batch(timedelta(0))
    assert desk.rows("SELECT count(*) FROM articles") == desk.rows("SELECT count(*) FROM lake.taggings") == [(2,)]
    once(desk)


def test_a_day_that_was_closed_too_early_is_worked_on_all_the_same(desk: Desk) -> None:
    """By a closer whose clock is a day ahead: what comes is committed under the next day."""
    desk.batch(timedelta(0))
    close_days(desk.settings, SILENT, lambda: desk.now + ONE)
    assert watermark(Lake(desk.settings.lake)).day == date(2026, 11, 23)
    desk.publisher.slugs = ["sap", "basf"]
    assert desk.batch(SOON)["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT title, date FROM articles ORDER BY date") == [
        (STORIES["sap"][0], date(2026, 11, 23)),
        (STORIES["basf"][0], date(2026, 11, 24)),
    ]
    once(desk)


def test_a_batch_that_cannot_be_finished_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = broken_off(desk, "pull", monkeypatch)
    desk.now += SOON
    second = broken_off(desk, "pull", monkeypatch)
    desk.now += HOURS
    (pack,) = (desk.settings.lake / "raw" / "date=2026-11-23" / f"{first}-pull").glob("*.parquet")
    pack.write_bytes(b"damaged")
    with pytest.raises(ArrowInvalid):
        desk.batch(timedelta(0))
    assert [p.name for p in (desk.settings.lake / "staging").glob("2*")] == [f"{first}-pull"], "it stays as it is"
    assert desk.rows("SELECT count(*) FROM lake.visits") == [(2,)], f"{second} and the new batch are in the lake"
    assert desk.rows("SELECT title, code FROM outcomes") == [(STORIES["sap"][0], "article")]
