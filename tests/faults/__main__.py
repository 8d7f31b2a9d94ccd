"""Runs all faults against lakes of their own and says what came of it: `python -m tests.faults --seed 7`, `make faults`.

`--only kills:3` repeats one case: the same seed gives the same batches, days and faults; only what readers meet differs.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults import clocks, disk_full, power_cut, steps
from tests.faults.history import KINDS, check, counted, story
from tests.faults.inject import preload, reaches_libc
from tests.faults.world import World, warm_up

Fault = Callable[[World, int], None]
#: What is done, on how many lakes, and how many cases on each; in the short form.
FAULTS: dict[str, tuple[Fault, tuple[int, int], tuple[int, int]]] = {
    "kills": (steps.kills, (8, 125), (1, 10)),
    "calls": (steps.failing_calls, (5, 100), (1, 8)),
    "power": (power_cut.cuts, (3, 36), (1, 6)),
    "races": (clocks.races, (2, 24), (1, 2)),
    "apart": (clocks.apart, (2, 14), (1, 2)),
    "stopped": (clocks.stopped, (2, 10), (1, 2)),
    "passed": (clocks.passed_over, (2, 8), (1, 2)),
    "full": (disk_full.full, (2, 24), (1, 3)),
}
NO_COMPILER = "; no C compiler: only Python's own steps on the disk are reached, and no power is cut"
WANTED = {"kills": 1000, "reads": 10_000}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)), help="what all chance follows from")
    parser.add_argument("--only", help="one kind, or one case of it such as kills:3")
    parser.add_argument("--short", action="store_true", help="some of each, for the test suite")
    parser.add_argument("--keep", action="store_true", help="leave the lakes where they are")
    asked = parser.parse_args()
    preload()
    warm_up()
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"seed {asked.seed}" + ("" if reaches_libc() else NO_COMPILER))
    total: Counter[str] = Counter()
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for case in _cases(asked):
            kind = case.partition(":")[0]
            cases = FAULTS[kind][2 if asked.short else 1][1]
            bar = progress.add_task(case, total=cases)
            total += _run(case, cases, asked, console, lambda done, bar=bar: progress.update(bar, completed=done))  # type: ignore[misc]
            progress.remove_task(bar)
    return _told(total, console, WANTED if not (asked.short or asked.only) else {})


def _cases(asked: argparse.Namespace) -> list[str]:
    every = [f"{kind}:{n + 1}" for kind, sizes in FAULTS.items() for n in range(sizes[2 if asked.short else 1][0])]
    found = [case for case in every if asked.only in (None, case, case.partition(":")[0])]
    if not found:
        raise SystemExit(f"no case {asked.only!r}; there are {', '.join(every)}")
    return found


def _run(case: str, cases: int, asked: argparse.Namespace, console: Console, tick: Callable[[int], None]) -> Counter[str]:
    """One lake and its faults, checked; what was counted."""
    began = time.monotonic()
    grace = timedelta(hours=6 if int(case.rpartition(":")[2]) % 2 else 40)
    world = World(case, asked.seed, grace)
    world.tick = tick
    try:
        FAULTS[case.partition(":")[0]][0](world, cases)
        history = world.history()
        found = check(history)
        counts = counted(history) + Counter(v.kind for v in found) + world.cases
        counts["reads"] += world.reads
        counts["failures"] = len(world.failures)
        console.print(f"{case}: {world.cases.total()} faults, {counts['reads']} reads, {time.monotonic() - began:.0f} s")
        for told in [*world.failures[:3], *(story(history, v) for v in found[:3])]:
            console.print(f"[red]FAILED[/] {case} of seed {asked.seed}", told, sep="\n", markup=True)
        if found or world.failures:
            console.print(f"again: make faults SEED={asked.seed} ONLY={case}" + (" (short)" if asked.short else ""))
        return counts
    finally:
        if not asked.keep:
            world.remove()


def _told(total: Counter[str], console: Console, wanted: dict[str, int]) -> int:
    """The table at the end; 1 where anything was found, or too little was tried."""
    wrong = {kind: total.pop(kind, 0) for kind in (*KINDS, "failures")}
    reads = {kind: total.pop(kind, 0) for kind in ("reads", "outdated", "overlong")}
    kills = sum(n for kind, n in total.items() if kind.startswith("kill"))
    table = Table("what", "how many", title="faults")
    for name, count in (*reads.items(), ("kills", kills), *sorted(total.items())):
        table.add_row(name, f"{count:,}")
    table.add_section()
    for name, count in wrong.items():
        table.add_row(name, f"[{'red' if count else 'green'}]{count}[/]")
    console.print(table)
    few = {name for name, least in wanted.items() if {"kills": kills, **reads}[name] < least}
    if few:
        console.print(f"too few {' and '.join(sorted(few))}: at least {wanted} are wanted")
    return 1 if few or any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
