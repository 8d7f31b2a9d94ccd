"""What shards leave: packs of raw bytes, and results that are whole or refused."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import LossError
from pipeline.lake import staging
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.store import store_of
from schemas.columns import to_arrow
from schemas.outcome import Superseded
from schemas.web import Body, FetchCode, Kind

BATCH = BatchRef("20261123T014200Z", "pull")
NOW = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
ROWS = {"superseded": to_arrow([Superseded(what="version", id="v_1", replaced_by="v_2", why="revised")], Superseded)}


@pytest.fixture
def lake(place: Path) -> Lake:
    made = Lake(place)
    made.open_for_writing()
    return made


def body(owner: str, host: str = "a.example", content: bytes = b"x") -> Body:
    url = f"https://{host}/{owner}"
    return Body(
        kind=Kind.FEED, owner=owner, target=owner, url=url, asked_at=NOW, answered_at=NOW, code=FetchCode.OK, content=content
    )


@pytest.mark.both_stores
def test_packs_are_kept_as_they_fill_and_read_back_by_address(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "PACK_BODIES", 2)
    with pytest.raises(ZeroDivisionError), staging.keep(lake, BATCH, "shard-0") as packs:
        for number in range(5):
            packs.add(body(f"f_{number}", host="ab"[number % 2] + ".example"))
        raise ZeroDivisionError
    assert len(list(lake.raw(BATCH).iterdir())) == 3, "what was added is kept, whatever happened then"
    assert staging.kept_owners(lake, BATCH) == {f"f_{n}" for n in range(5)}
    mine = staging.kept(lake, BATCH, lambda url: url.startswith("https://a."))
    assert [b.owner for b in mine] == ["f_0", "f_2", "f_4"]


def test_of_two_answers_for_one_owner_the_first_counts(lake: Lake) -> None:
    for content in (b"first", b"second"):
        with staging.keep(lake, BATCH, "shard-0") as packs:
            packs.add(body("f_1", content=content))
        time.sleep(0.02)
    assert [b.content for b in staging.kept(lake, BATCH, lambda _url: True)] == [b"first"]
    os.utime(min(lake.raw(BATCH).glob("*.parquet")))  # a takedown wrote it anew
    assert [b.content for b in staging.kept(lake, BATCH, lambda _url: True)] == [b"first"]


@pytest.mark.both_stores
def test_a_shard_is_finished_once_and_its_first_results_stay(lake: Lake) -> None:
    staging.begin(lake, BATCH)
    assert not staging.is_finished(lake, BATCH, "shard-0")
    staging.finish_shard(lake, BATCH, "shard-0", ROWS)
    staging.finish_shard(lake, BATCH, "shard-0", {"superseded": ROWS["superseded"].slice(0, 0)})
    assert staging.finished_shards(lake, BATCH) == ["shard-0"]
    assert staging.shard_tables(lake, BATCH, "shard-0")["superseded"].equals(ROWS["superseded"])


def test_rows_that_went_missing_are_noticed(lake: Lake) -> None:
    staging.finish_shard(lake, BATCH, "shard-0", ROWS)
    for path in store_of(lake.root).files_in(lake.staging(BATCH) / "shard-0"):
        path.unlink()
    with pytest.raises(LossError, match=r"should hold the rows .'superseded': 1. and holds .*; delete it and clear the shard"):
        staging.shard_tables(lake, BATCH, "shard-0")


@pytest.mark.both_stores
def test_a_shard_that_finishes_while_another_is_settled_keeps_its_batch_begun(lake: Lake) -> None:
    staging.finish_shard(lake, BATCH, "shard-0", ROWS)
    staging.finish_shard(lake, BATCH, "shard-1", ROWS)
    staging.forget_shards(lake, BATCH, ["shard-0"])
    staging.end(lake, BATCH)
    assert staging.unfinished(lake, "pull") == [BATCH] and staging.finished_shards(lake, BATCH) == ["shard-1"]
    staging.forget_shards(lake, BATCH, ["shard-1", "shard-1"])
    staging.end(lake, BATCH)
    assert staging.unfinished(lake, "pull") == []


def test_strangers_in_the_staging_area_are_left_alone_and_old_asides_cleared(lake: Lake) -> None:
    root = lake.root / "staging"
    for name in ("x-pull", ".shard.new", ".commit.old"):
        (root / name).mkdir(parents=True)
    os.utime(root / ".commit.old", (0, 0))
    assert staging.unfinished(lake, "pull") == []
    staging.end(lake, BATCH)
    assert sorted(p.name for p in root.iterdir()) == [".shard.new", "x-pull"]
