"""What takes over a second shows on a terminal how far it is, and nowhere else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = "sql 'select count(*) from range(30000) a, range(36000) b where a.range * b.range % 7 = 1'"


def over_a_terminal(line: str, **environ: str) -> str:
    """What a shell's line leaves on a terminal."""
    inner = ["bash", "-c", line.replace("newsmill", f"{sys.executable} -m pipeline")]
    code = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({inner!r})))"
    told = {**os.environ, "TERM": "xterm", "COLUMNS": "120", **environ}
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def fresh(wire_run: Path, tmp_path: Path) -> Path:
    """A run directory without a lake."""
    for name in ("feeds.toml", "wire-address"):
        shutil.copy(wire_run / name, tmp_path / name)
    return tmp_path


def test_a_run_shows_how_many_feeds_and_pages_it_has_asked(fresh: Path) -> None:
    """Its lines are in the file, whole, and the bar is not."""
    seen = over_a_terminal(f"newsmill run > {fresh / 'lines'}", NEWSMILL_RUN=str(fresh), NEWSMILL_SPACING_S="0.1")
    assert "pages asked" in seen and re.search(r"(\d\d)/\1\x1b", seen) and "tagged" not in seen
    lines = (fresh / "lines").read_text()
    assert re.search(r"(\d+) came in = \1 tagged; 0 missing", lines) and "pages asked" not in lines and "\x1b" not in lines


def test_a_long_question_shows_that_it_is_asked(wire_run: Path) -> None:
    seen = over_a_terminal(f"newsmill {SLOW}", NEWSMILL_RUN=str(wire_run))
    assert "asking the lake" in seen and "0:00:01" in seen


def test_where_there_is_no_terminal_nothing_is_shown(fresh: Path, wire_run: Path) -> None:
    for words, run_dir in (("run", fresh), (SLOW, wire_run)):
        environ = {**os.environ, "NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0.1"}
        line = f"{sys.executable} -m pipeline {words}"
        done = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "") and "pages asked" not in done.stdout
