"""What all commands share: their options, progress, and JSON for programs. I/O on the terminal."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pipeline.settings import Settings

Lake = Annotated[
    Path | None,
    typer.Option(
        "--lake", envvar="NEWSMILL_LAKE", help="The lake: a directory, or s3://BUCKET/PREFIX.", show_default="run/wire/lake"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line, for programs.")]


def settings(lake: Path | None) -> Settings:
    """Settings from the environment, and the lake from the command line where it is named there."""
    environ = dict(os.environ)
    return Settings.from_env(environ if lake is None else {**environ, "NEWSMILL_LAKE": str(lake)})


@contextmanager
def watched(after_s: float = 1.0) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for what takes longer than `after_s`: told what is done, how much of it, and how much there is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(emoji=False, stderr=True)
    bar = _progress(console, *columns)
    began, task = time.monotonic(), bar.add_task("", total=None)

    def watch(what: str, done: int, of: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > after_s:
            bar.start()
        bar.update(task, description=what, completed=done, total=of)

    try:
        yield watch
    finally:
        bar.stop()


def _progress(console: Console, *columns: ProgressColumn) -> Progress:
    """A bar that lines on standard output are printed above, and that takes none of them where they go elsewhere."""
    together = sys.stdout.isatty()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal, redirect_stdout=together)


@contextmanager
def busy(what: str, after_s: float = 1.0) -> Iterator[None]:
    """A spinner with the seconds on standard error while something takes longer than `after_s`, where that is a terminal."""
    console = Console(emoji=False, stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = _progress(console, *columns)
    bar.add_task(what, total=None)
    timer = threading.Timer(after_s, bar.start)
    timer.daemon = True
    if console.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.is_alive():
            timer.join()
        if bar.live.is_started:
            bar.stop()


def print_json(*records: Any) -> None:
    for record in records:
        sys.stdout.buffer.write(as_json(record) + b"\n")
    sys.stdout.buffer.flush()


def as_json(value: Any) -> bytes:
    """The value as JSON, whatever DuckDB has in it."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    """What JSON has no form for: bytes as hex digits, an interval in its three parts, the rest as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and hasattr(value, "nanoseconds"):
        return {"months": value.months, "days": value.days, "seconds": value.nanoseconds / 1e9}  # type: ignore[attr-defined]
    return str(value)
