"""The tour over the sample wire: what it promises is on it, in two screens, and its questions run."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.lake.views import prepare
from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.tour import QUESTIONS, _holds, _lag, tour
from pipeline.wire import catalogue
from tests.wire.visit import Clock, running


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The lake after the wire's first batch."""
    run_dir = tmp_path_factory.mktemp("wire")
    with running(run_dir, Clock(datetime.now(UTC))) as wire:
        (run_dir / "feeds.toml").write_text(catalogue(wire.port))
        (run_dir / "wire-address").write_text(f"127.0.0.1:{wire.port}")
        settings = Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"})
        run_once(settings, lambda _line: None)
    return connect(settings.lake)


def shown(con: duckdb.DuckDBPyConnection, **console: object) -> str:
    out = io.StringIO()
    tour(con, Console(file=out, width=100, highlight=False, **console), ".venv/bin/newsmill")  # type: ignore[arg-type]
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def part(text: str, name: str) -> str:
    (found,) = re.findall(rf"^{name}.*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return found


def test_it_fits_on_two_screens(con: duckdb.DuckDBPyConnection) -> None:
    lines = [line for line in shown(con).splitlines() if not line.startswith(".venv")]
    assert len(lines) + 2 * len(QUESTIONS) <= 48 and max(map(len, lines)) <= 100


def test_a_company_is_drawn_by_day(con: duckdb.DuckDBPyConnection) -> None:
    head, *days = part(shown(con), "a company").splitlines()
    told = re.fullmatch(r"a company  (.+)  (\d+) (?:stories|story) in (\d+) days?, ([+-]\d\.\d\d) on average", head)
    assert told
    drawn = [
        re.fullmatch(r" (\d\d-\d\d)  ([ █]{9})│([ █]{9})  ([+-]\d\.\d\d)  +(\d+) (?:story|stories)  .+", day) for day in days
    ]
    assert all(drawn) and len(drawn) == min(int(told[3]), 7)
    for day in filter(None, drawn):
        assert day[3 if float(day[4]) > 0 else 2].count("█") == round(abs(float(day[4])) * 9)


def test_a_story_shows_its_copies_and_what_was_sold_around_each(con: duckdb.DuckDBPyConnection) -> None:
    head, first, *others = part(shown(con), "a story").splitlines()
    assert re.search(r"printed (\d+) times", head)[1] == str(1 + len(others)) != "1"  # type: ignore[index]
    lag = r"same text +(?:\+\d+(?:\.\d)? (?:min|h)|\d+(?:\.\d)? (?:min|h) before, seen later) "
    assert "  first  " in first and all(re.search(lag, line + " ") for line in others)
    assert re.search(r"\d lines of promotion \(\d+ %\)", "\n".join(others))


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, ""),
        (22, "+22 min"),
        (-22, "22 min before, seen later"),
        (150, "+2.5 h"),
        (-150, "2.5 h before, seen later"),
    ],
)
def test_a_copy_that_was_published_before_is_told_of_in_words(minutes: int, told: str) -> None:
    assert _lag(timedelta(minutes=minutes)) == told


def test_one_is_told_of_as_one() -> None:
    with duckdb.connect() as con:
        con.execute("""
            CREATE TABLE articles AS SELECT 'a_1' AS story_id; CREATE TABLE mentions AS SELECT false AS in_ad;
            CREATE TABLE sentiments AS SELECT 'sap' AS company_id; CREATE TABLE feeds AS SELECT 1;
            CREATE TABLE outcomes (code VARCHAR, kept BOOL, final BOOL, title VARCHAR, detail VARCHAR, seen_at TIMESTAMPTZ,
                                   due_at TIMESTAMPTZ)""")
        assert _holds(con).plain == "1 article in 1 story from 1 feed; 1 mention of 1 company"


def test_an_article_shows_the_words_behind_its_scores(con: duckdb.DuckDBPyConnection) -> None:
    told = part(shown(con), "an article")
    words = re.findall(r"\*\*(.+?)\*\*", told.replace("\n", " "))
    ((text,),) = con.execute("SELECT title || text FROM articles WHERE title = ?", [told.splitlines()[0][12:]]).fetchall()
    assert len(words) >= 3 and all(re.sub(r" +", " ", word) in text for word in words)
    assert "taken out: " in told
    coloured = shown(con, force_terminal=True, color_system="truecolor")
    assert "**" not in coloured and re.search(r"\x1b\[1;3[123]m", coloured)


def test_the_questions_can_be_copied_and_run(con: duckdb.DuckDBPyConnection) -> None:
    asked = re.findall(r'^\.venv/bin/newsmill sql "(.+)"$', shown(con), re.MULTILINE)
    assert len(asked) == 3
    for statement in asked:
        assert con.sql(statement).fetchall()


def test_an_empty_lake_is_told_of_as_one(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.open_for_writing()
    prepare(lake)
    told = shown(connect(lake.root))
    assert told.startswith("0 articles in 0 stories from 0 feeds; 0 mentions of 0 companies\n\nthree questions to copy\n")
