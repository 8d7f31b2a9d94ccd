"""Faults aimed at every step: kill -9 before or after it, or the call failing, once or for good, or written by half."""

import errno
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults import readers
from tests.faults.inject import FAIL, FAIL_FOR_GOOD, KILL_AFTER, KILL_BEFORE, SHORT_WRITE, Plan
from tests.faults.world import Ended, Unit, World

#: To die before any other call is to die after the change before it.
CHANGES = ("create", "write", "pwrite", "fsync", "ftruncate", "mkdir", "rename", "replace", "unlink", "flock")
#: What a step belongs to, by its path; the first that fits.
PARTS = {
    "lock": r" /locks/(?!\.news)",
    "news.duckdb": r"news",
    "month": r"/month=|/closed/\.?#\.json",
    "deletion": r"doomed|/\.?deleted|unlink /hot/date=#$",
    "closing": r"/cold/|/closed/|watermark|\.close",
    "commit": r"",
}


@dataclass(frozen=True, slots=True)
class Means:
    """One way to disturb a step, and the calls at which it makes sense."""

    name: str
    actions: tuple[int, ...]
    calls: tuple[str, ...] = CHANGES
    error: int = errno.EIO


KILL = (Means("kill", (KILL_BEFORE, KILL_AFTER)),)
_SPACE = ("create", "write", "pwrite", "ftruncate", "mkdir", "rename", "replace", "fsync")
FAILURES = (
    Means("EIO once", (FAIL,), ("",)),
    Means("EIO for good", (FAIL_FOR_GOOD,), ("",)),
    Means("ENOSPC once", (FAIL,), _SPACE, errno.ENOSPC),
    Means("ENOSPC for good", (FAIL_FOR_GOOD,), _SPACE, errno.ENOSPC),
    Means("short write", (SHORT_WRITE,), ("write", "pwrite")),
)


class Aim:
    """Chooses, of all steps that work of a kind takes and all means, a pair that has been tried least."""

    def __init__(self, world: World, means: tuple[Means, ...]) -> None:
        self._world, self._means = world, means
        self._steps: dict[str, list[str]] = {}
        self.tried: Counter[str] = Counter()

    def plan(self, kind: str) -> tuple[str, Plan]:
        """The name of a fault and where it strikes; a plan to count while it is not known what steps there are."""
        steps = self._steps.get(kind, [])
        aims = [(m, at, s) for at, s in enumerate(steps, 1) for m in self._means if s.startswith(m.calls)]
        if not aims:
            return "", Plan()
        least = min(self.tried[f"{m.name} {kind} {s}"] for m, _, s in aims)
        chosen = [aim for aim in aims if self.tried[f"{aim[0].name} {kind} {aim[2]}"] == least]
        means, at, step = self._world.random.choice(chosen)
        self.tried[f"{means.name} {kind} {step}"] += 1
        return means.name, Plan(at, self._world.random.choice(means.actions), means.error)

    def learn(self, kind: str) -> None:
        """Remembers the steps of work that nothing disturbed."""
        self._steps[kind] = self._world.steps.made()


def kills(world: World, cases: int) -> None:
    """Every commit, closing and recovery killed again and again, until there were so many kills."""
    _days(world, Aim(world, KILL), cases)


def failing_calls(world: World, cases: int) -> None:
    """Every call of commit, closing and recovery fails: an error or success, never a wrong lake, and a retry succeeds."""
    _days(world, Aim(world, FAILURES), cases)


def _days(world: World, aim: Aim, cases: int) -> None:
    readers.start(world)
    while world.cases.total() < cases and not world.failures:
        for _ in range(world.random.randint(2, 4)):
            _deliver(world, aim, world.new_unit())
        world.to_next_closing()
        _until_done(world, aim, "close", world.close, times=world.random.randint(4, 10))
    world.expect("recovery", world.child(world.recover))


def _deliver(world: World, aim: Aim, unit: Unit) -> None:
    """A batch whose tasks are disturbed, and either repeated or brought to their end by the next run."""
    kind = f"{unit.stage}{' kept' if unit.kept else ''}"
    for _ in range(world.random.randint(1, 5)):
        ended = _disturbed(world, aim, kind, lambda: world.deliver(unit))
        world.acknowledge(unit, ended)
        if ended.how == "ok":
            return
        if world.random.random() < 0.25:
            durable = world.is_durable(unit)
            recovered = _until_done(world, aim, "recovery", world.recover, times=world.random.randint(0, 3))
            if durable:
                world.acknowledge(unit, recovered)
    world.acknowledge(unit, world.expect(kind, world.child(lambda: world.deliver(unit), Plan())))
    aim.learn(kind)


def _until_done(world: World, aim: Aim, kind: str, work: Callable[[], Any], times: int) -> Ended:
    """Work that is disturbed some times and then left alone."""
    for _ in range(times):
        ended = _disturbed(world, aim, kind, work)
        if ended.how == "ok":
            return ended
    ended = world.expect(kind, world.child(work, Plan()))
    aim.learn(kind)
    return ended


def _disturbed(world: World, aim: Aim, kind: str, work: Callable[[], Any]) -> Ended:
    fault, plan = aim.plan(kind)
    ended = world.child(work, plan)
    if ended.how == "hung":
        world.failures.append(f"{kind} hung after {fault} at {ended.step}")
    elif ended.step:
        parts = (name for name, pattern in PARTS.items() if re.search(pattern, ended.step))
        part = "recovery" if kind == "recovery" else next(parts)
        world.cases[f"kill: {part}" if ended.how == "killed" else f"call fails: {fault}"] += 1
    elif ended.how == "ok":
        aim.learn(kind)
    else:
        world.expect(kind, ended)
    return ended
