"""Runs functions on untrusted input in worker processes that can be killed: at a limit of time, of memory, or with us.

Both feedparser and extraction can be made to spin for tens of seconds, some of it in C, where no exception arrives.

A worker is a fresh interpreter, not a child of `multiprocessing` (nor of a pool built on it), for three reasons.
Forking a process that has threads can deadlock, and both spawn and forkserver import the parent's main module again,
which inside an Airflow task is Airflow itself. A daemonic process, as some executors use, may have no such children.
And each worker has a pipe of its own, so that the end of one says for certain which call it was in.
"""

import ctypes
import os
import pickle
import resource
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.errors import WorkerFailed, WorkerKilled

T = TypeVar("T")
Thing = TypeVar("Thing")

#: Calls begun or ended ahead of the one whose result is asked for, per worker.
_LOOK_AHEAD = 4

# SIGINT is the parent's to answer: a terminal sends Ctrl-C to the workers as well. The parent's sys.path is taken
# over before anything of ours is imported, as it need not be the one that a fresh interpreter would have.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = sys.argv[5:]; "
    "from pipeline.isolate import serve; serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))"
)


def attempt(call: Callable[[], T]) -> T | WorkerFailed:
    """`call()`, or as a value what it raised: for `Workers.map`, where one bad page must not stop the others."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever a stranger's page provokes ends in an outcome that names it
        place = traceback.extract_tb(error.__traceback__)[-1]
        return WorkerFailed(f"internal: {type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})")


class Workers:
    """Up to `count` worker processes; each call may take `seconds` of wall time and `memory_mb` of memory.

    Workers start when they are first needed and end with the `with` block. On Linux they also end with the thread
    that started them, so call `map` from a thread that outlives its use.
    """

    def __init__(self, count: int = 2, seconds: float = 20.0, memory_mb: int = 2048) -> None:
        self._count, self._seconds, self._memory_mb = count, seconds, memory_mb
        self._idle: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop().kill()

    def attempt_each(
        self, things: Iterable[tuple[Thing, Callable[[], T] | None]]
    ) -> Iterator[tuple[Thing, T | WorkerFailed | WorkerKilled | None]]:
        """Yields each thing with what its call gives, as a stream; what has no call comes, with None, before the next."""
        without: deque[Thing] = deque()
        called: deque[Thing] = deque()

        def calls() -> Iterator[tuple[Callable[[], T]]]:
            for thing, call in things:
                if call is None:
                    without.append(thing)
                else:
                    called.append(thing)
                    yield (call,)

        for answer in self.map(attempt, calls()):
            while without:
                yield without.popleft(), None
            yield called.popleft(), answer
        while without:
            yield without.popleft(), None

    def map(self, fn: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> Iterator[T | WorkerKilled]:
        """Yields fn(*args) for each args, in their order, and a WorkerKilled for each call that passed a limit.

        Other exceptions of `fn` are raised here: they are bugs. `calls` is read a few items ahead of the results,
        so it must not wait for one of them. `fn` and what it takes and returns must be importable and picklable.
        """
        waiting = enumerate(calls)
        running: dict[object, tuple[int, _Worker]] = {}
        ended: dict[int, T | WorkerKilled] = {}
        begun = given = 0
        try:
            while True:
                while len(running) < self._count and begun - given < _LOOK_AHEAD * self._count:
                    number, args = next(waiting, (-1, ()))
                    if number < 0:
                        break
                    worker = self._begin(fn, args)
                    running[worker.pipe] = number, worker
                    begun += 1
                if given in ended:
                    yield ended.pop(given)
                    given += 1
                elif running:
                    for pipe in wait([worker.pipe for _, worker in running.values()]):
                        number, worker = running.pop(pipe)
                        ended[number] = self._end(worker)
                else:
                    return
        finally:
            for _, worker in running.values():
                worker.kill()

    def _begin(self, fn: Callable[..., T], args: tuple[Any, ...]) -> "_Worker":
        call = pickle.dumps((fn, args))
        while self._idle:
            worker = self._idle.pop()
            if worker.begin(call):
                return worker
            worker.kill()  # it ended while it was idle
        worker = _Worker(self._seconds, self._memory_mb)
        worker.begin(call)
        return worker

    def _end(self, worker: "_Worker") -> Any:
        outcome = worker.outcome()
        if isinstance(outcome, WorkerKilled):
            worker.kill()
            return outcome
        if len(self._idle) < self._count:
            self._idle.append(worker)
        else:
            worker.kill()
        raised, value = outcome
        if raised:
            raise value
        return value


class _Worker:
    """One worker process, seen from the parent."""

    def __init__(self, seconds: float, memory_mb: int) -> None:
        self._limits = f"{seconds:g} s or {memory_mb} MB"
        self._seconds, self._memory_mb = seconds, memory_mb
        self.pipe, theirs = Pipe()
        with theirs:
            numbers = (str(part) for part in (theirs.fileno(), os.getpid(), seconds, memory_mb))
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *numbers, *sys.path],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # The parent's output may be a protocol, and a library that prints would break it.
                stdout=subprocess.DEVNULL,
            )

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
            return WorkerKilled(f"worker passed its limit of {self._memory_mb} MB")
        return kind == "raised", value

    def _cause_of_death(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGALRM:
            return f"worker passed its limit of {self._seconds:g} s"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"worker ended {how} (its limits: {self._limits})"

    def kill(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()


def serve(descriptor: int, parent: int, seconds: float, memory_mb: int) -> None:
    """What a worker process does: one call after the other, until the parent closes the pipe."""
    _end_with(parent)
    # The data segment counts what is really allocated; the address space would also count what is only reserved.
    _lower(resource.RLIMIT_DATA, memory_mb * 2**20)
    _lower(resource.RLIMIT_CORE, 0)
    # The default action ends the process from the kernel, also inside C code and when the parent is gone or busy.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    with Connection(descriptor) as pipe:
        while True:
            try:
                call = pipe.recv_bytes()
            except (EOFError, OSError):  # the parent has ended, or closed its side
                return
            answer = _answer(call, seconds)
            try:
                pipe.send_bytes(answer)
            except BrokenPipeError:
                return


def _answer(call: bytes, seconds: float) -> bytes:
    try:
        fn, args = pickle.loads(call)  # noqa: S301 - from our parent; before the clock runs, as it imports
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return pickle.dumps(("returned", fn(*args)))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except MemoryError:
        return pickle.dumps(("memory", None))
    except Exception as error:  # noqa: BLE001 - it is raised again in the parent
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _pickled(error)


def _pickled(error: Exception) -> bytes:
    try:
        answer = pickle.dumps(("raised", error))
        pickle.loads(answer)  # noqa: S301
    except Exception:  # noqa: BLE001 - whatever the exception's own pickling raises
        return pickle.dumps(("raised", RuntimeError("\n".join([repr(error), *error.__notes__]))))
    return answer


def _end_with(parent: int) -> None:
    """Has the kernel end this process when its parent dies, however that dies.

    Elsewhere than on Linux, an idle worker ends because its pipe does, and a busy one at its limit of time.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(limit, (ceiling, hard))
    except (OSError, ValueError):  # a platform that knows the name but not the limit
        return
