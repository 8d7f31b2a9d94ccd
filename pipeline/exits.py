"""What an error means to whoever typed the command: an exit code, and a message with thing, place and remedy. I/O on stderr.

Exit codes: 0 done; 1 failed (the message says what and where), nothing found, or `lake verify` found something; 2 used wrongly;
3 `lake diff` found differences, or `health` has alarms; 70 something nobody foresaw; 75 somebody else is writing, try again
later; 130 stopped by Ctrl-C.
"""

import errno
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

import duckdb
from rich.console import Console
from rich.markup import escape

from pipeline.errors import InputError, LakeBusy, NewsmillError

FAILED, MISUSED, DIFFERENT, UNFORESEEN, BUSY, STOPPED = 1, 2, 3, 70, 75, 130

_ROOM = "make room there and do it again; nothing is left half-written"
_ACCESS = "check who may read and write it, or name another place"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "allow larger files there (ulimit -f), or ask for less",
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.EROFS: "name a place that can be written",
    errno.ENOENT: "check the name",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.EIO: "check the disk",
}
_INNER = re.compile(r'"exception_message":"((?:[^"\\]|\\.)*)"')


def leave(error: Exception) -> NoReturn:
    """Says what is wrong, and ends with the exit code that it means; NEWSMILL_DEBUG shows the traceback before."""
    if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":  # how DuckDB tells of Ctrl-C
        sys.exit(STOPPED)
    if os.environ.get("NEWSMILL_DEBUG"):
        traceback.print_exception(error)
    code, message = _meaning(error)
    Console(emoji=False, stderr=True, highlight=False, soft_wrap=True).print(f"[red]newsmill:[/red] {escape(message)}")
    sys.exit(code)


def _meaning(error: Exception) -> tuple[int, str]:
    if isinstance(error, InputError):
        return MISUSED, str(error)
    if isinstance(error, LakeBusy):
        return BUSY, str(error)
    if isinstance(error, NewsmillError):
        return FAILED, str(error)
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return FAILED, f"not enough memory ({error or 'for this'}); ask for less at once"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return FAILED, f"{where}{error.strerror.lower()}; {_REMEDIES.get(error.errno or 0, 'check the place that it names')}"
    if isinstance(error, duckdb.IOException | duckdb.InvalidInputException) or type(error).__module__.startswith("pyarrow"):
        return FAILED, _file_trouble(str(error))
    return UNFORESEEN, _unforeseen(error)


def _file_trouble(said: str) -> str:
    """What DuckDB or Arrow says of a file, with the remedy of the operating system's error in it, if there is one."""
    inner = _INNER.search(said)
    told = inner[1].replace('\\"', '"') if inner else said
    remedies = (remedy for number, remedy in _REMEDIES.items() if os.strerror(number) in told)
    remedy = next(remedies, "`newsmill lake verify` says what is wrong with a lake")
    return f"a file cannot be read or written: {told}; {remedy}"


def _unforeseen(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"unforeseen: {type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})".replace("\n", " ")
    try:
        with tempfile.NamedTemporaryFile("w", prefix="newsmill-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{what}; NEWSMILL_DEBUG=1 shows the details"
    return f"{what}; the details are in {file.name}, and NEWSMILL_DEBUG=1 shows them; please report it"
