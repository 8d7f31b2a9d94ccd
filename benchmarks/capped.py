"""Runs one benchmark in a process of its own, and ends it with all it started when it runs over its time."""

import multiprocessing
import os
import signal
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection

from benchmarks.table import Options, Table


def measured(name: str, options: Options, cap: float) -> Table | str:
    """What a benchmark found, from a process of its own; in words why it found nothing."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(name, options, there))
    process.start()
    there.close()
    try:
        return here.recv() if here.poll(cap) else f"stopped, it ran over its {cap:g} s"
    except EOFError:
        return "failed, see above"
    finally:
        with suppress(ProcessLookupError):  # it leads a group of its own, in which are all that it started
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.kill()
        process.join()


def _measure(name: str, options: Options, results: Connection) -> None:
    os.setpgrp()
    results.send(import_module(f"benchmarks.{name}").measure(options))
