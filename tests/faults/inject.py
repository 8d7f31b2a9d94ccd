"""Lets a process die, stop or fail at its n-th call that touches a directory. I/O.

Where there is a C compiler, a small preloaded library stands between the process and libc, so that the writes of Arrow and DuckDB
are reached too. Elsewhere Python's own steps on the disk are patched; what C++ does between them is not reached then.
"""

import ctypes
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from mmap import mmap
from pathlib import Path
from typing import Any

COUNT, KILL_BEFORE, KILL_AFTER, FAIL, FAIL_FOR_GOOD, SHORT_WRITE, STOP = range(7)
_SOURCE = Path(__file__).with_name("interpose.c")
_STEPS, _NAME, _PATH = 8192, 12, 180


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens at the `at`-th call (0: nothing); `log` is a file descriptor that gets every change with its bytes."""

    at: int = 0
    action: int = COUNT
    error: int = errno.EIO
    log: int = -1


def preload() -> None:
    """Starts this process again with the library before libc, where there is a compiler; else goes on without."""
    if "NEWSMILL_FAULTS" in os.environ:
        return
    os.environ["NEWSMILL_FAULTS"] = "python"
    if compiler := shutil.which("cc") or shutil.which("gcc"):
        place = Path(tempfile.gettempdir()) / f"newsmill-faults-{sha256(_SOURCE.read_bytes()).hexdigest()[:12]}-{os.getuid()}.so"
        if not place.exists():
            aside = place.with_suffix(f".{os.getpid()}")
            subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", aside, _SOURCE, "-ldl", "-lpthread"], check=True)
            aside.replace(place)
        os.environ |= {"NEWSMILL_FAULTS": str(place), "LD_PRELOAD": str(place)}
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def reaches_libc() -> bool:
    """Whether the calls of C++ libraries are reached."""
    return os.environ["NEWSMILL_FAULTS"] != "python"


class Steps:
    """The calls of a child below a directory, in memory that the parent reads also after the child was killed."""

    def __init__(self) -> None:
        self._memory = mmap(-1, 16 + _STEPS * (_NAME + _PATH))

    def clear(self) -> None:
        self._memory[:16] = bytes(16)

    @property
    def hit(self) -> int:
        """The call at which the plan struck; 0 where it was not reached."""
        return int.from_bytes(self._memory[8:16], "little")

    def made(self) -> list[str]:
        """Every call that was made: its name and what it was about, without what differs from run to run."""
        count = min(int.from_bytes(self._memory[:8], "little"), _STEPS)
        records = (self._memory[16 + i * (_NAME + _PATH) :][: _NAME + _PATH] for i in range(count))
        return [_signature(r[:_NAME], r[_NAME:]) for r in records]

    def arm(self, below: Path, plan: Plan) -> None:
        """From now on the calls of this process count."""
        if reaches_libc():
            library = ctypes.CDLL(os.environ["NEWSMILL_FAULTS"])
            shared = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
            at, shared = ctypes.c_long(plan.at), ctypes.c_void_p(shared)
            library.faults_arm(str(below).encode(), shared, at, plan.action, plan.error, plan.log)
        else:
            _patch(self, below, plan)

    def disarm(self) -> None:
        if reaches_libc():
            ctypes.CDLL(os.environ["NEWSMILL_FAULTS"]).faults_disarm()

    def passed(self, call: str, path: str) -> int:
        """Counts a call where no library does; its number."""
        number = int.from_bytes(self._memory[:8], "little") + 1
        self._memory[:8] = number.to_bytes(8, "little")
        start = 16 + (number - 1) * (_NAME + _PATH)
        record = call.encode().ljust(_NAME, b"\0")[:_NAME] + path.encode().ljust(_PATH, b"\0")[:_PATH]
        self._memory[start : start + _NAME + _PATH] = record
        return number

    def strike(self, number: int) -> None:
        self._memory[8:16] = number.to_bytes(8, "little")


def _signature(call: bytes, path: bytes) -> str:
    text = path.rstrip(b"\0").decode(errors="replace")
    return call.rstrip(b"\0").decode() + " " + re.sub(r"[0-9a-f]{12}\b|\d[\dTZ.-]*", "#", text)


_PYTHON_STEPS = ("open", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")


def _patch(steps: Steps, below: Path, plan: Plan) -> None:
    def step(real: Any, name: str, target: Any, *args: Any, **kwargs: Any) -> Any:
        path = str(Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target)
        if not path.startswith(str(below)):
            return real(target, *args, **kwargs)
        number = steps.passed(name, path.removeprefix(str(below)))
        if number == plan.at:
            steps.strike(number)
            if plan.action in (KILL_BEFORE, STOP):
                os.kill(os.getpid(), signal.SIGKILL if plan.action == KILL_BEFORE else signal.SIGSTOP)
        if (number == plan.at and plan.action == FAIL) or (number >= plan.at and plan.action == FAIL_FOR_GOOD):
            raise OSError(plan.error, os.strerror(plan.error), path)
        result = real(target, *args, **kwargs)
        if number == plan.at and plan.action == KILL_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    for name in _PYTHON_STEPS:
        setattr(os, name, partial(step, getattr(os, name), name))
