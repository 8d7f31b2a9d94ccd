"""docs/how-to/query.md: each question in it is asked of the wire's lake and has an answer, and its other code runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.lake import connect
from tests import begun
from tests.test_command_line import newsmill

TEXT = (Path(__file__).parents[1] / "docs/how-to/query.md").read_text()
BACKTEST = re.findall(r"```sql\n(.*?)```", (Path(__file__).parents[1] / "docs/how-to/backtest.md").read_text(), re.DOTALL)
QUESTIONS = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("question", QUESTIONS + BACKTEST, ids=[" ".join(q.split())[:50] for q in QUESTIONS + BACKTEST])
def test_every_question_has_an_answer(question: str, wire_run: Path) -> None:
    with connect(wire_run / "lake") as con:
        assert con.sql(question).fetchall()


def test_there_are_a_first_one_those_of_analysts_and_ten_more() -> None:
    first, analysts, ten = re.split("## What analysts ask|## Ten more", TEXT)
    assert first.count("```sql") == 3 and analysts.count("```sql") >= 15 and ten.count("```sql") == 10


def test_the_ways_out_lead_out(wire_run: Path, tmp_path: Path) -> None:
    (lines,) = re.findall(r"```\n(newsmill sql.*?)```", TEXT, re.DOTALL)
    begun.shim(tmp_path / "shim")
    script = f'newsmill() {{ {tmp_path / "shim"} "$@" --lake {wire_run / "lake"}; }}\nset -e\n{lines}'
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, timeout=60)
    assert {p.name for p in tmp_path.iterdir()} - {"shim"} == {"mentions.csv", "mentions.xlsx", "articles.parquet"}


def test_a_company_is_shown_as_the_question_has_it(wire_run: Path) -> None:
    by_day = next(q for q in QUESTIONS if "arg_max(title, relevance)" in q)
    with connect(wire_run / "lake") as con:
        (company_id,) = re.findall(r"\((select company_id from .*? limit 1)\)", by_day)
        ((known,),) = con.sql(company_id).fetchall()
        days = con.sql(by_day).fetchall()
    shown = newsmill("companies", "show", known, "--lake", str(wire_run / "lake")).stdout
    for day, stories, mood, _ in days:
        assert re.search(rf" {day:%m-%d} .*{re.escape(f'{mood:+.2f}')} +{stories} stor", shown)


def test_the_notebooks_lines_run(wire_run: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    line = [sys.executable, "-c", f"{code}\nprint(table.num_rows)"]
    done = subprocess.run(line, env={"NEWSMILL_RUN": str(wire_run)}, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0
