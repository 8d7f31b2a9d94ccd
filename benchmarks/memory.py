"""Peak memory of a batch of 5,000 pages, from bytes to committed rows: of the process and its workers together.

The process tree is looked at five times a second, and the proportional set sizes (PSS) of its processes are added up: resident
memory in which a page that several share, as of libraries, counts once and not in each of them.
"""

import tempfile
import threading
from pathlib import Path

import psutil

from benchmarks.cpu import apart, ours
from benchmarks.offline import made_up, of_directory
from benchmarks.table import Line, Options, Table
from pipeline.lake.layout import STAGES

PAGES, LIMIT_MB, EVERY_S = 5000, 600, 0.2


class Watch:
    """The most memory seen while a stage is at work, in MB by stage."""

    def __init__(self) -> None:
        self.peaks: dict[str, float] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, kind: str, stage: str, pid: int) -> None:
        if kind == "begins":
            self._over.clear()
            self._thread = threading.Thread(target=self._look, args=(stage, psutil.Process(pid)))
            self._thread.start()
        elif self._thread:
            self._over.set()
            self._thread.join()

    def _look(self, stage: str, process: psutil.Process) -> None:
        while not self._over.is_set():
            self.peaks[stage] = max(self.peaks.get(stage, 0.0), _resident(process) / 1e6)
            self._over.wait(EVERY_S)


def _resident(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # a worker that has just ended
            continue
    return total


def measure(options: Options) -> Table:
    watch = Watch()
    with tempfile.TemporaryDirectory() as place:
        source = of_directory(Path(place), options.pages) if options.pages else made_up(Path(place), 6 if options.tiny else PAGES)
        apart(ours, source, watch)
        count = len(source.pages())
    lines = [Line(what=stage, figure=watch.peaks[stage], unit="MB", limit=LIMIT_MB) for stage in STAGES]
    return Table(title=f"peak memory of one batch of {count} pages of {options.pages or 'the generator'}", lines=lines)
