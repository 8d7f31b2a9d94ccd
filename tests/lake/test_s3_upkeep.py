"""What is done with a lake in S3 after its batches: closing, a takedown, looking after it; and what refuses one."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import LakeError
from pipeline.lake import connect
from pipeline.lake.diff import compared
from pipeline.lake.durable import write_file
from pipeline.lake.layout import Lake
from pipeline.lake.search import Pass, catch_up
from pipeline.lake.status import status
from pipeline.lake.store import store_of
from pipeline.lake.verify import verify
from pipeline.lake.watermark import watermark
from pipeline.run import Days, Target, replay_days, take_down
from pipeline.s3 import S3Path, place_of
from pipeline.settings import Settings
from pipeline.untrusted import ask
from schemas import table_schema
from tests.lake.sample import RULES, add_day, moment, shut
from tests.s3_server import Bucket
from tests.stores import ADDRESS

LAST = date(2026, 10, 31)
NOW = moment("2026-11-01T07:00")


def standing(s3: Bucket, word: str) -> set[str]:
    """The trees of the lake in whose objects a word stands, also within compressed columns."""
    found = set()
    for key, content in s3.objects().items():
        rows = repr(pq.read_table(io.BytesIO(content)).to_pylist()) if key.endswith(".parquet") else ""
        if word in rows or word.encode() in content:
            found.add(key.split("/")[1] if "/month=" not in key else "months")
    return found


def test_a_day_and_a_month_close_and_an_article_of_them_is_taken_down(s3: Bucket, tmp_path: Path) -> None:
    lake = Lake(place_of(ADDRESS))
    add_day(lake, LAST)
    broken_off = pa.Table.from_pylist([dict.fromkeys(table_schema("forgotten").names, "e_103110") | {"available_at": NOW}])
    pq.write_table(broken_off, content := io.BytesIO())
    write_file(lake.cold("forgotten", LAST), content.getvalue())  # an earlier closing left it
    (articles,) = lake.root.glob("hot/*/20261031T100000000Z-read/articles.*.parquet")
    pq.write_table(pq.read_table(articles.open()).slice(0, 1), content := io.BytesIO())
    write_file(articles.with_name("articles.ffffffffffff.parquet"), content.getvalue())  # an attempt that did not come through
    shut(lake, "2026-11-01T06:10")
    assert (watermark(lake).day, watermark(lake).month) == (LAST, "2026-10")
    assert status(lake, NOW, RULES).tables["articles"].days.rows == 3

    address = "t.example/103110/0"
    assert standing(s3, address) == {"hot", "cold", "months", "raw"}
    settings = Settings.from_env({"NEWSMILL_LAKE": ADDRESS, "NEWSMILL_RUN": str(tmp_path), "NEWSMILL_CATALOGUE": "none"})
    assert str(take_down(settings, Target("a_1031100"), "by request", lambda: NOW)).endswith("2 packs of raw bytes")
    assert standing(s3, address) == set()
    with connect(ADDRESS) as con:
        asked = "SELECT array_agg(article_id ORDER BY 1), (SELECT count(*) FROM lake.entries) FROM lake.articles"
        assert con.sql(asked).fetchall() == [(["a_1031101", "a_1031102"], 3)]
        assert con.sql("FROM lake.forgotten WHERE id = 'e_103110'").fetchall() == []
    assert verify(lake, NOW, RULES, raw=True) == []


REFUSED: dict[str, Callable[[Lake, Lake], Any]] = {
    r"lake replay` .*: name a directory as NEW, and one with --lake": lambda far, here: replay_days(
        cast(Settings, SimpleNamespace(lake=far.root)), here, Days(date.min, date.max)
    ),
    r"lake diff` .*: name two directories, or ask each with `newsmill sql`": lambda far, here: compared(far, here).__enter__(),
    r"sql --safe` .*: ask without --safe what you trust": lambda far, _: ask(Path(str(far.root)), "SELECT 1"),
    r"search` .*: without --rebuild it reads the articles instead": lambda far, _: catch_up(
        cast(Pass, SimpleNamespace(lake=far)), rebuild=True
    ).__enter__(),
}


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("said", REFUSED)
def test_what_is_there_for_directories_alone_refuses_a_lake_in_s3(said: str, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=f"newsmill {said}"):
        REFUSED[said](Lake(place_of(ADDRESS)), Lake(tmp_path / "new"))


def test_an_address_in_s3_is_never_taken_for_a_directory() -> None:
    assert isinstance(Lake(Path(ADDRESS)).root, S3Path), "pathlib makes one slash of two"
    with pytest.raises(ValueError, match="s3:/news/lake is an address in S3, and was taken for a path of this machine"):
        store_of(Path(ADDRESS))
