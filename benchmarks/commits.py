"""How long a commit takes while all stages commit and a closer is at work: median, 95th percentile, longest, in wall time.

Three processes, one a stage, commit 300 batches each of 10 articles, 48 a day on a clock of their own, one straight after the
other; a fourth closes every day that is over and deletes it again. The lake lies in the system's temporary directory (TMPDIR).
"""

import multiprocessing
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.made_up import batch
from benchmarks.table import Line, Options, Table
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import STAGES, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.retire import Rules
from pipeline.lake.views import prepare

START, EVERY, BATCHES, LIMIT_MS = datetime(2026, 10, 1, tzinfo=UTC), timedelta(minutes=30), 300, 50.0


def write(root: Path, stage: str, batches: int, progress: Any, results: Any) -> None:
    """Commits a stage's batches; sends the milliseconds of each."""
    lake, times = Lake(root), []
    for number in range(batches):
        at = START + EVERY * number
        ref, tables = BatchRef(batch_id_of(at), stage), batch(at, 10)[stage]
        with hold(lake, ref, "commit", last=True) as fence:
            began = time.perf_counter()
            assert commit(lake, Parcel(ref, tables), Timing(timedelta(0)), fence)
            times.append((time.perf_counter() - began) * 1000)
        progress[STAGES.index(stage)] = number
    results.put((stage, times))


def close_all(root: Path, batches: int, progress: Any, done: Any) -> None:
    """Closes the days that all stages have left behind, until they are done; sends how many."""
    closed = 0
    while True:
        now = START + EVERY * min(progress)
        closed += len(
            close(Lake(root), Timing(timedelta(0), lambda now=now: now), Rules(timedelta(0)), lambda _line: None).closed
        )
        done.value = closed
        if min(progress) == batches - 1:
            return


def measure(options: Options) -> Table:
    batches = 3 if options.tiny else BATCHES
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        spawn = multiprocessing.get_context("spawn")
        progress, done, results = spawn.Array("i", 3), spawn.Value("i", 0), spawn.Queue()
        writers = [spawn.Process(target=write, args=(lake.root, stage, batches, progress, results)) for stage in STAGES]
        closer = spawn.Process(target=close_all, args=(lake.root, batches, progress, done))
        for process in [*writers, closer]:
            process.start()
        found = dict(results.get() for _ in writers)
        for process in [*writers, closer]:
            process.join()
    every = [ms for times in found.values() for ms in times]
    lines = [Line(what=f"{stage}", figure=statistics.median(found[stage]), unit="ms") for stage in STAGES]
    lines += [
        Line(what="all", figure=statistics.median(every), unit="ms"),
        Line(what="all, 95th percentile", figure=statistics.quantiles(every, n=20)[-1], unit="ms", limit=LIMIT_MS),
        Line(what="all, longest", figure=max(every), unit="ms"),
    ]
    return Table(title=f"{batches} commits of each stage side by side, {done.value} days closed meanwhile", lines=lines)
