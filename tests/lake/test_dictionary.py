"""The data dictionary: everything described, in the document, in news.duckdb and in the files.

`.venv/bin/python -m tests.lake.test_dictionary` writes docs/data-dictionary.md.
"""

import json
import tempfile
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.lake import connect, dictionary
from pipeline.lake.layout import Lake
from pipeline.lake.views import prepare
from schemas import LAKE_FORMAT, TABLES, table_schema
from tests.lake.news import DAY, News, new_lake

DOCUMENT = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def empty(root: Path) -> Lake:
    lake = Lake(root)
    lake.open_for_writing()
    prepare(lake)
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return empty(tmp_path_factory.mktemp("dictionary") / "lake")


def test_the_document_is_as_the_code_has_it(lake: Lake) -> None:
    with connect(lake.root) as con:
        assert dictionary.markdown(con) == DOCUMENT.read_text(), "run: .venv/bin/python -m tests.lake.test_dictionary"


def test_nothing_lacks_a_description(lake: Lake) -> None:
    with connect(lake.root) as con:
        described = dictionary.describe(con)
    assert {f"lake.{name}" for name in TABLES} < {one.name for one in described}
    assert [one.name for one in described if not one.meaning] == []
    assert [(one.name, column) for one in described for column, _, meaning in one.columns if not meaning] == []


def test_what_is_said_of_a_column_is_said_of_one_that_is_there(lake: Lake) -> None:
    with connect(lake.root) as con:
        there = {one.name: {column for column, _, _ in one.columns} for one in dictionary.describe(con)}
    alone = {f.stem for f in (Path(dictionary.__file__).parent / "sql").glob("*.sql") if f.read_text().count("\nCREATE ") == 1}
    said = {name: columns for name, columns in dictionary.columns_of_views().items() if name in alone}
    assert len(said) > 5
    assert {(name, column) for name, columns in said.items() for column in columns if column not in there[name]} == set()


def test_any_duckdb_reads_the_comments(lake: Lake) -> None:
    with duckdb.connect(lake.root / "news.duckdb", read_only=True) as con:
        query = "SELECT comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? AND column_name = ?"
        (of_table,) = con.execute(query, ["lake", "mentions", "surface"]).fetchone() or ("",)
        (of_view,) = con.execute(query, ["main", "evidence", "words"]).fetchone() or ("",)
        (bare,) = con.execute("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL").fetchone() or (1,)
    assert of_table == dictionary.columns_of_tables()["mentions"]["surface"] != ""
    assert of_view == "the words themselves, a piece of title or text"
    assert bare == 0


def test_files_say_what_they_hold(lake: Lake) -> None:
    for name in TABLES:
        schema = pq.read_schema(lake.schema_files("hot") / f"{name}.parquet")
        said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items() if key.startswith(b"newsmill.")}
        assert said == {"newsmill.table": name, "newsmill.format": str(LAKE_FORMAT)}
        meant = {field.name: field.metadata[b"description"].decode() for field in schema}
        assert meant == {column: text for column, text in dictionary.columns_of_tables()[name].items() if column in meant}


def test_a_closed_days_file_says_it_too(tmp_path: Path) -> None:
    news = News(new_lake(tmp_path / "lake"))
    news.batch(DAY, "a")
    news.close(DAY + timedelta(days=1, hours=7))
    said = pq.read_schema(news.lake.cold("articles", DAY.date())).metadata
    assert (said[b"newsmill.table"], said[b"newsmill.format"]) == (b"articles", str(LAKE_FORMAT).encode())
    meant = json.loads(said[b"newsmill.columns"])
    assert meant == {column: dictionary.columns_of_tables()["articles"][column] for column in table_schema("articles").names}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, connect(empty(Path(place) / "lake").root) as con:
        DOCUMENT.write_text(dictionary.markdown(con))
