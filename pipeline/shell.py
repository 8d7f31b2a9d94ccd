"""A prompt at the lake: DuckDB's own where it is on the PATH, else a small one. I/O on the terminal.

The small one takes a statement over as many lines as it has, until its `;`. An error does not end it, but is told of again at
the end of a file; Ctrl-C clears what is typed or stops what runs, Ctrl-D ends.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import duckdb
from rich.console import Console

from pipeline.errors import InputError, NewsmillError
from pipeline.rows_out import Way, give, stopping
from pipeline.why.steps import count

Say = Callable[..., None]

_HELP = """\
a statement goes over as many lines as it needs and ends with ;
  .tables   the views there are, and their columns
  .help     this
  .quit     ends, as Ctrl-D does; Ctrl-C clears what is typed or stops what runs
  try:      select source, title from articles limit 5;"""

_TABLES = """
    SELECT table_name AS view, string_agg(column_name, ', ' ORDER BY column_index) AS columns
    FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal GROUP BY ALL ORDER BY ALL
"""
_VIEWS = ("articles", "mentions", "sentiments", "evidence", "companies", "outcomes", "feeds")


def views(begun: str) -> list[str]:
    """For the shell that completes: the statement so far, its last word made a view's name."""
    head, _, word = begun.rpartition(" ")
    return [f"{head} {view}".lstrip() for view in _VIEWS if view.startswith(word)]


@contextmanager
def blamed_on_the_query() -> Iterator[None]:
    """What DuckDB has against a statement is its writer's mistake; its candidates and its caret are part of the message.

    Raises:
        InputError: DuckDB's message.
    """
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        if isinstance(error, duckdb.InvalidInputException) and "File '" in str(error):  # one that is damaged
            raise
        raise InputError(str(error)) from None


def answer_each(con: duckdb.DuckDBPyConnection, asked: str, way: Way) -> int:
    """Runs statements in turn, and gives out the rows of each that has some; how many there were.

    Raises:
        InputError: DuckDB's message; or several statements, and what is asked for holds the rows of one.
    """
    with blamed_on_the_query():
        statements = con.extract_statements(asked)
        if way.named and len(statements) > 1:
            raise InputError(f"{len(statements)} statements, and {way.named[0]} takes the rows of one: ask them one at a time")
        for statement in statements:
            rows = stopping(con, partial(con.sql, statement.query))
            # a column Success, without rows, is what DuckDB answers to what has no answer, as SET
            if rows is not None and (rows.columns != ["Success"] or statement.type == duckdb.StatementType.SELECT):
                give(con, rows, way)
    return len(statements)


def shell(lake: Path) -> None:
    """Converses until its user has enough.

    Raises:
        NewsmillError: a statement of a file failed; the message says which.
    """
    from pipeline.lake import connect

    with connect(lake) as con:
        news = lake.resolve() / "news.duckdb"
        own, here = shutil.which("duckdb"), con.sql("SELECT current_database()").fetchall()
        if own is None or here != [("news",)] or not Path(str(news)).exists():  # a copied lake's reads another place
            if failed := _converse(con):
                lines = ", ".join(f"line {line}" for line in failed)
                raise NewsmillError(f"{count(len(failed), 'statement')} failed, see above: {lines}")
            return
    os.execv(own, [own, "-readonly", str(news)])  # noqa: S606 - it takes over this process, its signals and its exit code


def _converse(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The lines of a file at which those statements begin that failed; none at a terminal, where each was told of at once."""
    asked = sys.stdin.isatty()
    say = Console(emoji=False, stderr=True, highlight=False, soft_wrap=True, markup=False).print
    if asked:
        _remember()
        say("ask the lake; .help helps, Ctrl-D ends")
    begun: list[str] = []
    failed: list[int] = []
    read = 0

    def answered() -> None:
        line, statement = read - len(begun) + 1, "\n".join(begun)
        begun.clear()
        if (error := _answer(con, statement)) is not None:
            say(str(error) if asked else f"line {line}: {error}")
            failed.append(line)

    while True:
        try:
            line = input(("   ...> " if begun else "news> ") if asked else "")
            read += 1
            if not begun and line.strip().startswith("."):
                if not _dot(con, line.strip(), say):
                    break
                continue
            if begun or line.strip():
                begun.append(line)
            if line.rstrip().endswith(";"):
                answered()
        except KeyboardInterrupt:
            if not asked:
                raise
            begun.clear()
            say()
        except EOFError:
            if begun and not asked:
                answered()
            if asked:
                say()
            break
    return [] if asked else failed


def _answer(con: duckdb.DuckDBPyConnection, statement: str) -> InputError | duckdb.Error | None:
    """What was wrong with it, or None."""
    try:
        answer_each(con, statement, Way())
    except (InputError, duckdb.Error) as error:
        return error
    return None


def _dot(con: duckdb.DuckDBPyConnection, command: str, say: Say) -> bool:
    """Obeys a command with a dot; False where it was to quit."""
    if command in (".quit", ".exit"):
        return False
    if command == ".tables":
        give(con, con.sql(_TABLES), Way())
    else:
        say(_HELP if command == ".help" else f"there is no {command}; .help says what there is")
    return True


def _remember() -> None:
    """Arrow keys and a history over sessions, where Python has readline and home can be written."""
    with suppress(ImportError, OSError):
        import atexit
        import readline

        path = Path.home() / ".newsmill_history"
        with suppress(FileNotFoundError):
            readline.read_history_file(path)
        readline.set_history_length(1000)
        atexit.register(lambda: readline.write_history_file(path))
