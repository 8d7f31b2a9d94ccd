"""Who is writing a stage: one batch at a time, one attempt at a step of it at a time.

A stage's lock file names its batch and the processes now at work on it, each with a heartbeat. A holder counts as
gone when its heartbeat is old, or at once when it ran on this machine and its process has ended. Between two
tasks of a batch nobody is at work; a lease keeps the stage for the batch meanwhile. Losing the lock never costs rows:
what a batch may add is decided again when it is committed, against all that was committed before.
"""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.errors import LakeBusy
from pipeline.lake.durable import make_dirs, write_file
from pipeline.lake.layout import BatchRef, Lake

HEARTBEAT = timedelta(seconds=5)
GONE_AFTER = timedelta(seconds=60)
LEASE = timedelta(seconds=90)


@contextmanager
def hold(lake: Lake, batch: BatchRef, step: str, *, last: bool = False) -> Iterator[None]:
    """Holds the stage for one step of a batch, with a heartbeat; `last` gives the stage up at the end.

    Raises:
        LakeBusy: another batch, or another attempt at this step, is at work; the message says who.
    """
    path = lake.root / "locks" / f"{batch.stage}.json"
    make_dirs(path.parent)
    with _guarded(path):
        state = _living(path)
        _refuse(path, state, batch, step)
        holders = state["holders"] if state["batch"] == batch.root else {}
        _write(path, batch, {**holders, step: _self()}, None)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, batch, step, stop), daemon=True)
    beat.start()
    clean = False
    try:
        yield
        clean = True
    finally:
        stop.set()
        beat.join()
        _leave(path, batch, step, lease=not last and clean)


def refuse_if_held(lake: Lake, stage: str) -> None:
    """Raises LakeBusy where any batch of a stage is at work; the message says who."""
    path = lake.root / "locks" / f"{stage}.json"
    make_dirs(path.parent)
    with _guarded(path):
        state = _living(path)
    if state["batch"]:
        raise _busy(path, state)


def _refuse(path: Path, state: dict[str, Any], batch: BatchRef, step: str) -> None:
    if state["batch"] not in (None, batch.root) or step in state["holders"]:
        raise _busy(path, state)


def _busy(path: Path, state: dict[str, Any]) -> LakeBusy:
    return LakeBusy(
        f"stage {path.stem} of the lake at {path.parents[1]} is being written: {_describe(state)}; "
        f"wait for it to end, or stop that process: the lock ends with it"
    )


def _describe(state: dict[str, Any]) -> str:
    steps = "; ".join(f"{s} by process {h['pid']} on {h['host']} since {h['since']}" for s, h in sorted(state["holders"].items()))
    return f"batch {state['batch']}, {steps or 'between two steps, kept until ' + str(state['lease_until'])}"


def _living(path: Path) -> dict[str, Any]:
    """The lock's state without holders that are gone; no batch where none holds it."""
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {"batch": None, "holders": {}, "lease_until": None}
    now = datetime.now(UTC)
    state["holders"] = {step: h for step, h in state["holders"].items() if _alive(h, now)}
    leased = state["lease_until"] is not None and now < datetime.fromisoformat(state["lease_until"])
    if not state["holders"] and not leased:
        state["batch"] = None
    return state


def _alive(held: dict[str, Any], now: datetime) -> bool:
    if held["host"] == socket.gethostname():
        return _started(held["pid"]) == held["started"]
    return now - datetime.fromisoformat(held["beat"]) < GONE_AFTER


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
    return {"pid": os.getpid(), "host": socket.gethostname(), "started": _started(os.getpid()), "since": now, "beat": now}


def _write(path: Path, batch: BatchRef, holders: dict[str, Any], lease_until: str | None) -> None:
    write_file(path, json.dumps({"batch": batch.root, "holders": holders, "lease_until": lease_until}, indent=1).encode())


def _beat(path: Path, batch: BatchRef, step: str, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT.total_seconds()):
        with _guarded(path):
            state = _living(path)
            if state["batch"] != batch.root or state["holders"].get(step, {}).get("pid") != os.getpid():
                return
            state["holders"][step]["beat"] = datetime.now(UTC).isoformat(timespec="seconds")
            _write(path, batch, state["holders"], state["lease_until"])


def _leave(path: Path, batch: BatchRef, step: str, *, lease: bool) -> None:
    with _guarded(path):
        state = _living(path)
        if state["batch"] != batch.root:
            return
        others = {s: h for s, h in state["holders"].items() if s != step}
        if others:
            _write(path, batch, others, state["lease_until"])
        elif lease:
            _write(path, batch, {}, (datetime.now(UTC) + LEASE).isoformat(timespec="seconds"))
        else:
            path.unlink()


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Reading and replacing the lock file is one step: a lock of the system that ends with its process guards it."""
    with (path.parent / f".{path.stem}.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
