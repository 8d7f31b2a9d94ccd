"""A lake in a directory: files are written aside, fsynced and renamed; locks are the system's. I/O."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.errors import LakeBusy

#: A guard is held for milliseconds; whoever holds one for so long has been stopped.
PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Renamed:
    """A filled directory on the lake's own file system, one rename from its place."""

    store: "Directory"
    aside: Path
    path: Path

    def place(self) -> bool:
        self.store.make_dirs(self.path.parent)
        try:
            self.aside.rename(self.path)
        except OSError:
            if not self.path.is_dir():
                raise
            return False
        self.store.fsync(self.path.parent)
        self.store.fsync(self.aside.parent)
        return True

    def discard(self) -> None:
        """It goes with its scratch."""


class Directory:
    """A lake in a directory of a file system, also one shared by several machines."""

    lead = timedelta(milliseconds=300)

    def make_dirs(self, path: Path) -> None:
        if path.is_dir():
            return
        self.make_dirs(path.parent)
        path.mkdir(exist_ok=True)
        self.fsync(path.parent)

    begin_dir = make_dirs

    def end_dir(self, path: Path) -> None:
        with suppress(OSError):
            path.rmdir()

    def fsync(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def write_file(self, path: Path, content: bytes, seen: Mapping[Path, str] | None = None) -> None:  # noqa: ARG002
        self.place_file(path, lambda aside: aside.write_bytes(content))

    def place_file(self, path: Path, write: Callable[[Path], object]) -> None:
        self.make_dirs(path.parent)
        aside = path.parent / f".{path.name}.{secrets.token_hex(6)}"
        try:
            write(aside)
            self.bring_file(aside, path)
        finally:
            aside.unlink(missing_ok=True)

    def bring_file(self, aside: Path, path: Path, seen: Mapping[Path, str] | None = None) -> None:  # noqa: ARG002
        self.fsync(aside)
        aside.replace(path)
        self.fsync(path.parent)

    def clear_file(self, path: Path, empty: Path, seen: Mapping[Path, str]) -> bool:  # noqa: ARG002
        if path.exists():
            path.unlink()
            self.fsync(path.parent)
        return False

    def seen(self, paths: list[Path]) -> Mapping[Path, str]:  # noqa: ARG002
        return {}

    @contextmanager
    def scratch(self, root: Path, kind: str) -> Iterator[Path]:
        place = root / "staging" / f".{kind}.{secrets.token_hex(6)}"
        self.make_dirs(place.parent)
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def bring(self, aside: Path, path: Path) -> Renamed:
        for file in aside.iterdir():
            self.fsync(file)
        self.fsync(aside)
        self.make_dirs(path.parent)
        return Renamed(self, aside, path)

    def remove_dir(self, path: Path, trash: Path) -> None:
        doomed = trash / f".doomed.{secrets.token_hex(6)}"
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)

    def files_in(self, place: Path) -> list[Path]:
        return sorted(place.glob("*.parquet"))

    def seen_in(self, place: Path) -> list[Path]:
        return list(place.iterdir())

    def is_placed(self, place: Path) -> bool:  # noqa: ARG002
        return True

    def placed_in(self, tree: Path) -> list[Path]:
        return sorted(tree.iterdir())

    def placed_at(self, place: Path) -> datetime:
        """By the directory's change time, which a rename sets."""
        return datetime.fromtimestamp(place.stat().st_ctime, UTC)

    def sweep(self, tree: Path, older: timedelta) -> int:  # noqa: ARG002
        return 0  # what was not placed lies in its scratch

    @contextmanager
    def guard(self, path: Path, patience: timedelta | None = None) -> Iterator[None]:
        """A lock of the system, which ends with its process."""
        self.make_dirs(path.parent)
        with (path.parent / f".{path.stem}.guard").open("w") as guard:
            patience = PATIENCE if patience is None else patience
            until = time.monotonic() + patience.total_seconds()
            while True:
                try:
                    fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise LakeBusy(
                            f"{guard.name} has been locked for {patience.total_seconds():.0f} s by a process that does not move "
                            f"on; `fuser {guard.name}` names it: let it continue, or end it"
                        ) from None
                    time.sleep(0.002)
            yield

    @contextmanager
    def fence(self, path: Path, change: Callable[[bytes | None], bytes | None]) -> Iterator[None]:
        with self.guard(path):
            change(_content(path))
            yield

    def update(self, path: Path, change: Callable[[bytes | None], bytes | None]) -> None:
        with self.guard(path):
            before = _content(path)
            after = change(before)
            if after is None:
                path.unlink(missing_ok=True)
            elif after != before:
                self.write_file(path, after)

    def size(self, path: Path) -> tuple[int, int]:
        files = size = 0
        waiting = [str(path)]
        while waiting:
            at = waiting.pop()
            try:
                with os.scandir(at) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
        return files, size

    def local(self, path: Path) -> AbstractContextManager[Path]:
        return nullcontext(path)

    def in_sql(self, places: Path, table: str) -> tuple[Path, str]:
        return places / f"{table}.parquet", ""

    def let_read(self, con: duckdb.DuckDBPyConnection, root: Path) -> Callable[[], None]:  # noqa: ARG002
        """DuckDB reads files of this machine by itself, and looks anew for each question."""
        return lambda: None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
