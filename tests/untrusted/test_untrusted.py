"""SQL of strangers: it is answered like anybody's, and can do nothing else."""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import InputError, LakeError, QueryStopped
from pipeline.lake import connect
from pipeline.untrusted import Limits, ask, landlock
from tests.lake.sample import add_day, made
from tests.untrusted.hostile import put

pytestmark = pytest.mark.skipif(not landlock.version(), reason="this system has no Landlock")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = made(tmp_path_factory.mktemp("untrusted") / "lake")
    add_day(lake, date(2026, 10, 30))
    return lake.root


@pytest.mark.timeout(300)
def test_nothing_hostile_changes_learns_or_stays(lake: Path, tmp_path: Path) -> None:
    told = put(lake, tmp_path)
    print(f"{told.statements} statements: {len(told.changed)} changed, {len(told.leaked)} leaked, {len(told.late)} late")
    assert (told.changed, told.leaked, told.late, told.odd) == ([], [], [], [])
    assert told.statements >= 180
    # most are refused: an answer is what DuckDB gives to what harms nobody
    assert told.answered < 40


def test_questions_are_answered_as_without_it(lake: Path) -> None:
    questions = [
        "SELECT article_id, title, available_at FROM articles ORDER BY 1",
        "FROM mentions ORDER BY ALL",
        "SELECT count(*) FROM articles_as_of(now())",
        "SELECT * FROM lake.visits ORDER BY ALL",
        "SELECT sha256 FROM lake.bodies ORDER BY 1",
        "FROM company_day ORDER BY ALL",
        "DESCRIBE articles",
        "SHOW TABLES",
        "PIVOT (SELECT feed_id, outcome FROM lake.visits) ON outcome USING count(*) ORDER BY feed_id",
        "SELECT [1, 2] AS list, {'a': 1} AS struct, 1.5::DECIMAL(9, 2) AS d, DATE '2026-11-01' AS day, NULL AS nothing",
    ]
    with connect(lake) as con:
        for question in questions:
            assert ask(lake, question).to_pylist() == con.sql(question).to_arrow_table().to_pylist(), question


def test_views_are_made_in_memory_where_news_duckdb_belongs_elsewhere(lake: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", lake, copy], check=True)
    assert (
        ask(copy, "SELECT count(*) AS n FROM articles").to_pylist() == ask(lake, "SELECT count(*) AS n FROM articles").to_pylist()
    )


def test_a_mistake_is_told_with_its_place(lake: Path) -> None:
    with pytest.raises(InputError, match=r'(?s)"nope" not found.*Candidate bindings.*\^'):
        ask(lake, "SELECT nope FROM articles")
    with pytest.raises(InputError, match="one statement at a time, please: these are 2"):
        ask(lake, "SELECT 1; SELECT 2")
    with pytest.raises(InputError, match="COPY is no question"):
        ask(lake, "COPY articles TO 'x.csv'")


def test_each_limit_is_named(lake: Path) -> None:
    with pytest.raises(QueryStopped, match="took longer than its"):
        ask(lake, "SELECT count(*) FROM range(1000000000000)", Limits(seconds=2))
    with pytest.raises(QueryStopped, match="needs more than its 512 MB of memory"):
        ask(lake, "SELECT length(repeat('x', 2000000000))", Limits(memory_mb=512))
    with pytest.raises(QueryStopped, match="its result has more than 1 MB"):
        ask(lake, "SELECT md5(range::VARCHAR) FROM range(90000)", Limits(mb=1))
    cut = ask(lake, "FROM range(5000)", Limits(rows=10))
    assert cut.num_rows == 10 and cut.schema.metadata[b"newsmill.cut"] == b"1"
    assert not ask(lake, "FROM range(10)", Limits(rows=10)).schema.metadata


def test_without_landlock_it_refuses(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.untrusted.version", lambda: 0)
    with pytest.raises(LakeError, match=r"needs Landlock .* in a container or virtual machine"):
        ask(lake, "SELECT 1")


def command(lake: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "sql", "--safe", *arguments, "--lake", str(lake)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command(lake: Path, tmp_path: Path) -> None:
    told = command(lake, "SELECT count(*) AS n FROM articles", "--json")
    assert (told.returncode, json.loads(told.stdout)) == (0, {"n": 2})
    wrong = command(lake, "DROP VIEW articles")
    assert wrong.returncode == 2 and "DROP is no question" in wrong.stderr
    assert command(lake, "FROM articles", "--parquet", str(tmp_path / "a.parquet")).returncode == 0
    assert (tmp_path / "a.parquet").stat().st_size > 0
    shown = command(lake, "FROM range(200000)", "--csv")
    assert shown.stdout.count("\n") == 100_001 and re.search("the first 100,000 rows; there are more", shown.stderr)


def test_no_child_outlives_whoever_asked(lake: Path) -> None:
    endless = "SELECT count(*) FROM range(1e13::BIGINT)"
    code = f"from pathlib import Path; from pipeline.untrusted import ask; ask(Path({str(lake)!r}), {endless!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as asker:
        deadline, children = time.monotonic() + 20, []
        while not children and time.monotonic() < deadline:
            time.sleep(0.05)
            children = Path(f"/proc/{asker.pid}/task/{asker.pid}/children").read_text().split()
        asker.send_signal(signal.SIGKILL)
    (child,) = children
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}/exe").exists()
