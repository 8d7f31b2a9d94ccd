"""Runs functions on untrusted input in worker processes that can be killed: at a limit of time, of memory, or with us.

Both feedparser and extraction can be made to spin for tens of seconds, some of it in C, where no exception arrives.

A worker is no child of `multiprocessing` (nor of a pool built on it), for three reasons. Forking a process that has
threads can deadlock, and both spawn and forkserver import the parent's main module again, which inside an Airflow task
is Airflow itself. A daemonic process, as some executors use, may have no such children. And each worker has a pipe of
its own, so that the end of one says for certain which call it was in.

Instead a fresh interpreter, the nursery, imports what the first call needs and forks a worker whenever one is wanted:
it has no threads and never runs a call itself. So imports are paid once, and a worker that was killed is replaced in
milliseconds.
"""

import pickle
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.errors import WorkerFailed, WorkerKilled
from pipeline.isolate.nursery import Nursery, Worker

T = TypeVar("T")
Thing = TypeVar("Thing")

#: Calls begun or ended ahead of the one whose result is asked for, per worker.
_LOOK_AHEAD = 4


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
        self._idle: list[Worker] = []
        self._nursery: Nursery | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop().kill()
        if self._nursery:
            self._nursery.close()

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
        running: dict[object, tuple[int, Worker]] = {}
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

    def _begin(self, fn: Callable[..., T], args: tuple[Any, ...]) -> Worker:
        call = pickle.dumps((fn, args))
        while self._idle:
            worker = self._idle.pop()
            if worker.begin(call):
                return worker
            worker.kill()  # it ended while it was idle
        if not (self._nursery and self._nursery.lives()):
            self._nursery = Nursery(self._seconds, self._memory_mb, call)
        worker = Worker(self._nursery)
        worker.begin(call)
        return worker

    def _end(self, worker: Worker) -> Any:
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
