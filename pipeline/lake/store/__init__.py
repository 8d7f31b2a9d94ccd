"""Where a lake is kept: what a directory and S3 each do in their own way. A path tells which of the two it is of.

Reading is the path's own business (`pathlib`, `pipeline.s3`). Here is what must be one step: a file replaced, a directory placed
whole, a lock taken; and what only one of the two can tell.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import duckdb

from pipeline.errors import LakeError
from pipeline.lake.store.directory import Directory
from pipeline.s3 import S3Path

#: How small files were found, by path; one that is another since is not overwritten. A directory needs none: its guards hold.
Seen = Mapping[Path, str]
#: What becomes of a small file's content; None where there is no file, or none any more.
Change = Callable[[bytes | None], bytes | None]


class Brought(Protocol):
    """Files that lie where they belong, or beside it, and that nobody sees yet."""

    def place(self) -> bool:
        """Shows them all in one step; False where the place is taken, and then nothing has changed."""

    def discard(self) -> None:
        """Takes away what will not be placed."""


class Store(Protocol):
    """How a lake is written. `aside` is always a path of this machine."""

    #: So far ahead of its commit a batch is stamped at first: that long it takes to bring it there.
    lead: timedelta

    def make_dirs(self, path: Path) -> None:
        """Lets files be written into a directory."""

    def begin_dir(self, path: Path) -> None:
        """Makes a directory that is seen while it is empty."""

    def end_dir(self, path: Path) -> None:
        """Takes such a directory away, unless something lies in it."""

    def fsync(self, path: Path) -> None:
        """Makes a file's bytes, or a directory's entries, last."""

    def write_file(self, path: Path, content: bytes, seen: Seen | None = None) -> None:
        """Replaces a small file in one step, unless it is another than was seen.

        Raises:
            LakeBusy: it is; somebody else did the same work.
        """

    def place_file(self, path: Path, write: Callable[[Path], object]) -> None:
        """Lets `write` fill a file aside and puts it into place in one step."""

    def bring_file(self, aside: Path, path: Path, seen: Seen | None = None) -> None:
        """Replaces a file by a finished one in one step; where it was seen and is gone, FileNotFoundError."""

    def clear_file(self, path: Path, empty: Path, seen: Seen) -> bool:
        """Takes the rows of a file out of sight: it goes, or a copy of `empty` is in its place, and then True."""

    def seen(self, paths: list[Path]) -> Seen:
        """How these files are found now."""

    def scratch(self, root: Path, kind: str) -> AbstractContextManager[Path]:
        """A local directory for what is brought into a lake; it goes at the end."""

    def bring(self, aside: Path, path: Path) -> Brought:
        """Brings a directory's files to where it will be placed."""

    def remove_dir(self, path: Path, trash: Path) -> None:
        """Takes a directory out of sight in one step, then deletes it."""

    def files_in(self, place: Path) -> list[Path]:
        """The tables' files of a placed directory, by name."""

    def seen_in(self, place: Path) -> list[Path]:
        """What readers see in a placed directory: all of it, save what is there for the store's own use."""

    def is_placed(self, place: Path) -> bool:
        """Whether a directory that is seen was placed; else it is being brought, or was left on the way."""

    def placed_in(self, tree: Path) -> list[Path]:
        """What was placed in a directory, by name."""

    def placed_at(self, place: Path) -> datetime:
        """When a directory was placed, or a little later; where that was left undone, it is done now."""

    def sweep(self, tree: Path, older: timedelta) -> int:
        """Deletes what was brought and never placed; how many files that was."""

    def guard(self, path: Path, patience: timedelta | None = None) -> AbstractContextManager[None]:
        """Lets one process at a time do something.

        Raises:
            LakeBusy: somebody keeps the guard for longer than one's patience, or than anybody does who is not stopped.
        """

    def fence(self, path: Path, change: Change) -> AbstractContextManager[None]:
        """Under the guard of a lock file, which `change` looks at first and says anew."""

    def update(self, path: Path, change: Change) -> None:
        """Reads a small file and writes what becomes of it, as one step."""

    def size(self, path: Path) -> tuple[int, int]:
        """Files and bytes below a path; what goes away meanwhile counts for nothing."""

    def local(self, path: Path) -> AbstractContextManager[Path]:
        """A file as one of this machine; what was opened within stays readable.

        Raises:
            FileNotFoundError: there is none.
        """

    def in_sql(self, places: Path, table: str) -> tuple[Path, str]:
        """A pattern of a table's files in committed directories, and a condition for SQL that leaves out what was not placed."""

    def let_read(self, con: duckdb.DuckDBPyConnection, root: Path) -> Callable[[], None]:
        """Lets a connection read the lake's files; what it returns has the next question find what is there by then."""


_DIRECTORY: Store = Directory()


def store_of(path: Path) -> Store:
    """The store a path lies in.

    Raises:
        ValueError: it is an address in S3 that was not made a place (`place_of`): a directory `s3:` would be written to.
    """
    if isinstance(path, S3Path):
        from pipeline.lake.store.bucket import BUCKET

        return BUCKET
    if path.parts[:1] == ("s3:",):
        raise ValueError(f"{path} is an address in S3, and was taken for a path of this machine")
    return _DIRECTORY


def only_in_directory(path: Path, what: str, remedy: str) -> None:
    """Raises LakeError where a lake lies elsewhere: this is not there for it."""
    if isinstance(path, S3Path):
        raise LakeError(f"{what} is there for lakes in a directory alone, and {path} is none: {remedy}")


def table_of(path: Path) -> str:
    """The table whose rows a file in a committed directory holds."""
    return path.name.partition(".")[0]
