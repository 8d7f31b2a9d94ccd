"""The command line as its users meet it: rows, messages, exit codes, never a traceback."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.views import prepare
from schemas.columns import to_arrow
from schemas.feed import Visit, VisitCode
from tests import begun

NOW = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)


def newsmill(*words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """A command, run as a process; only the interpreter is not begun anew for each."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    return begun.run(*words, stdin=stdin, environ={**kept, "COLUMNS": "200", **environ})


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake with one visit."""
    made = Lake(tmp_path_factory.mktemp("made") / "lake")
    made.open_for_writing()
    prepare(made)
    visit = Visit(
        visit_id="f_1", feed_id="ecb", source="ECB", url="https://a.example/feed", visited_at=NOW, outcome=VisitCode.PARSED,
        redirects=("https://b.example",), next_due_at=NOW, due_rule="interval",
    )  # fmt: skip
    # of today, as a day that could have been closed long ago would be told of
    parcel = Parcel(BatchRef(batch_id_of(datetime.now(UTC)), "pull"), {"visits": to_arrow([visit], Visit)})
    commit(made, parcel, Timing(timedelta(0)))
    return str(made.root)


def test_sql_for_people_programs_and_spreadsheets(lake: str) -> None:
    query = "select feed_id, visited_at, redirects, 1.5 as x, null as nothing from feeds"
    people = newsmill("sql", query, "--lake", lake)
    assert people.returncode == 0 and "ecb" in people.stdout and "2026-11-23 01:42:00+00" in people.stdout
    program = newsmill("sql", query, "--lake", lake, "--json")
    assert json.loads(program.stdout) == {
        "feed_id": "ecb", "visited_at": "2026-11-23T01:42:00Z", "redirects": ["https://b.example"], "x": "1.5", "nothing": None,
    }  # fmt: skip
    sheet = newsmill("sql", "-", "--lake", lake, "--csv", stdin=query)
    assert next(csv.DictReader(io.StringIO(sheet.stdout)))["redirects"] == '["https://b.example"]'


def test_json_has_a_form_for_everything(lake: str) -> None:
    query = "select interval '1 month 2 days 3 seconds' as i, 'a'::blob as b, current_date as d"
    row = json.loads(newsmill("sql", query, "--lake", lake, "--json").stdout)
    assert row["i"] == {"months": 1, "days": 2, "seconds": 3.0} and row["b"] == "61" and len(row["d"]) == 10


def test_a_moved_lake_is_opened_where_it_lies_now(lake: str, tmp_path: Path) -> None:
    moved = tmp_path / "it's moved"
    shutil.copytree(lake, moved)
    query = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql('SELECT feed_id FROM feeds').fetchall())"
    path = json.loads(newsmill("lake", "open", "--lake", str(moved), "--json").stdout)["path"]
    next(moved.glob("hot/date=2*/*-pull/visits.parquet")).unlink()
    done = subprocess.run([sys.executable, "-c", query, path], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n", "it reads the moved one"
    assert f"duckdb -readonly '{path}'" in newsmill("lake", "open", "--lake", str(moved)).stdout


def test_the_lake_may_be_named_in_the_environment(lake: str) -> None:
    assert "1 feeds" in newsmill("show", NEWSMILL_LAKE=lake).stdout
    assert json.loads(newsmill("show", "--json", NEWSMILL_LAKE=lake).stdout)["counts"]["feeds"] == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["sql", "select 1", "--lake", "/nowhere"], 1, "no lake at /nowhere: name another with --lake, or"),
        (["show", "--lake", "/nowhere"], 1, "no lake at /nowhere"),
        *(([*words, "--lake", __file__], 1, f"no lake at {__file__}: it is a file, or lies below one; name a lake's directory")
          for words in (["sql", "select 1"], ["lake", "status"], ["why", "a_000000"], ["search", "bank"])),
        (["run", "--lake", "/dev/null"], 1, "/dev/null is no directory; name the lake's directory with --lake"),
        (["wire", "--port", "70000"], 2, "--port"),
        (["sql", "selec 1", "--lake", "LAKE"], 2, "syntax error"),
        (["sql", "select nam from feeds", "--lake", "LAKE"], 2, "nam"),
        (["sql", "select error('boom') from feeds", "--lake", "LAKE"], 2, "boom"),
        (["parse", "feed.xml"], 2, "'feed.xml': a filter reads standard input; give it as -"),
        (["parse", "[/red]"], 2, "'[/red]': a filter reads standard input"),
        (["swim"], 2, "No such command"),
        (["show", "--limit", "0", "--lake", "LAKE"], 2, "--limit"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_message_and_its_exit_code(words: list[str], code: int, message: str, lake: str) -> None:
    done = newsmill(*(lake if word == "LAKE" else word for word in words))
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_bad_catalogue_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text('[[feed]]\nurll = "https://a.example/feed"\n')
    done = newsmill("run", NEWSMILL_RUN=str(tmp_path))
    assert done.returncode == 1 and "feeds.toml" in done.stderr and "urll" in done.stderr and "url" in done.stderr
    bad = newsmill("run", NEWSMILL_RUN=str(tmp_path), NEWSMILL_SPACING_S="soon")
    assert bad.returncode == 1 and "NEWSMILL_SPACING_S='soon'" in bad.stderr


def test_verify_ends_with_one_where_something_is_wrong(lake: str, tmp_path: Path) -> None:
    copy = tmp_path / "lake"
    shutil.copytree(lake, copy)
    ended = [newsmill("lake", "verify", "--raw", "--lake", where) for where in (lake, str(copy))]
    assert (ended[0].returncode, ended[0].stdout, ended[0].stderr) == (0, "nothing is wrong\n", "")
    assert ended[1].returncode == 1 and "news.duckdb" in ended[1].stdout and "→ any `newsmill run`" in ended[1].stdout
    assert ended[1].stdout.endswith("\n1 warning\n")
    program = newsmill("lake", "verify", "--lake", str(copy), "--json")
    assert program.returncode == 1 and json.loads(program.stdout)["kind"] == "outdated"
    assert newsmill("lake", "verify", "--lake", "/nowhere").stderr.startswith("newsmill: no lake at /nowhere: name another")


def test_close_makes_no_lake_where_there_is_none(tmp_path: Path) -> None:
    done = newsmill("lake", "close", "--lake", str(tmp_path))
    assert done.returncode == 1 and done.stderr.startswith(f"newsmill: no lake at {tmp_path}: name another with --lake, or fill")
    assert list(tmp_path.iterdir()) == []


def test_status_for_people_and_programs(lake: str) -> None:
    people = newsmill("lake", "status", "--lake", lake)
    assert people.returncode == 0 and lake in people.stdout and "entries a day, and how they stand" in people.stdout
    program = json.loads(newsmill("lake", "status", "--lake", lake, "--json", "--days", "2").stdout)
    assert set(program) == {
        "lake", "now", "size", "newest", "mark", "tables", "days", "to_close", "moved", "raw", "begun", "locks", "attention",
    }  # fmt: skip
    assert program["tables"]["visits"]["hot"]["rows"] == 1 and len(program["days"]) == 2
    assert program["mark"] == {"day": None, "month": None, "open_from": "1970-01-01", "late": True}


def test_run_refuses_a_lake_that_is_being_written_and_names_the_holder(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake")
    made.open_for_writing()
    (tmp_path / "feeds.toml").write_text("")
    with hold(made, BatchRef("20261123T014200Z", "read"), "shard-3-of-4"):
        done = newsmill("run", NEWSMILL_RUN=str(tmp_path))
    assert done.returncode == 75
    assert "stage read" in done.stderr and f"shard-3-of-4 by process {os.getpid()} on " in done.stderr


def test_every_command_explains_itself_and_the_version_is_told() -> None:
    for command in ("run", "show", "why", "sql", "wire", "parse", "read", "dedupe", "tag"):
        done = newsmill(command, "--help")
        assert done.returncode == 0 and len(done.stdout.splitlines()) > 5, command
    assert newsmill("--version").stdout.startswith("newsmill 0.")


def test_a_reader_that_leaves_early_is_not_worth_a_word(lake: str) -> None:
    command = f"{sys.executable} -m pipeline sql 'select range from range(300000)' --lake {lake} --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"range":0}\n', "")


def test_a_filter_answers_each_line_before_the_next_is_asked() -> None:
    with subprocess.Popen([sys.executable, "-m", "pipeline", "tag", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tag:
        assert tag.stdin and tag.stdout
        for number, line in enumerate(
            (b'{"id": 0, "title": "Siemens raises outlook", "text": ""}', b"rubbish", b'{"id": 2, "title": "", "text": ""}')
        ):
            tag.stdin.write(line + b"\n")
            tag.stdin.flush()
            answer = json.loads(tag.stdout.readline())
            assert ("error" in answer) == (number == 1)
        tag.stdin.close()
        assert tag.wait(20) == 0


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Leaves no process behind, whatever a check says."""
    try:
        yield
    finally:
        process.kill()


def test_the_wire_stands_still_at_a_moment(tmp_path: Path) -> None:
    assert newsmill("wire", "--now", "noon", "--run-dir", str(tmp_path)).returncode == 2
    command = [sys.executable, "-m", "pipeline", "wire", "--port", "0", "--run-dir", str(tmp_path), "--now", "2026-11-23T14:00Z"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as wire, ended(wire):
        for _ in range(100):
            if (tmp_path / "wire-address").exists():
                break
            time.sleep(0.1)
        address = (tmp_path / "wire-address").read_text().strip()
        page = urlopen(f"http://{address}/").read().decode()
    times = re.findall(r"<tr><td>(2026-\d\d-\d\d [\d:]+)</td>", page)
    assert times[0] == "2026-11-23 14:00:00" and times == sorted(times, reverse=True)
    assert not (tmp_path / "wire-started").exists()


def test_the_wire_serves_writes_its_catalogue_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "wire", "--port", "0", "--run-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as wire, ended(wire):
        for _ in range(100):
            if (tmp_path / "wire-address").exists():
                break
            time.sleep(0.1)
        address = (tmp_path / "wire-address").read_text().strip()
        port = address.rpartition(":")[2]
        assert int(port) > 0 and f":{port}/" in (tmp_path / "feeds.toml").read_text()
        taken = newsmill("wire", "--port", port, "--run-dir", str(tmp_path / "other"))
        assert taken.returncode == 1 and port in taken.stderr and "another port" in taken.stderr
        wire.send_signal(signal.SIGINT)
        assert wire.wait(20) == 130 and wire.stderr and wire.stderr.read() == ""
