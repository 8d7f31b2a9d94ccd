"""docs/how-to/extend.md as its reader follows it: the example applies to this code and works; every place it names is there."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.wire import catalogue
from tests.wire.visit import Clock, running

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs/how-to/extend.md").read_text()


@pytest.mark.skipif(shutil.which("git") is None, reason="the document applies its example with git")
def test_the_tagger_and_table_of_the_example_work(tmp_path: Path) -> None:
    for room in ("pipeline", "schemas"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (diff,) = re.findall(r"```diff\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "quotes.diff").write_text(diff)
    # a folder with a repository above it would have git apply look there
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "quotes.diff"], cwd=tmp_path, check=True)
    with running(tmp_path, Clock(datetime.now(UTC))) as wire:
        (tmp_path / "feeds.toml").write_text(catalogue(wire.port))
        environ = {"NEWSMILL_RUN": ".", "NEWSMILL_SPACING_S": "0", "NEWSMILL_WIRE": f"127.0.0.1:{wire.port}", "PYTHONPATH": "."}
        said = [
            subprocess.run(
                [sys.executable, "-m", "pipeline", *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
            )
            for words in (["run"], ["sql", "--csv", "from quotes"], ["lake", "verify"])
        ]
    header, *rows = said[1].stdout.splitlines()
    assert header.startswith('"tagging_id","version_id","article_id","news_at","start","end","words"')
    assert any("Die Umstellung läuft schneller" in row for row in rows)
    assert said[2].stdout == "nothing is wrong\n"


def test_every_place_of_a_stage_is_there() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) == 11
    for place, what in rows:
        texts = [path.read_text() for path in ROOT.glob(place.replace("<stage>", "tag*"))]
        assert len(texts) == 1, place
        names = [name.partition("(")[0].replace("<stage>", "tag") for name in re.findall(r"`([^`]+)`", what)]
        assert [name for name in names if " " not in name and "/" not in name and name not in texts[0]] == [], place
