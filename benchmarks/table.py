"""What a benchmark found, as a table: medians, what they are held against, ratios, limits, and whether those are kept."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a benchmark may be told: to run in a second or two and measure nothing, or on what."""

    tiny: bool = False
    pages: Path | None = None
    days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure, a median where `what` names nothing else. The limit is on the ratio where there is a peer, else on the figure.

    `unit` is that of `figure` and `peer`; `peer` was measured in the same run.
    """

    what: str
    figure: float
    unit: str
    peer: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """To the peer, else to the limit."""
        under = self.limit if self.peer is None else self.peer
        return self.figure / under if under else None

    @property
    def kept(self) -> bool | None:
        """None where there is no limit."""
        if self.limit is None:
            return None
        return (self.figure if self.peer is None else self.ratio or 0.0) <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The figures of one benchmark, and what they were measured on."""

    title: str
    lines: Sequence[Line]
    against: str = ""  # who the peer is

    @property
    def kept(self) -> bool:
        return all(line.kept is not False for line in self.lines)


def as_text(table: Table) -> str:
    """The table for people."""
    width = max(len(line.what) for line in table.lines)
    head = f"{'':{width}} {'median':>14} {table.against or 'against':>14} {'ratio':>7} {'limit':>8}"
    return "\n".join([table.title, head.rstrip(), *(_row(line, width) for line in table.lines)])


def _row(line: Line, width: int) -> str:
    cells = [
        f"{_number(line.figure)} {line.unit}".rstrip(),
        "" if line.peer is None else f"{_number(line.peer)} {line.unit}".rstrip(),
        "" if line.ratio is None else f"{line.ratio:.3f}",
        "" if line.limit is None else f"{line.limit:g}",
    ]
    said = {None: "", True: "kept", False: "NOT KEPT"}[line.kept]
    row = " ".join(f"{cell:>{w}}" for cell, w in zip(cells, (14, 14, 7, 8), strict=True))
    return f"{line.what:{width}} {row} {said}".rstrip()


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def as_json(table: Table) -> str:
    """The table on one line for programs."""
    lines = [{**asdict(line), "ratio": line.ratio, "kept": line.kept} for line in table.lines]
    return json.dumps({"title": table.title, "against": table.against or None, "kept": table.kept, "lines": lines})


def median_seconds(act: Callable[[], object], times: int = 5) -> float:
    """Of wall time."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
