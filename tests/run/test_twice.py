"""The same tasks run twice at once, and killed midway: the lake holds what one run alone leaves, once."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.lake.layout import STAGES
from tests.run.publisher import STORIES, Publisher, publishing, settings_for

ROOT = Path(__file__).parents[2]
BATCH = "20261123T090000Z"
#: What differs because it tells of the commit, not of the news.
STAMPED = {"available_at", "news_at", "asked_at"}
ASKED_ONCE = ["feed", "robots.txt", *STORIES]


def begin(run_dir: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0.05"}
    command = [sys.executable, "-m", "tests.run.twice", BATCH]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def committed(run_dir: Path) -> dict[str, Any]:
    """Every table of every committed directory, without stamps; and the bytes kept."""
    lake = run_dir / "lake"
    found: dict[str, Any] = {}
    for path in sorted(lake.glob("hot/date=2*/*/*.parquet")):
        table = pq.read_table(path, partitioning=None)
        found[str(path.relative_to(lake))] = table.drop([name for name in table.column_names if name in STAMPED]).to_pylist()
    packs = [pq.read_table(path, partitioning=None).to_pylist() for path in lake.glob("raw/date=2*/*/*.parquet")]
    return found | {"raw": sorted((body["owner"], body["content"]) for pack in packs for body in pack)}


def tree(run_dir: Path) -> dict[str, str]:
    """The hash of every file that a batch may leave, by path."""
    lake = run_dir / "lake"
    return {
        str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("hot", "raw", "staging", "cold", "closed")
        for path in sorted((lake / part).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        yield running


@pytest.fixture(scope="module")
def alone(publisher: Publisher, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the batch leaves when one process does it."""
    run_dir = tmp_path_factory.mktemp("alone")
    settings_for(run_dir, publisher.port)
    end(begin(run_dir))
    left = committed(run_dir)
    directories = {path.rpartition("/")[0] for path in left if path != "raw"}
    assert directories == {f"hot/date=2026-11-23/{BATCH}-{stage}" for stage in STAGES}
    assert len(left[f"hot/date=2026-11-23/{BATCH}-read/articles.parquet"]) == len(STORIES)
    return left


def test_two_at_once_leave_what_one_alone_leaves_and_a_third_changes_nothing(
    publisher: Publisher, alone: dict[str, Any], tmp_path: Path
) -> None:
    settings_for(tmp_path, publisher.port)
    publisher.asked.clear()
    said = [end(process) for process in [begin(tmp_path), begin(tmp_path)]]
    assert "busy" in "".join(said), "they met"
    assert sorted(publisher.asked) == sorted(ASKED_ONCE), "nothing was asked twice"
    assert committed(tmp_path) == alone
    before = tree(tmp_path)
    again = end(begin(tmp_path))
    assert [line.count("finished by an earlier attempt") for line in again.splitlines() if "shard-0-of-1" in line] == [1, 1, 1]
    assert tree(tmp_path) == before


@pytest.mark.parametrize("stage", STAGES)
def test_one_of_two_is_killed_midway(stage: str, publisher: Publisher, alone: dict[str, Any], tmp_path: Path) -> None:
    settings_for(tmp_path, publisher.port)
    first = begin(tmp_path)
    assert first.stdout
    for line in first.stdout:
        if line.startswith(f"{BATCH}-{stage} shard"):  # it is at work on this stage from here on
            break
    first.send_signal(signal.SIGSTOP)
    second = begin(tmp_path)
    assert second.stdout
    assert "busy\n" in iter(second.stdout.readline, ""), "it waits, also for one that does not move"
    assert not (tmp_path / f"lake/hot/date=2026-11-23/{BATCH}-{stage}").exists()
    first.kill()
    first.communicate()
    end(second)
    assert committed(tmp_path) == alone
    before = tree(tmp_path)
    end(begin(tmp_path))
    assert tree(tmp_path) == before
