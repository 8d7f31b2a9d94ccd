"""What the nursery and its workers do, in their own processes."""

import ctypes
import gc
import os
import pickle
import resource
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle


def raise_workers(descriptor: int, parent: int, seconds: float, memory_mb: int) -> None:
    """What the nursery does: forks a worker at each 0, ends the one whose number comes, until the parent closes its side."""
    _end_with(parent)
    own = os.getpid()
    with Connection(descriptor) as line, suppress(EOFError, OSError):
        with suppress(Exception):  # whatever an import raises is raised again in the worker, and told there
            pickle.loads(line.recv_bytes())  # noqa: S301 - from our parent; for what it imports
        gc.freeze()  # a worker's collections leave the pages that it shares alone
        while True:
            if worker := line.recv():
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                line.send(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
                continue
            pipe = recv_handle(line)
            forked = os.fork()
            if not forked:
                try:
                    line.close()
                    serve(pipe, own, seconds, memory_mb)
                finally:
                    os._exit(0)
            os.close(pipe)
            line.send(forked)


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
