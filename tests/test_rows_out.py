"""Rows into files and pipes: whole values out are what went in, nothing is half-written, nothing is overwritten unasked."""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.rows_out import CELL_CHARACTERS, SHEET_ROWS, Way, give
from tests.test_command_line import newsmill

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

ODD = """
select '=1+1' as formula, 'http://a.example' as link, '007' as number, timestamptz '2026-11-25 03:04:05+01' as moment,
       timestamp '2026-11-25 03:04:05' as local, date '2026-11-25' as day, date '1800-01-01' as old, ['b', 'ä'] as list,
       {'a': 1, 'at': timestamptz '2026-11-25 03:04:05+01'} as struct, interval 1 day as span, 'a'::blob as bytes, true as yes,
       1.5::decimal(9,2) as exact, 12345678901234567890::hugeint as huge, 'nan'::double as nan, 42 as whole, null as nothing,
       repeat('x', 40000) as long, map {'k': 1} as map
"""


def cells(path: Path) -> dict[str, tuple[str, str]]:
    """The first row under the head: column → (type, value) as the file has it; a formula would be of type f."""
    with zipfile.ZipFile(path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    head, row = sheet.iter(f"{_SHEET}row")
    names = {c.attrib["r"][:-1]: "".join(c.itertext()) for c in head}
    found = {}
    for cell in row:
        kind = "f" if cell.find(f"{_SHEET}f") is not None else cell.attrib.get("t", "n")
        found[names[cell.attrib["r"][:-1]]] = kind, "".join(cell.itertext())
    return found


def out(query: str, way: Way) -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        give(con, con.sql(query), way)


def test_a_sheet_has_every_value_as_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.xlsx"
    out(ODD, Way(excel=path))
    found = cells(path)
    long = found.pop("long")
    assert long == ("inlineStr", "x" * (CELL_CHARACTERS - 1) + "…")
    day = 46351  # 2026-11-25 in Excel's days
    moment = found.pop("moment"), found.pop("local")
    assert [(kind, round((float(value) - day) * 86400)) for kind, value in moment] == [("n", 7445), ("n", 11045)]
    assert found == {
        "formula": ("inlineStr", "=1+1"), "link": ("inlineStr", "http://a.example"), "number": ("inlineStr", "007"),
        "day": ("n", str(day)), "old": ("inlineStr", "1800-01-01"), "list": ("inlineStr", '["b","ä"]'),
        "struct": ("inlineStr", '{"a":1,"at":"2026-11-25T02:04:05Z"}'),
        "span": ("inlineStr", '{"months":0,"days":1,"seconds":0.0}'), "bytes": ("inlineStr", "61"), "yes": ("b", "1"),
        "exact": ("n", "1.50"), "huge": ("inlineStr", "12345678901234567890"), "nan": ("inlineStr", "nan"), "whole": ("n", "42"),
        "map": ("inlineStr", '[["k",1]]'),
    }  # fmt: skip
    assert capsys.readouterr().err.replace("\n", " ").startswith("1 row in ") and not list(tmp_path.glob(".*"))


def test_a_sheet_refuses_by_name_what_it_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"{SHEET_ROWS} rows of 1 columns do not fit into big.xlsx: a sheet has 1,048,576 rows"):
        out(f"from range({SHEET_ROWS})", Way(excel=tmp_path / "big.xlsx"))
    assert list(tmp_path.iterdir()) == []


def test_parquet_keeps_types_and_every_row(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    out(ODD, Way(parquet=path))
    table = pq.read_table(path)
    assert table.schema.field("list").type == pa.list_(pa.string()) and table["long"][0].as_py() == "x" * 40000
    assert table["moment"][0].as_py() == datetime(2026, 11, 25, 2, 4, 5, tzinfo=UTC)
    out("from range(300_000)", Way(parquet=path, force=True))
    assert pq.read_metadata(path).num_rows == 300_000 and [p.name for p in tmp_path.iterdir()] == ["odd.parquet"]


def test_csv_and_json_have_a_form_for_all_of_it(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out(ODD, Way(csv=True))
    (row,) = csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode()))
    assert (row["formula"], row["span"], row["huge"], row["nothing"]) == ("=1+1", "1 day", "12345678901234567890", "")
    assert (row["list"], row["struct"], row["map"]) == ('["b","ä"]', '{"a":1,"at":"2026-11-25T02:04:05Z"}', '[["k",1]]')
    out(ODD, Way(json=True))
    record = json.loads(capfdbinary.readouterr().out)
    assert (record["moment"], record["list"], record["map"], record["nan"]) == (
        "2026-11-25T02:04:05Z",
        ["b", "ä"],
        [["k", 1]],
        None,
    )


def test_a_value_without_a_form_is_told_of_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"a value has no form there .*make its column text"):
        out("select timestamp_ns '2026-01-01 00:00:00.123456789'", Way(json=True))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--json", "--csv"], "--json and --csv at once: choose one"),
        (["--excel", "a.xlsx", "--parquet", "a.parquet"], "--excel and --parquet at once"),
        (["--excel", "there.xlsx"], "there.xlsx is there already; --force overwrites it"),
        (["--parquet", "there.xlsx"], "there.xlsx is there already"),
        (["--excel", "a.csv"], "a.csv: the name of an Excel file ends in .xlsx"),
        (["--parquet", "no/such/place.parquet"], "there is no directory no/such for place.parquet"),
        (["--parquet", "."], ". is a directory; name a file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    words: list[str], message: str, wire_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.xlsx").write_text("mine")
    done = newsmill("sql", "select 1", *words, "--lake", str(wire_run / "lake"))
    assert (done.returncode, done.stdout) == (2, "") and message in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["there.xlsx"] and (tmp_path / "there.xlsx").read_text() == "mine"


def test_every_statement_is_answered_in_turn(wire_run: Path) -> None:
    asked = (
        "set timezone = 'Asia/Tokyo'; select 40 + 2 as a; -- and\n select timestamptz '2026-01-01 00:00Z' as b; select 1 where 0"
    )
    done = newsmill("sql", asked, "--lake", str(wire_run / "lake"))
    assert re.findall(r"42|09:00:00\+09|0 rows", done.stdout) == ["42", "09:00:00+09", "0 rows"] and done.returncode == 0
    assert "Success" not in done.stdout
    named = newsmill("sql", 'select 42 as "Success"', "--json", "--lake", str(wire_run / "lake"))
    assert (named.returncode, named.stdout) == (0, '{"Success":42}\n'), "a column may be called so"
    wrong = newsmill("sql", "select 42; selec 1", "--lake", str(wire_run / "lake"))
    assert (wrong.returncode, wrong.stdout) == (2, "") and "syntax error" in wrong.stderr


@pytest.mark.parametrize("way", [["--json"], ["--csv"], ["--excel", "FILE"], ["--parquet", "FILE"]])
def test_the_rows_of_several_statements_do_not_go_into_one(way: list[str], wire_run: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "rows.xlsx")
    words = [file if word == "FILE" else word for word in way]
    done = newsmill("sql", "select 1; select 2", *words, "--lake", str(wire_run / "lake"))
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert f"2 statements, and {way[0]} takes the rows of one: ask them one at a time" in done.stderr
    assert newsmill("sql", "select 1;", *words, "--lake", str(wire_run / "lake")).returncode == 0


def test_force_overwrites(wire_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_text("mine")
    done = newsmill("sql", "select title from articles", "--excel", str(path), "--force", "--lake", str(wire_run / "lake"))
    assert (done.returncode, done.stdout) == (0, "") and re.fullmatch(rf"\d+ rows in {re.escape(str(path))}\n", done.stderr)


def test_shown_articles_as_csv(wire_run: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(newsmill("show", "--csv", "--limit", "3", "--lake", str(wire_run / "lake")).stdout)))
    assert len(rows) == 3 and set(rows[0]) == {
        "title", "source", "language", "seen_at", "published_at", "is_copy", "companies",
    }  # fmt: skip


@pytest.mark.parametrize("nothing", ["", "/* a remark */"])
def test_where_there_is_no_statement_that_is_said(nothing: str, wire_run: Path) -> None:
    done = newsmill("sql", nothing, "--lake", str(wire_run / "lake"))
    assert (done.returncode, done.stdout) == (2, "") and "no statement" in done.stderr
