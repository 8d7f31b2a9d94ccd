"""The launcher's parts that need no Airflow: ports, directories, environment, and that no process outlives its parent."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from embedded.__main__ import CHECKOUT, main, parse
from embedded.airflow_home import airflow_settings, environment
from embedded.first_batch import last_lines
from embedded.ports import is_free, refusal
from embedded.run_directory import RunDirectory, claim, damage
from pipeline.feeds import load_catalogue
from tests.airflow.ports import free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_taken_port_is_refused_with_holder_and_remedy(taken_port: int) -> None:
    assert is_free(free_port())
    assert not is_free(taken_port)
    said = refusal(taken_port, "Airflow's pages", "PORT")
    assert said.startswith(f"port {taken_port}, meant for Airflow's pages, is in use by ")
    assert f"(pid {os.getpid()})" in said
    assert is_free(int(said.rpartition("make run PORT=")[2]))


def test_environment_drops_another_airflow_and_keeps_proxies_out() -> None:
    inherited = {
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__EXECUTOR": "x",
        "no_proxy": "intern",
        "HOME": "/h",
        "NEWSMILL_CONTACT": "c",
    }
    assert environment(inherited, {"AIRFLOW_HOME": "/here"}, {"NEWSMILL_RUN": "/run"}) == {
        "AIRFLOW_HOME": "/here",
        "HOME": "/h",
        "NEWSMILL_CONTACT": "c",
        "NEWSMILL_RUN": "/run",
        "NO_PROXY": "intern,127.0.0.1,localhost",
        "no_proxy": "intern,127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def test_airflow_listens_to_this_machine_only() -> None:
    settings = airflow_settings(RunDirectory(Path("/r")), Path("/dags"), 8090, {"api": "a", "jwt": "j"})
    assert settings["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert {name for name, value in settings.items() if "8090" in value} == {
        "AIRFLOW__API__PORT",
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    }


def test_password_is_kept_and_for_the_owner_alone(tmp_path: Path) -> None:
    place = RunDirectory(tmp_path / "run")
    place.prepare()
    first = place.read(place.passwords), place.read(place.secrets)
    place.prepare()
    assert (place.read(place.passwords), place.read(place.secrets)) == first
    assert len(first[0]["admin"]) >= 12
    assert [oct(path.stat().st_mode & 0o777) for path in (place.passwords, place.secrets, place.airflow)] == [
        "0o600",
        "0o600",
        "0o700",
    ]


def test_second_instance_hears_of_the_first(tmp_path: Path) -> None:
    with claim(tmp_path, {"address": "http://127.0.0.1:8080"}):
        assert claim(tmp_path, {}) == {"pid": os.getpid(), "address": "http://127.0.0.1:8080"}
    claim(tmp_path, {}).close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "PORT and WIRE_PORT must be two numbers from 1 to 65535"),
        (["--port", "8799"], "PORT and WIRE_PORT must be two numbers"),
        (["--feeds", "CATALOGUE"], "unknown key evry_minutes; did you mean every_minutes"),
        (["--feeds", "nowhere.toml"], "there is no catalogue"),
        (["--feeds", "nowhere.opml"], "there is no file"),
        (["--feeds", "OFF"], "off.toml: all its 1 feeds are switched off; to choose some: newsmill feeds add"),
        (["--feeds", "http://127.0.0.1:9/feed.xml"], "FEEDS=http://127.0.0.1:9/feed.xml could not be taken in"),
        (["--feeds", "central-bank"], "FEEDS=central-bank could not be taken in"),
    ],
)
def test_a_mistake_is_told_before_anything_is_started(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.toml").write_text('[[feed]]\nurl = "https://a.example/feed"\nevry_minutes = 5\n')
    (tmp_path / "off.toml").write_text('[[feed]]\nurl = "https://a.example/feed"\nenabled = false\n')
    files = {"CATALOGUE": "own.toml", "OFF": "off.toml"}
    words = [str(tmp_path / files[word]) if word in files else word for word in arguments]
    monkeypatch.setattr("embedded.__main__.CHECKOUT", tmp_path)
    monkeypatch.setattr("sys.argv", ["embedded", *words])
    assert main() == 2
    assert message in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("how", ["a page in it", "its head"])
def test_a_damaged_database_of_airflow_is_told_of_with_what_to_remove(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = RunDirectory(tmp_path / "run/wire")
    place.prepare()
    with closing(sqlite3.connect(place.database)) as con, con:
        con.execute(
            "CREATE TABLE job AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9999) SELECT x FROM n"
        )
    assert damage(place.database) is None and damage(tmp_path / "none.db") is None
    with place.database.open("r+b") as file:
        file.seek(0 if how == "its head" else 4096)
        file.write(b"\xff" * 4096)
    monkeypatch.setattr("embedded.__main__.CHECKOUT", tmp_path)
    monkeypatch.setattr("sys.argv", ["embedded"])
    assert main() == 2
    said = " ".join(capsys.readouterr().out.split())
    assert f"Airflow's own database, {place.database}, is damaged (" in said and f"; remove {place.airflow} and start" in said


def test_opml_is_taken_into_a_catalogue_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.__main__.CHECKOUT", tmp_path)
    (tmp_path / "mine.opml").write_text('<opml version="2.0"><body><outline xmlUrl="https://a.example/feed"/></body></opml>')
    for _ in range(2):  # the second time all of it is there, and that is no reason to refuse
        options = parse(["--feeds", str(tmp_path / "mine.opml")])
        assert (options.feeds, options.place.root) == (tmp_path / "feeds.toml", tmp_path / "run/feeds")
        assert [feed.url for feed in load_catalogue(tmp_path / "feeds.toml")] == ["https://a.example/feed"]


def test_run_directory_follows_from_the_catalogue() -> None:
    wire, own = parse([]), parse(["--feeds", "config/feeds.toml", "--once"])
    assert (wire.place.root, own.place.root) == (CHECKOUT / "run/wire", CHECKOUT / "run/feeds")
    assert (wire.limit_s, own.limit_s) == (150, 1800)


def test_log_of_a_failed_task_reads_like_text(tmp_path: Path) -> None:
    frames = [{"filename": "run.py", "lineno": 7, "name": "settle"}]
    lines = [
        {"event": "::group::Pre Execute"},
        {"event": "3 feeds due"},
        {"event": "Task failed", "error_detail": [{"exc_type": "LakeBusy", "exc_value": "held", "frames": frames}]},
    ]
    (tmp_path / "log").write_text("".join(json.dumps(line) + "\n" for line in lines) + "plain\n")
    assert last_lines(tmp_path / "log") == ["3 feeds due", "Task failed", "LakeBusy: held  (line 7 of run.py)", "plain"]
    assert last_lines(tmp_path / "none") == ["(no log)"]


KEEPER_OF_ONE_DEAF_CHILD = """
import os, signal, sys, time
from pathlib import Path
from embedded import keeper
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if not os.fork():
        time.sleep(60)
    time.sleep(60)
keeper.GRACE_S = 0.3
keeper.die_with_parents()
one = keeper.Keeper(Path(sys.argv[1]), os.dup(1))
one.start("scheduler", deaf)
one.watch(lambda: False)
one.stop()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="children end with their parent on Linux alone")
@pytest.mark.parametrize("end", ["the launcher is gone", "the keeper is killed"])
def test_no_process_outlives_the_launcher(tmp_path: Path, end: str) -> None:
    command = [sys.executable, "-c", KEEPER_OF_ONE_DEAF_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT) as keeper:
        assert keeper.stdin
        assert keeper.stdout
        child = int(keeper.stdout.readline().split()[2])
        until = time.monotonic() + 10
        while not (family := children_of(child)):
            assert time.monotonic() < until
            time.sleep(0.02)
        if end == "the launcher is gone":
            keeper.stdin.close()
        else:
            keeper.send_signal(signal.SIGKILL)
        keeper.wait(10)
        while any(is_running(pid) for pid in (child, *family)):
            assert time.monotonic() < until
            time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
