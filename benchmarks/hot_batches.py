"""What opening a lake and asking it for work costs as its hot batches grow: four times the batches, how many times the time?

Wall time, medians of five; a ratio of 4 is growth in proportion, less is better.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.made_up import batch
from benchmarks.table import Line, Options, Table, median_seconds
from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.views import prepare
from pipeline.lake.work import due_entries, last_visits, untagged

START, PER_BATCH, FEEDS = datetime(2026, 11, 22, tzinfo=UTC), 30, 50


def fill(lake: Lake, batches: int) -> None:
    """As many batches of the three stages, each with 30 articles and visits to 50 feeds, everything settled."""
    for number in range(batches):
        at = START + timedelta(minutes=5 * number)
        for stage, tables in batch(at, PER_BATCH, FEEDS).items():
            commit(lake, Parcel(BatchRef(batch_id_of(at), stage), tables), Timing(timedelta(0)))


def asked(batches: int) -> dict[str, float]:
    """Milliseconds of each question to a lake of so many batches."""
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        fill(lake, batches)
        with connect(lake.root) as con:
            questions = {
                "opening the lake": lambda: connect(lake.root).close(),
                "last visits": lambda: last_visits(con),
                "due entries": lambda: due_entries(con, START + timedelta(days=9)),
                "untagged versions": lambda: untagged(con),
            }
            return {what: median_seconds(ask) * 1000 for what, ask in questions.items()}


def measure(options: Options) -> Table:
    few, many = (1, 4) if options.tiny else (75, 300)
    before, after = asked(few), asked(many)
    lines = [Line(what=what, figure=ms, unit="ms", peer=before[what], limit=4.0) for what, ms in after.items()]
    title = f"a lake of {many} hot batches of three stages, {PER_BATCH} articles and {FEEDS} visits each, and one of {few}"
    return Table(title=title, against=f"{few} batches", lines=lines)
