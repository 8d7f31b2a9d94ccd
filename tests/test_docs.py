"""What the documents promise is there: commands, views, settings, links, and the SQL runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.__main__ import app
from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.lake.views import prepare

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def code_of(text: str) -> str:
    return "\n".join(re.findall(r"```\n(.*?)```", text, re.DOTALL))


def test_every_command_named_exists_and_every_command_is_named() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:newsmill|\|) ([a-z]+) ?(?:-|#|\"|$|--)", code_of(README), re.MULTILINE))
    assert named - commands == set()
    told = " ".join(d.read_text() for d in DOCUMENTS)
    assert {c for c in commands if f"newsmill {c}" not in told and f"| {c} -" not in told} == set()


def test_every_target_of_make_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        assert set(re.findall(r"make ([a-z]+)\b(?= |`|$)", code_of(document.read_text()))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_views_named_are_the_views_there_and_the_sql_runs(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.open_for_writing()
    prepare(lake)
    with connect(lake.root) as con:
        views = {
            name
            for (name,) in con.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'").fetchall()
        }
        assert views == set(re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE))
        statements = re.findall(r'newsmill sql "([^"]*)"', code_of(README))
        assert statements
        for statement in [*statements, *re.findall(r'\.sql\("(.*?)"\)\.to_arrow_table\(\)', README)]:
            con.sql(statement).fetchall()


def test_the_filter_in_the_readme_answers() -> None:
    (line,) = re.findall(r"echo '(.*?)' \| newsmill tag -", README)
    done = subprocess.run([sys.executable, "-m", "pipeline", "tag", "-"], input=line, capture_output=True, text=True, check=True)
    assert '"company_id":"siemens"' in done.stdout and '"company_id":"bayer"' in done.stdout


def test_every_setting_is_described() -> None:
    code = "\n".join(p.read_text() for room in ("pipeline", "dags", "embedded") for p in (ROOT / room).rglob("*.py"))
    described = set(re.findall(r"`(NEWSMILL_[A-Z_]+)`", (ROOT / "docs/how-to/settings.md").read_text()))
    assert set(re.findall(r"\bNEWSMILL_[A-Z_]+[A-Z]\b", code)) == described
