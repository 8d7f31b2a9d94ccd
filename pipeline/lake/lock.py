"""Who is writing a stage: one batch at a time, one attempt at a step of it at a time.

A stage's lock file names its batch and the processes now at work on it, each with a heartbeat. A holder counts as
gone when its heartbeat is old, or at once when it ran on this machine and its process has ended. Between two
tasks of a batch nobody is at work; a lease keeps the stage for the batch meanwhile. Whoever lost the lock (it was held up
for longer than its heartbeat counts) commits nothing: the commit's rename happens behind the fence.
"""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.errors import LakeBusy, LakeError
from pipeline.lake.layout import COMMITTING, BatchRef, Lake
from pipeline.lake.store import store_of

HEARTBEAT = timedelta(seconds=5)
GONE_AFTER = timedelta(seconds=60)
LEASE = timedelta(seconds=90)

Fence = Callable[[], AbstractContextManager[None]]


@contextmanager
def hold(lake: Lake, batch: BatchRef, step: str, *, last: bool = False) -> Iterator[Fence]:
    """Holds the stage for one step of a batch, with a heartbeat; `last` gives the stage up at the end.

    What it gives is a fence: `with fence(): …` runs only while the stage is still held, and nobody can take it meanwhile.

    Raises:
        LakeBusy: another batch, or another attempt at this step, is at work; the message says who.
    """
    path = lake.root / "locks" / f"{batch.stage}.json"

    def take(content: bytes | None) -> bytes:
        state = _living(path, content)
        _refuse(path, state, batch, step)
        return _said(batch, {**state["holders"], step: _self()}, state["lease_until"])

    store_of(path).update(path, take)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, batch, step, stop), daemon=True)
    beat.start()
    clean = False
    try:
        yield lambda: _fenced(path, batch, step)
        clean = True
    finally:
        stop.set()
        beat.join()
        _leave(path, batch, step, last=last, clean=clean)


def _fenced(path: Path, batch: BatchRef, step: str) -> AbstractContextManager[None]:
    def still_ours(content: bytes | None) -> bytes:
        state = _living(path, content)
        if state["batch"] != batch.root or not _is_self(state["holders"].get(step)):
            raise LakeBusy(
                f"{batch.name} {step} lost stage {batch.stage} to somebody else ({_describe(state)}); nothing was committed"
            )
        return _beaten(batch, step, state)

    return store_of(path).fence(path, still_ours)


def refuse_if_held(lake: Lake, stage: str) -> None:
    """Raises LakeBusy where any batch of a stage is at work; the message says who."""
    path = lake.root / "locks" / f"{stage}.json"
    state = _living(path, _content(path))
    if state["batch"]:
        raise _busy(path, state)


def holders(lake: Lake) -> dict[str, str]:
    """Who holds which stage now, in words; only reads.

    Raises:
        LakeError: a lock file is damaged.
    """
    states = {path: _living(path, _content(path)) for path in sorted((lake.root / "locks").glob("*.json"))}
    return {path.stem: _describe(state) for path, state in states.items() if state["batch"]}


def _refuse(path: Path, state: dict[str, Any], batch: BatchRef, step: str) -> None:
    if state["batch"] not in (None, batch.root) or step in state["holders"]:
        raise _busy(path, state)


def _busy(path: Path, state: dict[str, Any]) -> LakeBusy:
    remedy = "wait for it to end, or stop that process: the lock ends with it" if state["holders"] else "try again then"
    return LakeBusy(f"stage {path.stem} of the lake at {path.parents[1]} is being written: {_describe(state)}; {remedy}")


def _describe(state: dict[str, Any]) -> str:
    steps = "; ".join(f"{s} by process {h['pid']} on {h['host']} since {h['since']}" for s, h in sorted(state["holders"].items()))
    return f"batch {state['batch']}, {steps or 'whose next task may still come, until ' + str(state['lease_until'])}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _living(path: Path, content: bytes | None) -> dict[str, Any]:
    """The lock's state without holders that are gone; no batch where none holds it."""
    try:
        state: dict[str, Any] | None = json.loads(b"null" if content is None else content)
    except ValueError as e:
        raise LakeError(f"{path} is damaged ({e}); make sure that nobody writes to this lake, and delete that file") from e
    if state is None:
        return {"batch": None, "holders": {}, "lease_until": None}
    now = datetime.now(UTC)
    state["holders"] = {step: h for step, h in state["holders"].items() if _alive(h, now)}
    if state["lease_until"] is not None and datetime.fromisoformat(state["lease_until"]) <= now:
        state["lease_until"] = None
    if not state["holders"] and state["lease_until"] is None:
        state["batch"] = None
    return state


def _alive(held: dict[str, Any], now: datetime) -> bool:
    if held["where"] == _where():
        return _started(held["pid"]) == held["started"]
    return now - datetime.fromisoformat(held["beat"]) < GONE_AFTER


def _where() -> str:
    """What a process number means something within: this boot of this machine, and this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _is_self(held: dict[str, Any] | None) -> bool:
    return held is not None and (held["where"], held["pid"]) == (_where(), os.getpid())


def _started(pid: int) -> str | None:
    """When a process of this machine started, as far as the system tells; None where it has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "alive"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "alive"
    return None if stat[0] in "ZX" else stat[19]


def _self() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    mine = {"pid": os.getpid(), "host": socket.gethostname(), "where": _where(), "started": _started(os.getpid())}
    return {**mine, "since": now, "beat": now}


def _said(batch: BatchRef, holders: dict[str, Any], lease_until: str | None) -> bytes:
    return json.dumps({"batch": batch.root, "holders": holders, "lease_until": lease_until}, indent=1).encode()


def _beaten(batch: BatchRef, step: str, state: dict[str, Any]) -> bytes:
    state["holders"][step]["beat"] = datetime.now(UTC).isoformat(timespec="seconds")
    return _said(batch, state["holders"], state["lease_until"])


def _beat(path: Path, batch: BatchRef, step: str, stop: threading.Event) -> None:
    """Tells again and again that the step is at work; where it cannot (a full disk), the fence will notice what follows."""

    def beat(content: bytes | None) -> bytes | None:
        state = _living(path, content)
        if state["batch"] != batch.root or not _is_self(state["holders"].get(step)):
            stop.set()
            return content
        return _beaten(batch, step, state)

    while not stop.wait(HEARTBEAT.total_seconds()):
        with suppress(OSError, LakeError):
            store_of(path).update(path, beat)


def _leave(path: Path, batch: BatchRef, step: str, *, last: bool, clean: bool) -> None:
    """Takes the step's name out; the stage stays the batch's for a while if it ended well and was not the last."""

    def leave(content: bytes | None) -> bytes | None:
        state = _living(path, content)
        if state["batch"] != batch.root:
            return content
        others = {s: h for s, h in state["holders"].items() if s != step}
        lease = state["lease_until"]
        if clean and not last and not others:
            lease = (datetime.now(UTC) + LEASE).isoformat(timespec="seconds")
        return _said(batch, others, lease) if others or (lease and not last) else None

    store_of(path).update(path, leave)


@contextmanager
def guarded(lake: Lake, *names: str, patience: timedelta | None = None) -> Iterator[None]:
    """Does something that must not happen twice at once, or while these stages commit; never inside another guard of the same."""
    with ExitStack() as guards:
        for name in names:
            path = lake.root / "locks" / f"{name}.json"
            guards.enter_context(store_of(path).guard(path, patience))
        yield


def nobody_commits(lake: Lake) -> AbstractContextManager[None]:
    """Holds every commit back, for the moment in which the watermark moves."""
    return guarded(lake, *COMMITTING)
