"""The macro why(article): every step of one article's way, in order; nothing of what was taken down."""

from datetime import date
from pathlib import Path

from pipeline.lake import connect
from pipeline.lake.layout import Lake
from schemas.outcome import Forgotten
from tests.lake.sample import add, add_day, made, moment, shut


def why(lake: Lake, article: str) -> list[tuple[str, str, str | None, bool, str]]:
    with connect(lake.root) as con:
        return con.execute("SELECT step, what, detail, stands, id FROM why(?)", [article]).fetchall()


FIRST = [
    ("entry", "T (t)", "Title 0", True, "e_1101100"),
    ("page", "ok 200", "https://t.example/110110/0", True, "p_110110000"),
    ("outcome", "article", None, True, "e_1101100"),
    ("version", "new, unknown", "Title 0", False, "v_1101100"),
    ("copied_by", "a_1101101", "m, 100 %", True, "v_1101101"),
    ("superseded", "v_1101100", "revised, by v_1101102", False, "v_1101100"),
    ("tagging", "x, y", "1 companies, 2 mentions", True, "t_v_1101100"),
    ("evidence", "c +0.00", "", True, "t_v_1101100"),
    ("evidence", "the article +0.00", "", True, "t_v_1101100"),
]
COPY = [
    ("entry", "T (t)", "Title 1", True, "e_1101101"),
    ("page", "ok 200", "https://t.example/110110/1", True, "p_110110001"),
    ("outcome", "copy", None, True, "e_1101101"),
    ("version", "new, unknown", "Title 1", True, "v_1101101"),
    ("duplicate_of", "a_1101100", "m, 100 %", True, "v_1101101"),
    ("tagging", "x, y", "1 companies, 2 mentions", True, "t_v_1101101"),
    ("evidence", "c +0.00", "", True, "t_v_1101101"),
    ("evidence", "the article +0.00", "", True, "t_v_1101101"),
]


def test_every_step_is_told_in_order_in_open_days_and_in_closed_ones(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake")
    add_day(lake, date(2026, 11, 1))
    assert why(lake, "a_1101100") == FIRST and why(lake, "a_1101101") == COPY
    shut(lake, "2026-11-02 12:00")
    assert why(lake, "a_1101100") == FIRST and why(lake, "a_1101101") == COPY
    assert why(lake, "a_none") == []


def test_of_what_was_taken_down_there_is_the_taking_down(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake")
    add_day(lake, date(2026, 11, 1))
    add(lake, moment("2026-11-02"), "forget", forgotten=[Forgotten(what="article", id="a_1101100", why="asked to")])
    assert why(lake, "a_1101100") == [("taken down", "a_1101100", "asked to", True, "a_1101100")]
    assert [step for step, *_ in why(lake, "a_1101101")] == [step for step, *_ in COPY]
