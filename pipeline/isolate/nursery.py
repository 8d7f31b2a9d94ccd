"""The nursery and its workers, as the process that has them work sees them."""

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import send_handle
from typing import Any

from pipeline.errors import WorkerKilled

# SIGINT is the parent's to answer: a terminal sends Ctrl-C to the workers as well. The parent's sys.path is taken
# over before anything of ours is imported, as it need not be the one that a fresh interpreter would have.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = sys.argv[5:]; "
    "from pipeline.isolate.inside import raise_workers; "
    "raise_workers(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))"
)


class Nursery:
    """The process that forks workers, seen from the parent; it imports what `call` needs before it forks the first."""

    def __init__(self, seconds: float, memory_mb: int, call: bytes) -> None:
        self.seconds, self.memory_mb = seconds, memory_mb
        self._line, theirs = Pipe()
        with theirs:
            numbers = (str(part) for part in (theirs.fileno(), os.getpid(), seconds, memory_mb))
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *numbers, *sys.path],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # The parent's output may be a protocol, and a library that prints would break it.
                stdout=subprocess.DEVNULL,
            )
        with suppress(OSError):  # it is gone: its first worker says so
            self._line.send_bytes(call)

    def lives(self) -> bool:
        return self._process.poll() is None

    def fork(self, pipe: Connection) -> int:
        """The process id of a new worker at the other end of this pipe; 0 where there is none, as the nursery is gone."""
        try:
            self._line.send(0)
            send_handle(self._line, pipe.fileno(), self._process.pid)
            return int(self._line.recv())
        except (EOFError, OSError):
            return 0

    def end(self, worker: int) -> int:
        """How a worker ended, which is killed where it lives: its exit code, or a signal's number below zero."""
        try:
            self._line.send(worker)
            return int(self._line.recv())
        except (EOFError, OSError):  # it was killed, and all workers with it
            return -signal.SIGKILL

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


class Worker:
    """One worker process, seen from the parent."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self.pipe, theirs = Pipe()
        with theirs:
            self._pid = nursery.fork(theirs)

    def begin(self, call: bytes) -> bool:
        """Sends a call; False where the worker is gone."""
        try:
            self.pipe.send_bytes(call)
        except OSError:
            return False
        return True

    def outcome(self) -> tuple[bool, Any] | WorkerKilled:
        """Whether the call raised, and what it raised or returned."""
        try:
            kind, value = pickle.loads(self.pipe.recv_bytes())  # noqa: S301 - from our own process, no sandbox is meant
        except (EOFError, OSError):
            return WorkerKilled(self._cause_of_death())
        if kind == "memory":
            return WorkerKilled(f"worker passed its limit of {self._nursery.memory_mb} MB")
        return kind == "raised", value

    def _cause_of_death(self) -> str:
        code = self._end()
        seconds, memory_mb = self._nursery.seconds, self._nursery.memory_mb
        if code == -signal.SIGALRM:
            return f"worker passed its limit of {seconds:g} s"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"worker ended {how} (its limits: {seconds:g} s or {memory_mb} MB)"

    def kill(self) -> None:
        self.pipe.close()
        self._end()

    def _end(self) -> int:
        pid, self._pid = self._pid, 0
        return self._nursery.end(pid) if pid else -signal.SIGKILL
