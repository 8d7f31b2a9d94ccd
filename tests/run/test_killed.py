"""A batch that is killed at any step and repeated: nothing is lost and nothing is there twice."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake import connect
from pipeline.run import run_once
from tests import begun
from tests.run.publisher import STORIES, Publisher, publishing, settings_for

POINTS = int(os.environ.get("NEWSMILL_KILL_POINTS", "12"))
ROOT = Path(__file__).parents[2]


def run_killed(run_dir: Path, where: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"}
    command = ["-m", "tests.run.killed", where]
    return begun.run(*command, stdin="", environ=environ, timeout=100)


def content(run_dir: Path) -> dict[str, list[Any]]:
    """Everything that must be there exactly once, without the ids and times that differ from batch to batch."""
    with connect(run_dir / "lake") as con:
        return {
            "entries": con.sql("SELECT entry_id, revision, title FROM lake.entries ORDER BY ALL").fetchall(),
            "outcomes": con.sql("SELECT entry_id, attempt, code FROM lake.outcomes ORDER BY ALL").fetchall(),
            "articles": con.sql("SELECT article_id, title, text, change_type FROM lake.articles ORDER BY ALL").fetchall(),
            "keys": con.sql("SELECT key, article_id FROM lake.article_keys ORDER BY ALL").fetchall(),
            "taggings": con.sql("SELECT article_id, mentions FROM lake.taggings ORDER BY ALL").fetchall(),
            "mentions": con.sql("SELECT article_id, company_id, field, start FROM lake.mentions ORDER BY ALL").fetchall(),
            "sentiments": con.sql("SELECT article_id, company_id, score FROM lake.sentiments ORDER BY ALL").fetchall(),
            "pages": con.sql("SELECT entry_id, attempt, outcome FROM lake.pages ORDER BY ALL").fetchall(),
            "relations": con.sql("SELECT article_id, other_article_id FROM lake.relations ORDER BY ALL").fetchall(),
            "companies": con.sql("SELECT company_id, record_id FROM lake.companies ORDER BY ALL").fetchall(),
            "superseded": con.sql("SELECT id FROM lake.superseded ORDER BY ALL").fetchall(),
        }


@pytest.fixture(scope="module")
def publisher():
    with publishing() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(publisher: Publisher, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, list[Any]]]:
    """How many steps a batch takes, and what it leaves when nobody disturbs it."""
    run_dir = tmp_path_factory.mktemp("undisturbed")
    settings_for(run_dir, publisher.port)
    done = run_killed(run_dir, "0")
    assert done.returncode == 0, done.stderr
    left = content(run_dir)
    assert len(left["articles"]) == len(left["taggings"]) == len(left["outcomes"]) == len(STORIES)
    assert {code for _, _, code in left["outcomes"]} == {"article"} and left["mentions"]
    return int(done.stdout), left


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_anywhere_and_repeated(point: int, publisher: Publisher, undisturbed: Any, tmp_path: Path) -> None:
    steps, left = undisturbed
    assert steps > POINTS
    settings = settings_for(tmp_path, publisher.port)
    done = run_killed(tmp_path, str(1 + point * (steps - 1) // POINTS))
    assert done.returncode == -9, done.stderr
    run_once(settings, lambda _line: None)
    assert content(tmp_path) == left
    assert not list((tmp_path / "lake/staging").glob("2*")), "the broken-off batch was brought to its end"
    again = {r.stage: r.counts for r in run_once(settings, lambda _line: None)}
    assert again["read"]["came_in"] == again["tag"]["came_in"] == 0
    assert content(tmp_path) == left


@pytest.mark.parametrize("stage", ["pull", "read", "tag"])
def test_bytes_once_kept_need_no_server_any_more(stage: str, tmp_path: Path) -> None:
    """Killed just before its commit, the batch is finished from what it had kept, whatever the server says now."""
    with publishing() as publisher:
        settings = settings_for(tmp_path, publisher.port)
        assert run_killed(tmp_path, f"-{stage}").returncode == -9
        asked = sorted(publisher.asked)
        publisher.slugs = []
        if stage != "pull":
            publisher.page_status = 503
        run_once(settings, lambda _line: None)
        left = content(tmp_path)
    assert sorted(title for _, _, title in left["entries"]) == sorted(title for title, _ in STORIES.values())
    assert [code for _, _, code in left["outcomes"]] == ["article"] * len(STORIES)
    assert len(left["articles"]) == len(left["taggings"]) == len(STORIES)
    feeds = [path for path in publisher.asked if path == "feed"]
    assert len(feeds) <= 2
    if stage != "pull":
        assert sorted(p for p in publisher.asked if p in STORIES) == [p for p in asked if p in STORIES], "no page twice"


def test_who_writes_is_named_and_nobody_else_may(tmp_path: Path) -> None:
    from pipeline.errors import LakeBusy
    from pipeline.lake.layout import BatchRef, Lake
    from pipeline.lake.lock import hold

    with publishing() as publisher:
        settings = settings_for(tmp_path, publisher.port)
        lake = Lake(settings.lake)
        lake.open_for_writing()
        with (
            hold(lake, BatchRef("20261123T014200Z", "tag"), "shard-2-of-4"),
            pytest.raises(LakeBusy, match=rf"stage tag .*batch 20261123T014200Z, shard-2-of-4 by process {os.getpid()} on "),
        ):
            run_once(settings, lambda _line: None)
        assert publisher.asked == []
