"""What opening a lake and asking it for work costs as its hot batches grow: four times the batches, how many times the time?

    .venv/bin/python benchmarks/hot_batches.py

Prints medians of five and the ratios; a ratio of 4 is growth in proportion, less is better.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.made_up import batch
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


def median_ms(act: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(batches: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        fill(lake, batches)
        with connect(lake.root) as con:
            return {
                "connect": median_ms(lambda: connect(lake.root).close()),
                "last visits": median_ms(lambda: last_visits(con)),
                "due entries": median_ms(lambda: due_entries(con, START + timedelta(days=9))),
                "untagged": median_ms(lambda: untagged(con)),
            }


if __name__ == "__main__":
    few, many = measure(75), measure(300)
    for what, ms in many.items():
        print(f"{what:12s} {few[what]:7.1f} ms with 75 batches, {ms:7.1f} ms with 300: {ms / few[what]:.1f} times")
