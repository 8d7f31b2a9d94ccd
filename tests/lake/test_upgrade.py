"""A lake that older code wrote: refused or read by name, brought to today, every row still there."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import LakeError, LakeFormat
from pipeline.lake import connect, views
from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.lake.upgrade import upgrade
from pipeline.lake.verify import verify
from schemas import LAKE_FORMAT
from tests.lake.news import DAY, News, new_lake

WITHOUT = {"articles": ["genre"], "outcomes": ["detail"]}


@pytest.fixture
def old(tmp_path: Path) -> Lake:
    """Two batches as code of format 1 left them, which knew neither two of the columns nor news.duckdb."""
    news = News(new_lake(tmp_path / "lake"))
    news.batch(DAY, "a", "b")
    news.batch(DAY + timedelta(minutes=5), "c")
    root = news.lake.root
    for table, columns in WITHOUT.items():
        for path in root.glob(f"hot/*/*/{table}.parquet"):
            pq.write_table(pq.read_table(path, partitioning=None).drop(columns), path)
            if (note := path.parent / "commit.json").exists():
                said = json.loads(note.read_text())
                said["sha256"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
                note.write_text(json.dumps(said))
    (root / "format.json").write_text('{"format": 1}')
    shutil.rmtree(root / "cold")
    for name in ("news.duckdb", "deleted.parquet"):
        (root / name).unlink()
    return news.lake


SAID = [
    f"format 1 becomes {LAKE_FORMAT}",
    "table articles gets genre: null in the rows that are there",
    "table outcomes gets detail: null in the rows that are there",
    "news.duckdb gets the views and macros of today",
]


def test_it_is_read_as_before_and_what_came_later_is_null(old: Lake) -> None:
    said = upgrade(old)
    assert [line for line in said if not line.endswith("is new")] == SAID
    with connect(old.root) as con:
        assert con.sql("SELECT article_id, genre FROM articles ORDER BY 1").fetchall() == [(f"a_{n}", None) for n in "abc"]
        assert con.sql("SELECT count(*), count(detail) FROM outcomes").fetchall() == [(3, 0)]
    assert old.check() == LAKE_FORMAT and old.evolved() == set(WITHOUT)
    assert [f.problem for f in verify(old, datetime.now(UTC), Rules(timedelta(0), None)) if f.severity == "error"] == []
    assert upgrade(old) == [], "done again, it does nothing"


def test_a_dry_run_changes_nothing(old: Lake) -> None:
    before = {path: path.stat().st_mtime_ns for path in old.root.rglob("*")}
    assert upgrade(old, dry_run=True) == upgrade(old, dry_run=True) != []
    assert {path: path.stat().st_mtime_ns for path in old.root.rglob("*")} == before


def test_who_only_reads_is_told_what_to_do(old: Lake) -> None:
    upgrade(old)
    (schema,) = old.root.glob("hot/date=1970*/*/outcomes.parquet")  # as older code left it, too
    pq.write_table(pq.read_table(schema, partitioning=None).drop(["detail"]), schema)
    (old.root / "evolved.json").unlink()
    (old.root / "news.duckdb").unlink()
    with pytest.raises(LakeError, match=r"was written by an older Newsmill .*`newsmill lake upgrade`"):
        connect(old.root)


def test_broken_off_it_goes_on_when_done_again(old: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_lake: Lake) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(views, "write_news", broken_off)
        with pytest.raises(KeyboardInterrupt):
            upgrade(old)
    assert upgrade(old) == SAID[-1:]
    with connect(old.root) as con:
        assert con.sql("SELECT count(*) FROM articles").fetchall() == [(3,)]


def test_what_newer_code_wrote_is_refused(old: Lake) -> None:
    (old.root / "format.json").write_text(json.dumps({"format": LAKE_FORMAT + 1}))
    said = f"format {LAKE_FORMAT + 1}, this Newsmill reads up to {LAKE_FORMAT}: update Newsmill"
    for way_in in (upgrade, lambda lake: connect(lake.root), Lake.open_for_writing):
        with pytest.raises(LakeFormat, match=said):
            way_in(old)  # type: ignore[operator]


def test_a_column_of_newer_code_that_harms_nobody_is_left_out_or_shown(old: Lake) -> None:
    """Newer code of the same format added a column: its rows are read, whether or not this code has the column's name."""
    upgrade(old)
    path = next(iter(sorted(old.root.glob("hot/date=2*/*/articles.parquet"))))
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.append_column("later", table["title"]), path)
    with connect(old.root) as con:
        assert con.sql("SELECT article_id FROM articles ORDER BY 1").fetchall() == [("a_a",), ("a_b",), ("a_c",)]
