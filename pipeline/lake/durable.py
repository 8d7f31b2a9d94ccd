"""Files and directories that are there whole or not at all, also after a power cut, wherever the lake is kept (`store`)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from pipeline.lake.store import store_of


def fsync(path: Path) -> None:
    """Makes a file's bytes, or a directory's entries, last."""
    store_of(path).fsync(path)


def make_dirs(path: Path) -> None:
    """Like mkdir -p, each new directory made to last in its parent."""
    store_of(path).make_dirs(path)


def write_file(path: Path, content: bytes) -> None:
    """Replaces a file by new content in one step."""
    store_of(path).write_file(path, content)


def place_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file aside and puts it into place."""
    store_of(path).place_file(path, write)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place_dir(aside: Path, path: Path) -> bool:
    """Puts a filled directory into place; False where the place is taken, and then nothing has changed."""
    return store_of(path).bring(aside, path).place()


def remove_dir(path: Path, trash: Path) -> None:
    """Takes a directory out of sight in one step (a directory lake: into `trash`), then deletes it."""
    store_of(path).remove_dir(path, trash)
