"""From the bytes of feeds and pages to committed rows: CPU of every stage against trafilatura alone on the same pages.

No network: the bytes lie in the lake as kept bodies before a batch begins, as after a crash. Everything from there on is what
`newsmill run` does: parsing, reading, settling, tagging, three commits. Each round runs in a fresh process, in turn with one
in which trafilatura alone (`bare_extraction`, its defaults, with metadata) reads the same files; the CPU counted is that of
the process and of its workers, from the first line after its imports on, a worker's start and imports included. What a batch
costs whatever its size is seen in a batch of six pages.
"""

import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.alone import cpu, trafilatura_alone
from benchmarks.offline import Source, keep_feeds, keep_pages, made_up, of_directory, settings_for
from benchmarks.table import Line, Options, Table
from pipeline.lake.layout import STAGES, BatchRef, Lake, batch_id_of
from pipeline.lake.views import prepare
from pipeline.run import settle, work_shard

LIMIT = 1.5
PAGES, SMALL, ROUNDS = 300, 6, 5


def ours(source: Source, results: Connection) -> None:
    """A batch of every stage into a new lake; sends seconds of CPU by stage, and what came of it."""
    import pipeline.read.page  # noqa: F401 - trafilatura's process has imported it as well before its clock starts

    with tempfile.TemporaryDirectory() as place:
        settings = settings_for(source, Path(place) / "lake")
        lake = Lake(settings.lake)
        lake.open_for_writing()
        prepare(lake)
        batch_id, seconds, counts = batch_id_of(datetime.now(UTC)), {}, {}
        for stage in STAGES:
            batch = BatchRef(batch_id, stage)
            if stage == "pull":
                keep_feeds(source, settings, batch)
            elif stage == "read":
                keep_pages(source, settings, batch)
            results.send(("begins", stage))
            results.recv()
            began = cpu()
            work_shard(settings, stage, batch_id, 0, _silent)
            counts[stage] = settle(settings, stage, batch_id, _silent).counts
            seconds[stage] = cpu() - began
            results.send(("ends", stage))
            results.recv()
        results.send(("done", (seconds, counts)))


def apart(act: Callable[[Any, Connection], None], given: Any, watch: Callable[[str, str, int], None] | None = None) -> Any:
    """What a function sends at its end from a fresh process; `watch` hears what begins and ends in which process."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=act, args=(given, there))
    process.start()
    there.close()
    try:
        while True:
            kind, value = here.recv()
            if kind == "done":
                return value
            if watch and process.pid:
                watch(kind, value, process.pid)
            here.send(None)
    finally:
        process.join()


def measure(options: Options) -> Table:
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as small_place:
        small = made_up(Path(small_place), SMALL)
        source = (
            small if options.tiny else of_directory(Path(place), options.pages) if options.pages else made_up(Path(place), PAGES)
        )
        rounds = []
        for _ in range(1 if options.tiny else ROUNDS):
            whole, alone_s = apart(ours, source), apart(trafilatura_alone, source.files())
            rounds.append((whole, alone_s, whole if options.tiny else apart(ours, small)))
        count = len(source.files())
    (_, counts), _, _ = rounds[0]
    alone = statistics.median(seconds for _, seconds, _ in rounds)
    lines = [Line(what=s, figure=statistics.median(o[s] for (o, _), _, _ in rounds), unit="s", peer=alone) for s in STAGES]
    # the median of the rounds' ratios: what else runs on the machine weighs on both sides of a round
    ratio = statistics.median(sum(o.values()) / seconds for (o, _), seconds, _ in rounds)
    lines.append(Line(what="all of it", figure=ratio * alone, unit="s", peer=alone, limit=LIMIT))
    least = statistics.median(sum(o.values()) for _, _, (o, _) in rounds)
    lines.append(Line(what=f"a batch of {SMALL} pages", figure=least, unit="s"))
    if count > SMALL:
        further = (ratio * alone - least) / (count - SMALL)
        lines.append(Line(what="each further page", figure=further * 1000, unit="ms", peer=alone / count * 1000))
    told = f"{count} pages of {options.pages or 'the generator'}, {counts['tag']['came_in']} versions tagged"
    return Table(
        title=f"CPU from bytes to committed rows: {told}, {len(rounds)} rounds in turn", against="trafilatura", lines=lines
    )


def _silent(_line: str) -> None:
    """Says nothing."""
