"""Runs one batch and kills itself with SIGKILL at one of its steps on the disk: `python -m tests.run.killed WHERE`.

WHERE is a number, the how-manieth step to die before (0: none; the number of steps is printed); or the end of a
directory's name, to die just before it is renamed into place.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.run import run_once
from pipeline.settings import Settings

STEPS = [
    (Path, "rename"),
    (Path, "replace"),
    (Path, "mkdir"),
    (Path, "unlink"),
    (os, "fsync"),
    (shutil, "rmtree"),
    (pq, "write_table"),
]


def watch(where: str, passed: list[str]) -> None:
    """Has every step on the disk counted, and the process killed before the one named."""
    for owner, name in STEPS:
        real = getattr(owner, name)

        def step(*args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            passed.append(_name)
            if str(len(passed)) == where or (_name == "rename" and not where.isdigit() and str(args[1]).endswith(where)):
                os.kill(os.getpid(), signal.SIGKILL)
            return _real(*args, **kwargs)

        setattr(owner, name, step)


if __name__ == "__main__":
    passed: list[str] = []
    watch(sys.argv[1], passed)
    run_once(Settings.from_env(os.environ), lambda _line: None)
    print(len(passed))
