"""However a command ends before its time (Ctrl-C, a reader that leaves, a full disk): no traceback, nothing left."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from pipeline.exits import BUSY, DIFFERENT, FAILED, MISUSED, STOPPED, UNFORESEEN
from tests.test_command_line import newsmill

ENDLESS = "select count(*) from range(10000000) a, range(1000000) b where a.range * b.range % 7 = 1"


@contextmanager
def started(*words: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """A command in a process group of its own, as a terminal starts it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    command = [sys.executable, "-m", "pipeline", *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env={**kept, **environ}, start_new_session=True) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def stopped(process: "subprocess.Popen[str]") -> None:
    """Ctrl-C reaches all of the group, ends it with 130 without a word, and leaves no child."""
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == STOPPED
    assert process.stderr and process.stderr.read() == ""
    assert psutil.wait_procs(children, timeout=5)[1] == []


def until(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


@pytest.fixture
def copy(wire_run: Path, tmp_path: Path) -> Path:
    """A run directory of one's own, its lake opened where it lies."""
    shutil.copytree(wire_run, tmp_path / "run")
    assert newsmill("lake", "open", NEWSMILL_RUN=str(tmp_path / "run")).returncode == 0
    return tmp_path / "run"


@pytest.mark.parametrize("way", [(), ("--json",), ("--csv",), ("--parquet", "FILE"), ("--excel", "FILE")])
def test_a_long_query_is_stopped_and_its_file_is_not_begun(wire_run: Path, tmp_path: Path, way: tuple[str, ...]) -> None:
    file = str(tmp_path / "rows.xlsx")
    words = [file if word == "FILE" else word for word in way]
    with started("sql", ENDLESS, *words, NEWSMILL_RUN=str(wire_run)) as sql:
        at_work = psutil.Process(sql.pid)
        until(lambda: at_work.cpu_times().user > 2)
        stopped(sql)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_stopped_and_the_next_one_goes_on(copy: Path) -> None:
    shutil.rmtree(copy / "lake")
    with started("run", NEWSMILL_RUN=str(copy), NEWSMILL_SPACING_S="600") as run:
        assert run.stdout
        until(lambda: "feeds are due" in run.stdout.readline())  # type: ignore[union-attr]
        until(lambda: bool(list((copy / "lake/raw").glob("*/*/*"))) or len(psutil.Process(run.pid).net_connections()) > 0)
        stopped(run)
    done = newsmill("run", NEWSMILL_RUN=str(copy), NEWSMILL_SPACING_S="0")
    assert done.returncode == 0 and re.search(r"(\d+) came in = \1 tagged; 0 missing", done.stdout)
    assert newsmill("lake", "verify", NEWSMILL_RUN=str(copy)).stdout == "nothing is wrong\n"


@pytest.mark.parametrize("name", ["read", "tag"])
def test_a_filter_is_stopped_with_its_workers(name: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<html><title>Siemens</title><article><p>Siemens hebt die Prognose an.</p></article></html>"
    )
    line = {"path": str(tmp_path / "page.html"), "url": "https://a.example/1", "id": 1, "title": "Siemens", "text": ""}
    with started(name, "-") as process:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["path" if name == "read" else "id"]
        assert bool(psutil.Process(process.pid).children()) == (name == "read")
        stopped(process)


def test_the_wire_is_stopped(tmp_path: Path) -> None:
    with started("wire", "--port", "0", "--run-dir", str(tmp_path)) as wire:
        until((tmp_path / "wire-address").exists)
        stopped(wire)


def test_verify_is_stopped(copy: Path) -> None:
    slow = copy / "lake/evolved.json"
    os.mkfifo(slow)  # what it reads first takes for ever
    with started("lake", "verify", NEWSMILL_RUN=str(copy)) as verify:

        def is_read() -> bool:
            with suppress(OSError):
                held.append(os.open(slow, os.O_WRONLY | os.O_NONBLOCK))
            return bool(held)

        held: list[int] = []
        until(is_read)
        stopped(verify)
        os.close(held[0])


def test_the_shell_clears_stops_and_goes_on_and_ends(wire_run: Path, tmp_path: Path) -> None:
    """Over a real terminal: Ctrl-C at the prompt, an error, Ctrl-C in a query, .tables, an unfinished line, Ctrl-D."""
    inner = [sys.executable, "-m", "pipeline", "shell", "--lake", str(wire_run / "lake")]
    over = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({inner!r})))"
    environ = {**os.environ, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, "-c", over], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
    ) as shell:
        assert shell.stdin and shell.stdout
        heard = b""

        def hear(text: bytes) -> None:
            nonlocal heard
            while text not in heard:
                piece = os.read(shell.stdout.fileno(), 4096)  # type: ignore[union-attr]
                assert piece, heard
                heard += piece
            heard = heard.partition(text)[2]

        def say(text: bytes) -> None:
            shell.stdin.write(text)  # type: ignore[union-attr]
            shell.stdin.flush()  # type: ignore[union-attr]

        try:
            hear(b"news> ")
            say(b"select nonsense")
            hear(b"nonsense")
            time.sleep(0.3)  # Python's readline sees a Ctrl-C that comes just as it begins to wait at the next key only
            say(b"\x03")
            hear(b"news> ")
            say(b"select titel from articles;\n")
            hear(b'Candidate bindings: "title"')
            hear(b"news> ")
            say(ENDLESS.encode() + b";\n")
            time.sleep(2)
            say(b"\x03")
            hear(b"news> ")
            say(b".tables\n")
            hear(b"articles")
            hear(b"news> ")
            say(b"select 40 + 2\n")
            hear(b"...> ")
            say(b"as answer;\n")
            hear(b"42")
            hear(b"news> ")
            say(b"\x04")
            assert shell.wait(20) == 0
        finally:
            shell.kill()
    assert "as answer;" in (tmp_path / ".newsmill_history").read_text()


def test_the_shell_answers_a_file_and_goes_on_after_a_mistake(wire_run: Path) -> None:
    questions = "select count(*) as n\nfrom articles;\n\nselect x;\nselect 'later';\nselect\n y;\n.quit\nselect 'never';\n"
    done = newsmill("shell", "--lake", str(wire_run / "lake"), stdin=questions, PATH="/usr/bin:/bin")
    assert re.search(r"│ +\d+ │", done.stdout) and "later" in done.stdout and "never" not in done.stdout
    assert re.findall(r"^line (\d+): Binder Error: .*\"(.)\"", done.stderr, re.MULTILINE) == [("4", "x"), ("6", "y")]
    assert done.returncode == FAILED and "Traceback" not in done.stderr
    assert done.stderr.endswith("newsmill: 2 statements failed, see above: line 4, line 6\n")
    right = newsmill("shell", "--lake", str(wire_run / "lake"), stdin="\nselect 1;\n-- and no more", PATH="/usr/bin:/bin")
    assert (right.returncode, right.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["sql ROWS", "sql ROWS --json", "sql ROWS --csv", "show --json", "companies find bank --limit 99"]
)
def test_a_reader_that_leaves_early_is_not_worth_a_word(command: str, wire_run: Path) -> None:
    words = command.replace("ROWS", "'select range, md5(range::varchar) from range(300000)'")
    line = f"{sys.executable} -m pipeline {words} | head -1"
    environ = {**os.environ, "NEWSMILL_RUN": str(wire_run)}
    done = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "command", ["sql 'select 1'", "sql 'from range(99999)' --json", "show", "lake status", "companies find sap"]
)
def test_a_full_disk_is_a_message(command: str, wire_run: Path) -> None:
    line = f"{sys.executable} -m pipeline {command} > /dev/full"
    environ = {**os.environ, "NEWSMILL_RUN": str(wire_run)}
    done = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, timeout=60, check=False)
    said = f"newsmill: {os.strerror(errno.ENOSPC).lower()}; make room there and do it again; nothing is left half-written\n"
    assert (done.returncode, done.stderr) == (FAILED, said)


@pytest.mark.parametrize("way", ["--parquet rows.parquet", "--excel rows.xlsx"])
def test_a_file_that_cannot_grow_is_a_message_and_not_begun(way: str, wire_run: Path, tmp_path: Path) -> None:
    line = f"ulimit -f 1; {sys.executable} -m pipeline sql 'select range, md5(range::varchar) from range(50000)' {way}"
    environ = {**os.environ, "NEWSMILL_RUN": str(wire_run), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == FAILED and list(tmp_path.iterdir()) == []
    assert "file too large" in done.stderr.lower() and "(ulimit -f)" in done.stderr and done.stderr.count("\n") == 1


def test_a_damaged_file_is_a_message_that_names_it(copy: Path) -> None:
    (file,) = (copy / "lake").glob("hot/*/*-read/articles.parquet")
    file.write_bytes(b"rubbish")
    for words in (["show"], ["sql", "from articles"], ["tour"]):
        done = newsmill(*words, NEWSMILL_RUN=str(copy))
        assert done.returncode == FAILED and str(file) in done.stderr and "`newsmill lake verify`" in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1


def test_what_nobody_foresaw_is_one_line_with_the_place_of_its_details(tmp_path: Path) -> None:
    (tmp_path / "wire-address").write_bytes(b"\xff")  # settings expect text
    done = newsmill("run", NEWSMILL_RUN=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == UNFORESEEN and done.stderr.count("\n") == 1 and done.stdout == ""
    assert done.stderr.startswith("newsmill: unforeseen: UnicodeDecodeError: ")
    (details,) = tmp_path.glob("newsmill-*.txt")
    assert str(details) in done.stderr and details.read_text().startswith("Traceback")
    debugged = newsmill("run", NEWSMILL_RUN=str(tmp_path), TMPDIR=str(tmp_path), NEWSMILL_DEBUG="1")
    assert debugged.returncode == UNFORESEEN and debugged.stderr.startswith("Traceback")


def test_the_codes_are_those_that_are_documented() -> None:
    text = (Path(__file__).parents[1] / "docs/how-to/command-line.md").read_text()
    told = newsmill("--help").stdout
    for code in (FAILED, MISUSED, DIFFERENT, UNFORESEEN, BUSY, STOPPED):
        assert f"| {code} |" in text and f" {code} " in told.replace("\n", " ")


STOPPED_WHILE_IMPORTED = """
import signal, sys
from pipeline.start import main
class Stop:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Stop())
main()
"""


@pytest.mark.parametrize("module", ["typer", "pipeline.__main__", "duckdb"])
def test_ctrl_c_is_clean_also_while_the_command_is_imported(module: str) -> None:
    command = [sys.executable, "-c", STOPPED_WHILE_IMPORTED, module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (STOPPED, "")
