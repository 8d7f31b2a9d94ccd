"""What the command line says of itself: every command explains itself by examples that run, and a shell completes it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pipeline.__main__ import app
from tests import begun
from tests.test_command_line import newsmill

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/how-to/command-line.md"
MARK = "<!-- made by `.venv/bin/python -m tests.test_help`; a test compares -->\n"
ELSEWHERE = {
    "wire": "it serves until it is stopped: test_stops.py",
    "push": "it serves until it is stopped: tests/push",
    "feeds": "these ask the web",
}


def leaves(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    for name, command in (group or get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaves())
EXAMPLES = [
    (path, example)
    for path, command in COMMANDS.items()
    for example in re.findall(r"`([^`]*\bnewsmill [^`]*)`", re.sub(r"\s*\n\s*", " ", command.help or ""))
]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_of_itself(path: tuple[str, ...]) -> None:
    assert any(example_path == path and f"newsmill {' '.join(path)}" in example for example_path, example in EXAMPLES)
    shown = newsmill(*path, "--help")
    assert shown.returncode == 0 and "newsmill" in shown.stdout


@pytest.fixture(scope="module")
def desk(wire_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A directory with the files that the examples name, and an environment in which `newsmill` is a command."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(wire_run, desk / "run")
    shutil.copytree(wire_run / "lake", desk / "COPY")
    (desk / "feed.xml").write_text("<rss version='2.0'><channel><title>a</title><item><guid>1</guid></item></channel></rss>")
    (desk / "page.html").write_text(
        f"<html><title>Siemens</title><article><p>{'Siemens hebt die Prognose an. ' * 9}</p></article></html>"
    )
    (desk / "articles.jsonl").write_text(
        '{"id": 1, "seen_at": "2026-11-25T01:00:00Z", "source": "a", "language": "de", "title": "Siemens", "text": "Mehr."}\n'
    )
    (desk / "questions.sql").write_text("from feeds;\nselect count(*) from articles;\n")
    (desk / "bin").mkdir()
    begun.shim(desk / "bin/newsmill")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSMILL_")}
    told = {"NEWSMILL_RUN": str(desk / "run"), "NEWSMILL_SPACING_S": "0", "PYTHONPATH": str(ROOT), "HOME": str(desk)}
    return desk, {**kept, **told, "PATH": f"{desk / 'bin'}:/usr/bin:/bin"}


def article_id(environ: dict[str, str]) -> str:
    query = "select article_id from articles order by 1 limit 1"
    done = newsmill("sql", query, "--csv", NEWSMILL_RUN=environ["NEWSMILL_RUN"])
    return done.stdout.splitlines()[1].strip('"')


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_every_example_runs(path: tuple[str, ...], example: str, desk: tuple[Path, dict[str, str]]) -> None:
    words = shlex.split(example.partition("newsmill ")[2])
    if words[0] in ELSEWHERE:
        pytest.skip(ELSEWHERE[words[0]])
    place, environ = desk
    line = re.sub(r"\ba_[0-9a-f]{6,}", lambda _: article_id(environ), example)  # an article of this lake
    done = subprocess.run(["bash", "-c", line], cwd=place, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert ('"error"' in done.stdout) is False


def test_the_commands_are_grouped() -> None:
    told = newsmill("--help").stdout
    assert [re.sub(r"[─╭╮ ]", "", line) for line in told.splitlines() if line.startswith("╭")] == [
        "Options", "Run", "Ask", "Filters:JSONlinesin,JSONlinesout", "Lookafter",
    ]  # fmt: skip
    assert "Exit codes" in told


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("newsmill lake st", ["status"]),
        ("newsmill co", ["companies"]),
        ("newsmill companies show sieme", ["siemens", "siemens-energy", "siemens-healthineers"]),
        ("newsmill sql --par", ["--parquet"]),
        ("newsmill lake verify --r", ["--raw"]),
    ],
)
def test_bash_completes(typed: str, offered: list[str], desk: tuple[Path, dict[str, str]]) -> None:
    """With the very function that --install-completion puts into a shell."""
    script = f"""
        eval "$(_NEWSMILL_COMPLETE=source_bash newsmill)"
        COMP_WORDS=({typed}); COMP_CWORD={len(typed.split()) - 1}
        _newsmill_completion newsmill; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], env=desk[1], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, sorted(done.stdout.split())) == ("", offered)


def test_a_views_name_is_completed_within_a_statement() -> None:
    done = newsmill(_NEWSMILL_COMPLETE="complete_bash", COMP_WORDS="newsmill sql 'from sent", COMP_CWORD="2")
    assert done.stdout.strip() == "from sentiments"


def test_completion_installs_itself(tmp_path: Path) -> None:
    line = f"{sys.executable} -m pipeline --install-completion"
    environ = {**os.environ, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    done = subprocess.run(["bash", "-c", f"{line}; exit $?"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "newsmill" in (tmp_path / ".bashrc").read_text(), done.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("sqll",), "sql"), (("lake", "verfy"), "verify"), (("sql", "x", "--jsn"), "--json"), (("companies", "fnd"), "find")],
)
def test_a_misspelt_word_may_have_been_meant(words: tuple[str, ...], meant: str) -> None:
    done = newsmill(*words)
    assert done.returncode == 2 and f"'{meant}'" in done.stderr.replace(f" {meant})", f" '{meant}')").replace(
        f": {meant}", f"'{meant}'"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from artcles", 'Did you mean "articles"?'),
        ("select titel from articles", 'Candidate bindings: "title"'),
        ("select title from articles where", "LINE 1: select title from articles where\n"),
        ("selec 1", "        ^"),
    ],
)
def test_duckdb_says_what_may_have_been_meant_and_where(query: str, message: str, wire_run: Path) -> None:
    done = newsmill("sql", query, NEWSMILL_RUN=str(wire_run))
    assert done.returncode == 2 and message in done.stderr


def reference() -> str:
    """All commands with their arguments and options, as docs/how-to/command-line.md has them."""
    lines = ["", "| command | does | options |", "|---|---|---|"]
    for path, command in COMMANDS.items():
        told = [(p, max(p.opts, key=len)) for p in command.params if not getattr(p, "hidden", False)]
        arguments = [p.metavar or p.name.upper() for p, _ in told if p.param_type_name == "argument"]
        options = [f"`{name}`" for _, name in told if name.startswith("--") and name != "--help"]
        first = re.split(r"(?<=[.:]) Example|\n\n", command.help or "")[0].replace("\n", " ").strip().replace("|", "\\|")
        lines.append(
            f"| `{' '.join(('newsmill', *path, *arguments))}`".replace("|", "\\|").replace("\\|", "|", 1)
            + f" | {first} | {' '.join(options)} |"
        )
    return "\n".join(lines) + "\n"


def test_the_reference_is_that_of_the_commands() -> None:
    """Where it is not: .venv/bin/python -m tests.test_help"""
    assert REFERENCE.read_text().partition(MARK)[2] == reference()


if __name__ == "__main__":
    REFERENCE.write_text(REFERENCE.read_text().partition(MARK)[0] + MARK + reference())
