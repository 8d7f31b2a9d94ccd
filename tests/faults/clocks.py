"""Those who meet or miss each other: two closers, clocks that disagree, writers that are stopped at the worst moment."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from pipeline.errors import LakeBusy
from pipeline.lake import close
from pipeline.lake.store import directory
from tests.faults import readers
from tests.faults.world import TOLERANCE, Ended, Unit, World

HALF = TOLERANCE.total_seconds() / 2


def races(world: World, cases: int) -> None:
    """Two writers and two closers at once, their clocks apart, one of them killed at any moment."""
    readers.start(world)
    for _ in range(cases):
        units = [world.new_unit(stage) for stage in ("pull", "tag")]
        units += units[:1] if world.random.random() < 0.3 else []  # a task that runs twice at once
        running = [world.child(_delivery(world, u), wait=False, skew=world.random.choice((-HALF, HALF))) for u in units]
        if world.random.random() < 0.7:  # the day is over for those who are at work
            time.sleep(world.random.uniform(0, 0.25))
            world.to_next_closing()
        running += [world.child(_or_busy(world.close), wait=False, skew=s) for s in (-HALF, HALF)]
        if world.random.random() < 0.7:
            time.sleep(world.random.uniform(0, 0.4))
            os.kill(world.random.choice(running).pid, signal.SIGKILL)
        for unit, child in zip([*units, None, None], running, strict=True):
            ended = world.wait(child)
            if ended.how != "killed":
                _busy_or(world, "race", ended)
            if unit and ended.how == "ok" and ended.value:
                world.acknowledge(unit, ended)
            world.cases["two closers"] += unit is None
            world.cases["kill: any moment"] += ended.how == "killed"
        for unit in units:
            if unit.number not in world.acknowledged:
                world.acknowledge(unit, world.expect("repeated", world.child(_delivery(world, unit))))
    world.expect("recovery", world.child(world.recover))


def apart(world: World, cases: int) -> None:
    """The closer's clock is hours or a day ahead of all others: late work lands under derived ids, and nothing is lost."""
    readers.start(world)
    for n in range(cases):
        units = [world.new_unit() for _ in range(3)]
        early, late = units[0], units[1:]
        skew = world.random.choice((-HALF, HALF))
        world.acknowledge(early, world.expect("before", world.child(_delivery(world, early), skew=skew)))
        ahead = (26, 31, 3)[n % 3] * 3600.0
        closer = world.child(_paused(world), wait=False, skew=ahead)
        if _stops(closer):  # it has a list of what it will close; a batch of that day comes now
            meanwhile = late.pop(0)
            world.acknowledge(meanwhile, world.expect("meanwhile", world.child(_delivery(world, meanwhile))))
            os.kill(closer.pid, signal.SIGCONT)
            world.cases["day closed under a batch"] += 1
        world.expect("closer ahead", world.wait(closer))
        for unit in late:
            world.acknowledge(unit, world.expect("after", world.child(_delivery(world, unit), skew=-skew)))
        world.cases["clocks apart"] += 1
        world.clock.advance(world.clock() + timedelta(hours=world.random.choice((1, 9, 20))))
    world.expect("recovery", world.child(world.recover))


def stopped(world: World, cases: int) -> None:
    """A writer is stopped between its check and its rename, for longer than its lead: a correction is due."""
    readers.start(world)
    for n in range(cases):
        unit = world.new_unit()
        child = world.child(_held_up(world, unit), wait=False)
        if not _stops(child):
            world.failures.append(f"{unit.batch.name}: a writer that was to be stopped was not")
            return
        if world.random.random() < 0.5:
            time.sleep(0.9)
        else:
            world.clock.advance(world.clock() + timedelta(seconds=world.random.choice((1, 600))))
        os.kill(child.pid, signal.SIGCONT)
        world.acknowledge(unit, world.expect("stopped", world.wait(child)))
        if not any(world.lake.root.glob(f"hot/date=*/{unit.batch.name}.late1")):
            world.failures.append(f"{unit.batch.name} was stopped before its rename and has no correction")
        world.cases["stopped writer"] += 1
        if n % 3 == 2:
            world.to_next_closing()
            world.expect("close", world.child(world.close))


def passed_over(world: World, cases: int) -> None:
    """Where the file system has no locks, a day closes between a writer's check and its rename: done again, under `.2`."""
    readers.start(world)
    for n in range(cases):
        before, unit = world.new_unit(), world.new_unit()
        world.acknowledge(before, world.expect("before", world.child(_delivery(world, before))))
        world.unlocked.add(unit.number)
        dies = n % 2 == 1
        child = world.child(_held_up(world, unit, locks=False, dies=dies), wait=False)
        if not _stops(child):
            world.failures.append(f"{unit.batch.name}: a writer that was to be stopped was not")
            return
        world.to_next_closing()
        world.expect("close", world.child(world.close))
        os.kill(child.pid, signal.SIGCONT)
        ended = world.wait(child)
        if dies:
            recovered = world.expect("recovery", world.child(world.recover))
            world.acknowledge(unit, recovered)
        else:
            world.acknowledge(unit, world.expect("passed over", ended))
        if not any(world.lake.root.glob(f"hot/date=*/{unit.batch.batch_id}.[23]-*")):
            world.failures.append(f"{unit.batch.name}: its day closed without it, and it was not done again")
        world.cases["day closed under a writer"] += 1
    world.expect("recovery", world.child(world.recover))


def _delivery(world: World, unit: Unit) -> Callable[[], float | None]:
    return _or_busy(lambda: world.deliver(unit))


def _or_busy(work: Callable[[], float | None]) -> Callable[[], float | None]:
    """Work that finds somebody else at it comes back a little later, as a task's retry does."""

    def patient() -> float | None:
        for _ in range(200):
            with suppress(LakeBusy):
                return work()
            time.sleep(0.05)
        return work()

    return patient


def _busy_or(world: World, what: str, ended: Ended) -> None:
    if not (ended.how == "error" and str(ended.value).startswith("LakeBusy")):
        world.expect(what, ended)


def _held_up(world: World, unit: Unit, *, locks: bool = True, dies: bool = False) -> Callable[[], float]:
    """A delivery that stops itself after the check, just before its rename; and dies just after it, if it shall."""
    rename = directory.Renamed.place

    def place(brought: directory.Renamed) -> bool:
        if "hot" in brought.path.parts and ".late" not in brought.path.name and not getattr(place, "done", False):
            place.done = True  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGSTOP)
            placed = rename(brought)
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)
            return placed
        return rename(brought)

    def deliver() -> float:
        directory.Renamed.place = place  # type: ignore[method-assign]
        if not locks:
            directory.fcntl = SimpleNamespace(flock=lambda *_: None, LOCK_EX=0, LOCK_NB=0)
        return world.deliver(unit)

    return deliver


def _paused(world: World) -> Callable[[], Any]:
    """A closing that stops itself when it has merged what it found, before it looks whether more has come."""
    merge = close._merge_day

    def merge_day(*args: Any) -> Any:
        merged = merge(*args)
        close._merge_day = merge
        os.kill(os.getpid(), signal.SIGSTOP)
        return merged

    def work() -> Any:
        close._merge_day = merge_day
        return world.close()

    return work


def _stops(child: Ended) -> bool:
    """Waits until a child has stopped itself; False where it has ended, which it still tells then."""
    while not (state := os.waitid(os.P_PID, child.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)):
        pass
    return state.si_code == os.CLD_STOPPED
