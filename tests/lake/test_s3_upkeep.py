"""What is done with a lake in S3 after its batches: closing, a takedown, looking after it."""

import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake import connect
from pipeline.lake.durable import write_file
from pipeline.lake.layout import Lake
from pipeline.lake.status import status
from pipeline.lake.verify import verify
from pipeline.lake.watermark import watermark
from pipeline.run import Target, take_down
from pipeline.s3 import place_of
from pipeline.settings import Settings
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
