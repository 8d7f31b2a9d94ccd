"""`newsmill search` as its users meet it: coloured text, rows for programs, the days it looked at, exit codes."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.test_command_line import newsmill

pytest.importorskip("tantivy")


@pytest.fixture(scope="module")
def lake(wire_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("searched") / "lake"
    shutil.copytree(wire_run / "lake", place, ignore=shutil.ignore_patterns("search"))
    return str(place)


def test_people_see_rank_source_title_and_the_hits_coloured(lake: str) -> None:
    command = [sys.executable, "-m", "pipeline", "search", "Gewinnwarnungen", "--lake", lake]
    told = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "160"}
    done = subprocess.run(command, capture_output=True, text=True, env=told, check=True)
    assert re.search(r"\x1b\[[0-9;]*33m\s*Gewinnwarnung\x1b", done.stdout)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert re.match(r"  1  \d{4}-\d\d-\d\d \d\d:\d\d  Ankerblatt  Volkswagen gibt Gewinnwarnung heraus", plain)
    today = datetime.now(UTC).date()
    assert re.search(rf"looked at 30 days, \d{{4}}-\d\d-\d\d to {today}, by the index; the lake has", plain)


def test_programs_get_rows_and_the_days_on_standard_error(lake: str, tmp_path: Path) -> None:
    done = newsmill("search", "evonik bauchemie", "--lake", lake, "--json")
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["rank"], row["prints"], row["title"]) == (1, 3, "Evonik verkauft Bauchemie an Finanzinvestor")
    assert "Evonik" in {row[hit["field"]][hit["start"] : hit["end"]] for hit in row["hits"]}
    assert done.stderr.startswith("looked at 30 days")
    copies = newsmill("search", "evonik bauchemie", "--lake", lake, "--all", "--csv")
    rows = list(csv.DictReader(io.StringIO(copies.stdout)))
    assert rows[0]["article_id"] == row["article_id"] and len(rows) == 3
    path = tmp_path / "found.parquet"
    assert newsmill("search", "prognose", "--lake", lake, "--parquet", str(path), "--limit", "3").returncode == 0
    assert pq.read_table(path)["rank"].to_pylist() == [1, 2, 3]


def test_the_index_alone(lake: str) -> None:
    anew = newsmill("search", "--rebuild", "--lake", lake)
    assert re.match(r"\d+ articles added; the index is up to date, 1 month of the lake", anew.stderr) and anew.returncode == 0
    assert newsmill("search", "--update", "--lake", lake).stderr.startswith("0 articles added")


def test_what_is_not_found_or_not_asked_rightly(lake: str) -> None:
    nothing = newsmill("search", "xyzzy", "--lake", lake)
    assert nothing.returncode == 1 and "nothing found; fewer words" in nothing.stderr and "looked at 30 days" in nothing.stdout
    assert newsmill("search", "--lake", lake).returncode == 2
    assert newsmill("search", "a", "--since", "yesterday", "--lake", lake).returncode == 2
    before = newsmill("search", "prognose", "--until", "2020-01-31", "--lake", lake)
    assert before.returncode == 1 and re.search(r"; --until \d{4}-\d\d-\d\d looks at all of it", before.stdout)
