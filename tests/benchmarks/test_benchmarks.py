"""The benchmarks run, in a form too small to measure anything; what they print and how they end."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import heavy_pages
from benchmarks.__main__ import ROOMS
from benchmarks.capped import measured
from benchmarks.cpu import apart, ours
from benchmarks.offline import of_directory
from benchmarks.table import Line, Options, Table, as_text
from pipeline.read import read_page
from schemas.article import Reading


#: That of push is an Airflow from start to end, as tests/airflow has one.
@pytest.mark.parametrize("name", [name for room, names in ROOMS.items() for name in names if room != "airflow"])
def test_each_benchmark_runs(name: str) -> None:
    found = measured(name, Options(tiny=True), cap=60)
    assert isinstance(found, Table), found
    assert all(line.figure > 0 or line.limit == 0 for line in found.lines)


def test_the_runner_prints_json_and_names_what_runs_over_its_time() -> None:
    run = [sys.executable, "-m", "benchmarks", "--tiny", "--json"]
    done = subprocess.run([*run, "dedupe"], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert [one["what"] for one in json.loads(line)["lines"]] == ["url_key"]
    over = subprocess.run([*run, "--cap", "0.01", "dedupe"], check=False, capture_output=True, text=True)
    assert (over.returncode, over.stdout, over.stderr) == (1, "", "url_key: stopped, it ran over its 0.01 s\n\n")


def test_what_runs_over_its_time_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK_OF_THIS_TEST", mark := secrets.token_hex(8))
    assert measured("cpu", Options(), cap=4) == "stopped, it ran over its 4 s"
    assert [p for p in Path("/proc").glob("[0-9]*") if int(p.name) != os.getpid() and mark.encode() in _environment(p)] == []


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:  # it has ended, or is somebody else's
        return b""


def test_a_table_says_what_is_kept_and_what_is_not() -> None:
    lines = [
        Line(what="ours", figure=3.0, unit="s", peer=2.0, limit=1.5),
        Line(what="memory", figure=700, unit="MB", limit=600),
        Line(what="loading", figure=0.25, unit="s"),
    ]
    table = Table(title="t", against="peer", lines=lines)
    assert not table.kept
    assert as_text(table).splitlines() == [
        "t",
        "                median           peer   ratio    limit",
        "ours               3 s            2 s   1.500      1.5 kept",
        "memory          700 MB                  1.167      600 NOT KEPT",
        "loading         0.25 s",
    ]


def test_made_up_pages_are_heavy_differ_and_are_read_whole() -> None:
    entries = heavy_pages.entries(9)
    pages = [heavy_pages.page(entry, number) for number, entry in enumerate(entries)]
    assert pages == [heavy_pages.page(entry, number) for number, entry in enumerate(heavy_pages.entries(9))]
    assert all(50_000 < len(page) < 350_000 for page in pages)
    readings = [read_page(page, heavy_pages.link(entry)) for page, entry in zip(pages, entries, strict=True)]
    texts = [r.text for r in readings if isinstance(r, Reading)]
    assert len(set(texts)) == 9
    for entry, text in zip(entries, texts, strict=True):
        paragraphs = [b for b in entry.article.blocks if not b.startswith("## ")]
        assert [p for p in paragraphs if " ".join(p.split()) not in text] == []


def test_the_pages_of_a_directory_become_articles_and_stay_where_they_are(tmp_path: Path) -> None:
    directory, place = tmp_path / "pages", tmp_path / "place"
    directory.mkdir()
    place.mkdir()
    for number, entry in enumerate(heavy_pages.entries(2)):
        (directory / f"{number}.html").write_bytes(heavy_pages.page(entry, number))
    before = sorted(directory.iterdir())
    seconds, counts = apart(ours, of_directory(place, directory))
    assert (counts["read"]["article"], counts["tag"]["tagged"], counts["tag"]["missing"]) == (2, 2, 0)
    assert list(seconds) == ["pull", "read", "tag"]
    assert sorted(directory.iterdir()) == before
