"""Files and directories that are there whole or not at all, also after a power cut: written aside, fsynced, renamed."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path


def fsync(path: Path) -> None:
    """Makes a file's bytes, or a directory's entries, last."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_dirs(path: Path) -> None:
    """Like mkdir -p, each new directory made to last in its parent."""
    if path.is_dir():
        return
    make_dirs(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Replaces a file by new content in one step."""
    place_file(path, lambda aside: aside.write_bytes(content))


def place_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file aside and renames it into place."""
    make_dirs(path.parent)
    aside = path.parent / f".{path.name}.{secrets.token_hex(6)}"
    try:
        write(aside)
        fsync(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    fsync(path.parent)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_all(directory: Path) -> None:
    """Makes a directory of files last."""
    for file in directory.iterdir():
        fsync(file)
    fsync(directory)


def place_dir(aside: Path, path: Path) -> bool:
    """Renames a filled and fsynced directory into place; False where the place is taken, and then nothing has changed."""
    make_dirs(path.parent)
    try:
        aside.rename(path)
    except OSError:
        if not path.is_dir():
            raise
        return False
    fsync(path.parent)
    fsync(aside.parent)
    return True


def remove_dir(path: Path, trash: Path) -> None:
    """Takes a directory out of sight in one step, into `trash`, then deletes it."""
    doomed = trash / f".doomed.{secrets.token_hex(6)}"
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return
    shutil.rmtree(doomed, ignore_errors=True)
