"""The shipped sessions are those of the package they were made from, where that is installed; all that is promised is there."""

from pathlib import Path

import pytest

from pipeline.lake import connect
from tests.lake.calendars import EXCHANGES, FIRST, LAST, SHIPPED, generated
from tests.lake.sample import made


def test_the_shipped_file_is_as_generated() -> None:
    pytest.importorskip("exchange_calendars", reason="only `make calendars` needs it")
    assert generated() == SHIPPED.read_text(), "write it anew with `make calendars`"


def test_every_exchange_has_sessions_in_every_year_it_covers(tmp_path: Path) -> None:
    with connect(made(tmp_path / "lake").root) as con:
        counted = con.sql(f"""
            SELECT e.exchange, year(s.session) AS year, count(*), bool_and(s.covered),
                   bool_and(hour(s.closes_at AT TIME ZONE e.zone) >= 12)
            FROM (FROM lake.exchanges WHERE valid_to > DATE '2027-01-01') e, sessions(e.exchange, DATE '{FIRST}', DATE '{LAST}') s
            GROUP BY ALL""").fetchall()
    assert {(mic, year) for mic, year, *_ in counted} == {(mic, y) for mic in EXCHANGES for y in range(FIRST.year, LAST.year + 1)}
    assert all(239 <= days <= 258 and covered and late for _, _, days, covered, late in counted)
