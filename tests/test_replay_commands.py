"""`newsmill lake replay` and `lake diff` as their users meet them; what other code changes is known, and said, exactly."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.exits import DIFFERENT, FAILED, MISUSED
from pipeline.lake import connect
from pipeline.run import read
from pipeline.tag import Tagger
from tests import begun
from tests.run.publisher import Desk, page_of, publishing
from tests.run.replays import SOLD, content, made_anew, read_otherwise
from tests.test_command_line import newsmill

ROOT = Path(__file__).parents[1]
PAGES = {
    "/basf": ("BASF cuts its forecast", "BASF cut its forecast.", f"BASF won a record order, {SOLD} in Ludwigshafen."),
    "/sap": ("SAP raises its forecast", "SAP raised its forecast after strong orders."),
    "/siemens": ("Siemens names a place", "Siemens named a place in Bavaria.", f"Siemens won a record order, {SOLD}."),
}


def without_sap() -> Tagger:
    """The tagger as shipped, but that nothing is called SAP."""
    shipped = Tagger.load()
    none = tuple(() if any(a.company_id == "sap" for a in names) else names for names in shipped.registry.aliases)
    return replace(shipped, registry=replace(shipped.registry, aliases=none, version="without-sap"))


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """A lake, one made anew from it by the same command and code, and one by other code."""
    run = tmp_path_factory.mktemp("lakes")
    with publishing() as publisher, pytest.MonkeyPatch.context() as patch:
        desk = Desk(run / "run", publisher)
        publisher.pages = {path: page_of(*told) for path, told in PAGES.items()}
        publisher.items = [{"guid": path, "title": told[0], "path": path} for path, told in PAGES.items()]
        desk.batch(timedelta())
        other = without_sap()
        patch.setattr(read, "read_page", read_otherwise)
        patch.setattr(Tagger, "load", classmethod(lambda _cls: other))
        made_anew(desk.settings, run / "other")
    done = newsmill("lake", "replay", str(run / "same"), NEWSMILL_RUN=str(run / "run"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{run / 'same'}: 2026-11-23 to 2026-11-23 replayed, 3 batches\n"
    assert content(run / "same") == content(desk.settings.lake)
    yield str(desk.settings.lake), str(run / "same"), str(run / "other")


def test_equal_lakes_are_said_to_be_equal(lakes: tuple[str, str, str]) -> None:
    old, same, _ = lakes
    done = newsmill("lake", "diff", old, same)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("equal over 2026-11-23: 3 entries, 3 articles, ") and done.stdout.count("\n") == 1
    assert newsmill("lake", "diff", old, same, "--csv").stdout == '"what","change","article_id","title","about","old","new","n"\n'


def test_every_difference_that_other_code_makes_is_counted(lakes: tuple[str, str, str]) -> None:
    old, _, other = lakes
    done = newsmill("lake", "diff", old, other, "--json")
    head, *kinds = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr, head["since"], head["until"]) == (DIFFERENT, "", "2026-11-23", "2026-11-23")
    with connect(old) as con:
        ((sap, mentions, sentiments),) = con.sql(
            "SELECT (SELECT count(*) FROM mentions WHERE company_id = 'sap'), (SELECT count(*) FROM mentions), "
            "(SELECT count(*) FROM sentiments)"
        ).fetchall()
    assert {(k["what"], k["change"]): (k["count"], k["of"]) for k in kinds} == {
        ("text", "changed"): (2, 3),
        ("promotion", "changed"): (2, 3),
        ("mentions", "lost"): (sap + 2, mentions),
        ("companies in articles", "lost"): (1, 3),
        ("sentiments", "lost"): (1, sentiments),  # SAP is nobody any more
        ("sentiments", "shifted"): (2, sentiments),  # BASF's bad news, and its article's, have nothing good beside them
        ("sentiments", "flipped"): (2, sentiments),  # Siemens' good news is sold
        ("company records", "only in old"): (1, 3),
    }
    assert all(k["share"] == k["count"] / k["of"] for k in kinds)


def test_examples_show_what_was_and_what_is(lakes: tuple[str, str, str]) -> None:
    old, _, other = lakes
    told = newsmill("lake", "diff", old, other, "--examples", "1").stdout
    head, *parts = re.sub(r" · a_\w+", "", told).split("\n\n")
    assert head.splitlines()[0] == "2026-11-23: 3 entries, 3 articles, 8 mentions, 6 sentiments compared"
    assert head.splitlines()[2] == "text                   changed          2   3  66.7%  "
    assert parts == [
        "text changed\n  BASF cuts its forecast · T\n"
        "    … of last year. [-BASF won a record order, teilte der Konzern in Ludwigshafen. … year.-] …",
        "promotion changed\n  BASF cuts its forecast · T\n"
        "    … {+promotion: BASF won a record order, teilte der Konzern in … year.+} …",
        'mentions lost\n  BASF cuts its forecast · BASF\n    2 × "BASF" in the text → 1 × "BASF" in the text',
        "companies in articles lost\n  SAP raises its forecast · SAP\n    SAP → nothing",
        "sentiments flipped\n  Siemens names a place · Siemens\n    +0.88 positive → +0.00 neutral",
        "sentiments lost\n  SAP raises its forecast · SAP\n    +0.95 positive → nothing",
        "sentiments shifted\n  BASF cuts its forecast · BASF\n    -0.41 negative → -0.94 negative",
        "company records only in old\n  SAP\n    c_e35919b87a676d1e472b → nothing\n",
    ]


def test_the_guide_runs_as_it_stands(wire_run: Path, lakes: tuple[str, str, str], tmp_path: Path) -> None:
    text = (ROOT / "docs/how-to/replay.md").read_text()
    commands, equal, different = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    shutil.copytree(wire_run, tmp_path / "run/wire")
    begun.shim(tmp_path / "shim")
    script = f'newsmill() {{ {tmp_path / "shim"} "$@"; }}\nset -e\n{commands}'
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=kept, capture_output=True, text=True, check=True, timeout=100)
    shape = re.compile(r"[\d,-]+")
    assert shape.sub("0", done.stdout.splitlines()[-1]) == shape.sub("0", equal.splitlines()[1])
    told = newsmill("lake", "diff", lakes[0], lakes[2]).stdout
    shown = {re.sub(r"a_\w+", "", line).strip() for line in told.splitlines()}
    assert {re.sub(r"a_\w+", "", line).strip() for line in different.splitlines()} <= shown


def test_every_difference_is_a_row(lakes: tuple[str, str, str]) -> None:
    old, _, other = lakes
    done = newsmill("lake", "diff", old, other, "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == DIFFERENT and sum(int(row["n"]) for row in rows) == len(rows) == 15
    assert [(r["what"], r["old"], r["new"]) for r in rows if r["about"] == "SAP"] == [
        ("companies in articles", "SAP", ""),
        ("company records", "c_e35919b87a676d1e472b", ""),
        ("mentions", '1 × "SAP" in the text', '0 × "SAP" in the text'),
        ("mentions", '1 × "SAP" in the title', '0 × "SAP" in the title'),
        ("sentiments", "+0.95 positive", ""),
    ]


def test_what_cannot_be_compared_or_replayed_is_said(lakes: tuple[str, str, str], tmp_path: Path) -> None:
    old, same, other = lakes
    for words, code, message in (
        (("diff", old, str(tmp_path)), FAILED, f"no lake at {tmp_path}: "),
        (
            ("diff", old, same, "--since", "2026-12-01"),
            MISUSED,
            "no day from 2026-12-01 to 2026-11-23 to compare: the old has 2026-11-23",
        ),
        (("diff", old, same, "--since", "2026-12-01", "--until", "2026-11-01"), MISUSED, "--since 2026-12-01 is after --until"),
        (("diff", old, same, "--json", "--csv"), MISUSED, "--json and --csv at once: choose one"),
        (("replay", other, "--lake", old), FAILED, "other holds another replay: code was ["),
        (("replay", old, "--lake", old), MISUSED, "is the old lake, or one lies in the other"),
        (
            ("replay", str(tmp_path / "new"), "--since", "2026-12-01", "--lake", old),
            MISUSED,
            "no raw bytes of 2026-12-01 are left",
        ),
    ):
        done = newsmill("lake", *words)
        assert (done.returncode, done.stdout) == (code, "") and message in done.stderr, done.stderr
