"""Out of the lake into Python: Arrow, pandas and Polars in one line, and the examples that use them.

What needs the extra `notebook` is skipped where that is not installed; `make notebook-test` installs it.
"""

import csv
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.lake import connect

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/how-to/notebook.md").read_text()
ASKED = "select source, count(*) as articles, max(seen_at) as newest from articles group by all order by source"


def python(*words: str, **environ: str) -> str:
    told = {"PYTHONPATH": str(ROOT), **environ}
    done = subprocess.run([sys.executable, *words], env=told, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected(lake: Path) -> list[tuple[str, int, datetime]]:
    with connect(lake) as con:
        return con.sql(ASKED).fetchall()


def test_arrow(wire_run: Path) -> None:
    with connect(wire_run / "lake") as con:
        whole, piecewise = con.sql(ASKED).to_arrow_table(), con.sql(ASKED).arrow().read_all()
    assert [tuple(row.values()) for row in whole.to_pylist()] == expected(wire_run / "lake")
    assert piecewise == whole


def test_pandas(wire_run: Path) -> None:
    pytest.importorskip("pandas")
    with connect(wire_run / "lake") as con:
        frame = con.sql(ASKED).df()
    assert str(frame["newest"].dt.tz) == "UTC"
    assert [(s, n, at.to_pydatetime()) for s, n, at in frame.itertuples(index=False)] == expected(wire_run / "lake")


def test_polars(wire_run: Path) -> None:
    pytest.importorskip("polars")
    with connect(wire_run / "lake") as con:
        frame = con.sql(ASKED).pl()
    assert frame.rows() == expected(wire_run / "lake")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL), ids=lambda code: code.split("\n")[-2])
def test_what_the_guide_shows_runs(code: str, wire_run: Path) -> None:
    for word, module in ((".df()", "pandas"), (".pl()", "polars")):
        if word in code:
            pytest.importorskip(module)
    python("-c", code.replace("run/wire", str(wire_run)), NEWSMILL_RUN=str(wire_run))


def test_the_notebook_runs_and_its_cells_have_rows(wire_run: Path) -> None:
    pytest.importorskip("marimo")
    pytest.importorskip("polars")
    told = {"NEWSMILL_RUN": str(wire_run)}
    python(str(ROOT / "examples/notebook.py"), **told)
    code = """
import json, runpy
_, made = runpy.run_path("examples/notebook.py")["app"].run()
names = ("companies", "by_day", "article", "evidence")
print(json.dumps({name: len(made[name]) for name in names} | {"words": made["evidence"]["words"].to_list()}))
"""
    made = json.loads(python("-c", f"import os; os.chdir({str(ROOT)!r})\n{code}", **told).splitlines()[-1])
    assert min(made["companies"], made["by_day"], made["evidence"]) > 0 and made["article"] == 1
    assert all(made["words"])


def test_the_plain_script_knows_what_could_be_known(wire_run: Path, tmp_path: Path) -> None:
    """With duckdb (and pytz, which that needs for times) and nothing of Newsmill."""
    script, news = str(ROOT / "examples/plain_script.py"), str(wire_run / "lake/news.duckdb")
    now = datetime.now(UTC) + timedelta(seconds=5)
    for moment, known in ((now, True), (now - timedelta(days=400), False)):
        told = python(script, news, moment.isoformat(), str(tmp_path / "known.csv"), PYTHONPATH="")
        rows = list(csv.DictReader((tmp_path / "known.csv").open()))
        assert told.startswith(f"{len(rows)} companies") and bool(rows) is known
    with connect(wire_run / "lake") as con:
        ((companies,),) = con.sql("select count(distinct company_id) from sentiments").fetchall()
    assert python(script, news, now.isoformat(), str(tmp_path / "known.csv")).startswith(f"{companies} companies")
    assert "newsmill" not in re.sub(r'""".*?"""', "", Path(script).read_text(), flags=re.DOTALL)
