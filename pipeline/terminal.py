"""What all commands share: their options, and how rows come out for people and for programs. I/O on the terminal."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import duckdb
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.settings import Settings

Lake = Annotated[
    Path | None, typer.Option("--lake", envvar="NEWSMILL_LAKE", help="Directory of the lake.", show_default="run/wire/lake")
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
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    began, task = time.monotonic(), bar.add_task("", total=None)

    def watch(what: str, done: int, of: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > after_s:
            bar.start()
        bar.update(task, description=what, completed=done, total=of)

    try:
        yield watch
    finally:
        bar.stop()


def print_rows(rows: duckdb.DuckDBPyRelation, *, json: bool, csv: bool) -> None:
    if json:
        for batch in rows.to_arrow_table().to_batches(1000):
            print_json(*batch.to_pylist())
    elif csv:
        import pyarrow.csv

        pyarrow.csv.write_csv(_flat(rows).to_arrow_table(), sys.stdout.buffer)
    else:
        rows.show(max_width=shutil.get_terminal_size().columns, max_rows=200)


def _flat(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Lists and structs as text: CSV has none."""
    nested = [str(t).endswith("]") or str(t).startswith("STRUCT") for t in rows.types]
    columns = (f'"{c}"::VARCHAR AS "{c}"' if deep else f'"{c}"' for c, deep in zip(rows.columns, nested, strict=True))
    return rows.project(", ".join(columns))


def print_json(*records: Any) -> None:
    for record in records:
        sys.stdout.buffer.write(orjson.dumps(record, default=_plain, option=orjson.OPT_UTC_Z) + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: Any) -> Any:
    """What JSON has no form for: bytes as hex digits, an interval in its three parts, the rest as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and hasattr(value, "nanoseconds"):
        return {"months": value.months, "days": value.days, "seconds": value.nanoseconds / 1e9}  # type: ignore[attr-defined]
    return str(value)
