"""Objects as files: to be read and sought in, small ones with one request; and for DuckDB, the objects of a lake. I/O."""

import io
import threading
import time
from collections import OrderedDict
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem

from pipeline.s3 import client as s3
from pipeline.s3.client import Changed, Seen
from pipeline.s3.path import S3Path, place_of

#: An object is read whole where it is no larger; else in pieces, and what lies around a piece is asked for once.
WHOLE = 4 << 20
PIECE = 1 << 20
#: DuckDB opens a file to learn its columns and again for its rows, and asks twice what is there; for so long it is told the same.
LISTED_S = 1.0
CACHE = 64 << 20


def opened(path: S3Path, seen: Seen | None = None) -> BinaryIO:
    """An object as a file.

    Raises:
        FileNotFoundError: there is none.
    """
    if seen and seen.size > WHOLE:
        return cast(BinaryIO, Pieces(path, seen, b"", 0))
    content, seen, whole = s3.get(path, 0, WHOLE)
    return io.BytesIO(content) if len(content) == whole else cast(BinaryIO, Pieces(path, seen, content, 0))


class Pieces(io.RawIOBase):
    """A large object, read by ranges of one and the same version of it; it holds the last piece."""

    def __init__(self, path: S3Path, seen: Seen, piece: bytes, start: int) -> None:
        self._path, self._seen, self._piece, self._start, self._at = path, seen, piece, start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (self._at if whence == io.SEEK_CUR else self._seen.size if whence == io.SEEK_END else 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Raises OSError where the object was replaced since it was opened."""
        end = self._seen.size if size is None or size < 0 else min(self._at + size, self._seen.size)
        if end <= self._at:
            return b""
        if not self._start <= self._at <= end <= self._start + len(self._piece):
            start = self._at if end - self._at >= PIECE else max(0, min(self._at, self._seen.size - PIECE))
            try:
                upto = min(max(end, start + PIECE), self._seen.size)
                self._piece, self._start = s3.get(self._path, start, upto, self._seen.tag)[0], start
            except Changed:
                raise OSError(f"{self._path} was replaced while it was read: ask again") from None
        found = self._piece[self._at - self._start : end - self._start]
        self._at = end
        return found

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class Objects(AbstractFileSystem):
    """For DuckDB (`register_filesystem`): the objects under a root, each tree of it found with one listing, read only.

    fsspec's file systems for S3 list every directory that a pattern passes; a lake has hundreds.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, root: S3Path) -> None:
        super().__init__()
        self._root = root
        self._trees: dict[str, tuple[float, dict[str, Seen]]] = {}
        self._contents: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}

    def glob(self, path: str, **_: Any) -> list[str]:
        parts = path.split("/")
        return [found for found in self._tree(path) if _fits(found.split("/"), parts)]

    def _tree(self, path: str) -> dict[str, Seen]:
        """All objects of the part of the lake that a path lies in, by address."""
        tree = path.removeprefix(f"{self._root}/").split("/", maxsplit=1)[0]
        with self._lock:
            at, found = self._trees.get(tree, (0.0, {}))
            if time.monotonic() - at > LISTED_S:
                listing = s3.listed(self._root, f"{self._root.key}/{tree}", deep=True)
                found = {f"s3://{self._root.bucket}/{key}": seen for key, seen in listing if seen}
                self._trees[tree] = time.monotonic(), found
        return found

    def invalidate_cache(self, path: str | None = None) -> None:  # noqa: ARG002
        """Forgets what was listed, for whoever asks next; contents stay, as they are known by their tags."""
        with self._lock:
            self._trees.clear()

    def _seen(self, path: str) -> Seen:
        """How an object was last listed; one beside the trees, which may be replaced at any time, is looked for again."""
        name = path.removeprefix(f"{self._root}/")
        with self._lock:
            _, listed = self._trees.get(name.partition("/")[0], (0.0, {}))
        if path in listed and "/" in name:
            return listed[path]
        if found := self._tree(path).get(path):
            return found
        raise FileNotFoundError(path)

    def open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        if mode != "rb":
            raise OSError(f"{path}: a lake is written through newsmill alone")
        seen = self._seen(path)
        if seen.size > WHOLE:
            return cast(BinaryIO, Pieces(_path(path), seen, b"", 0))
        with self._lock:
            asking = self._asking.setdefault(path, threading.Lock())
        with asking:
            try:
                return io.BytesIO(self._content(path, seen))
            except Changed:
                raise OSError(f"{path} was replaced while it was read: ask again") from None

    def _content(self, path: str, seen: Seen) -> bytes:
        key = (path, seen.tag)
        with self._lock:
            if key in self._contents:
                self._contents.move_to_end(key)
                return self._contents[key]
        content = s3.get(_path(path), tag=seen.tag)[0]
        with self._lock:
            self._contents[key] = content
            while sum(map(len, self._contents.values())) > CACHE:
                self._contents.popitem(last=False)
        return content

    def isfile(self, path: str) -> bool:
        try:
            return bool(self._seen(path))
        except FileNotFoundError:
            return False

    exists = isfile

    def size(self, path: str) -> int:
        return self._seen(path).size

    def modified(self, path: str) -> datetime:
        return self._seen(path).modified


def _path(address: str) -> S3Path:
    return cast(S3Path, place_of(address))


def _fits(parts: list[str], pattern: list[str]) -> bool:
    return len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern))
