"""What closing has moved is deleted in two steps: first old views are told, later the files go."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.lake import connect
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.retire import Rules
from pipeline.lake.views import deleted_through, prepare, turn_away
from tests.lake.test_commit import BATCH
from tests.lake.test_commit import visits as rows_of

OVER = datetime(2026, 11, 24, 6, tzinfo=UTC)
GRACE = DRAIN = timedelta(hours=6)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    made.open_for_writing()
    prepare(made)
    commit(made, Parcel(BATCH, rows_of("a")), Timing(timedelta(0)))
    return made


def closed(lake: Lake, now: datetime) -> int:
    """Directories that a closing at this moment deleted."""
    return close(lake, Timing(timedelta(0), lambda: now), Rules(GRACE, drain=DRAIN), lambda _line: None).retired.directories


def test_who_began_to_read_before_the_mark_reads_on(lake: Lake) -> None:
    old = connect(lake.root)
    assert closed(lake, OVER) == 0
    reading = old.execute("SELECT feed_id FROM lake.visits")
    assert closed(lake, OVER + GRACE) == 0 and deleted_through(lake) == (BATCH.date, None)
    assert reading.fetchall() == [("a",)] and lake.hot(BATCH).exists()
    with pytest.raises(duckdb.Error, match="open the lake again"):
        old.sql("FROM lake.visits").fetchall()
    assert closed(lake, OVER + GRACE + DRAIN - timedelta(seconds=1)) == 0
    assert closed(lake, OVER + GRACE + DRAIN) > 0 and not lake.hot(BATCH).exists()


def test_a_day_that_is_marked_does_not_hold_back_what_was_marked_before(lake: Lake) -> None:
    day = timedelta(days=1)
    commit(lake, Parcel(BatchRef("20261124T014200Z", "pull"), rows_of("b")), Timing(timedelta(0)))
    assert [closed(lake, OVER + n * day) > 0 for n in range(4)] == [False, False, True, True]


def test_views_from_before_a_day_was_closed_are_turned_away_where_a_batch_missed_it(lake: Lake) -> None:
    """Its rows, and those of the work done again, would both be in them."""
    old = connect(lake.root)
    closed(lake, OVER)
    turn_away(lake, BATCH.date, OVER)
    with pytest.raises(duckdb.Error, match="open the lake again"):
        old.sql("FROM lake.visits").fetchall()
    assert closed(lake, OVER + DRAIN - timedelta(seconds=1)) == 0, "what the closing took stays for its time"
    with connect(lake.root) as con:
        assert con.sql("SELECT feed_id FROM lake.visits").fetchall() == [("a",)]
