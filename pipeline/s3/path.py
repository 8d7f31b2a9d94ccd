"""A place in S3, by that part of pathlib's interface which the lake reads through. I/O.

Names, parents and patterns are pathlib's own; a directory is there while something lies under it. Nothing here writes: what may
be written, and on which condition, is the lake's to say (`pipeline.lake.store`).
"""

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import InputError
from pipeline.s3 import client as s3
from pipeline.s3.client import Seen

if TYPE_CHECKING:  # to a type checker it is a Path; what it does not have fails loudly instead of touching the local disk
    from pathlib import Path as _Names
else:
    from pathlib import PurePosixPath as _Names

# pathlib makes one slash of two, and command lines make paths of their arguments
_ADDRESS = re.compile(r"s3:/{1,2}(.*)")
_MAGIC = re.compile(r"[*?[]")


def place_of(text: str | Path) -> Path:
    """The place a text names: an `s3://bucket/prefix`, else a path of this machine.

    Raises:
        InputError: it begins like an address in S3, and is none.
    """
    if not (address := _ADDRESS.fullmatch(str(text))):
        return Path(text)
    if not address[1].strip("/").partition("/")[2]:
        raise InputError(f"{str(text)!r} names no place for a lake in S3: s3://BUCKET/PREFIX does")
    return S3Path("/" + address[1].strip("/"))


def readable(path: Path) -> Any:
    """What a library that reads files can be given for this path: itself, or the open object."""
    return path.open("rb") if isinstance(path, S3Path) else path


@dataclass(frozen=True, slots=True)
class S3Stat:
    """What is known of an object, by the names os.stat_result has; times have whole seconds."""

    st_size: int
    st_mtime: float
    st_ino: int

    @property
    def st_mtime_ns(self) -> int:
        return int(self.st_mtime) * 1_000_000_000


class S3Path(_Names):
    """An object, or all objects under a prefix."""

    _found: Seen | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return f"s3:/{text}" if text.startswith("/") else text

    def was_written(self) -> None:
        """Lets how it was listed be forgotten."""
        self._found = None

    @property
    def bucket(self) -> str:
        return self.parts[1]

    @property
    def key(self) -> str:
        return "/".join(self.parts[2:])

    def resolve(self, strict: bool = False) -> "S3Path":  # noqa: ARG002 - pathlib's
        return self

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 - pathlib's
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        return bool(self._found or s3.head(self))

    def is_dir(self) -> bool:
        return not self._found and any(True for _ in s3.listed(self, f"{self.key}/", deep=True, most=1))

    def stat(self, *, follow_symlinks: bool = True) -> S3Stat:  # type: ignore[override]  # noqa: ARG002 - pathlib's
        """Of an object; of a directory, as of the last object that came under it.

        Raises:
            FileNotFoundError: there is neither.
        """
        found = self._found or s3.head(self) or max(self._under(), key=lambda seen: seen.modified, default=None)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(self))
        return S3Stat(found.size, found.modified.timestamp(), hash(found.tag))

    def _under(self) -> Iterator[Seen]:
        return (seen for _, seen in s3.listed(self, f"{self.key}/", deep=True) if seen)

    def open(self, mode: str = "rb", *_: Any) -> BinaryIO:  # type: ignore[override]
        """The object to read and to seek in.

        Raises:
            FileNotFoundError: there is none.
        """
        from pipeline.s3.files import opened

        if mode != "rb":
            raise ValueError(f"{self} is opened to be read, as bytes")
        return opened(self, self._found)

    def read_bytes(self) -> bytes:
        return s3.get(self)[0]

    def read_text(self, *_: Any, **__: Any) -> str:
        return self.read_bytes().decode()

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: ARG002 - S3 deletes also what is not there
        s3.delete([self])

    def rmdir(self) -> None:
        """A directory ends with the last object under it.

        Raises:
            OSError: there is one.
        """
        if self.is_dir():
            raise OSError(errno.ENOTEMPTY, "objects lie under it", str(self))

    def iterdir(self) -> Iterator["S3Path"]:  # type: ignore[override]
        return self._listed(f"{self.key}/")

    def rglob(self, pattern: str) -> Iterator["S3Path"]:  # type: ignore[override]
        """The objects below whose name fits, and no directories."""
        return (path for path in self._listed(f"{self.key}/", deep=True) if fnmatchcase(path.name, pattern))

    def glob(self, pattern: str) -> Iterator["S3Path"]:  # type: ignore[override]
        """What fits a pattern: a request a directory while its parts begin with a name, one for a thousand objects from there."""
        if "**" in pattern:
            raise NotImplementedError(f"{pattern} of {self}: rglob finds what is below")
        first, *rest = pattern.split("/")
        known = _MAGIC.split(first, maxsplit=1)[0]
        if first == known and rest:
            yield from (self / first).glob("/".join(rest))
        elif rest and not known:
            yield from self._fitting([first, *rest])
        else:
            for path in self._listed(f"{self.key}/{known}"):
                if fnmatchcase(path.name, first):
                    yield from path.glob("/".join(rest)) if rest else [path]

    def _fitting(self, parts: list[str]) -> Iterator["S3Path"]:
        """What fits so many parts: objects that deep, and directories of deeper ones, each once."""
        last = None
        for path in self._listed(f"{self.key}/", deep=True):
            below = path.parts[len(self.parts) :]
            if len(below) >= len(parts) and all(map(fnmatchcase, below, parts)):
                fits = path if len(below) == len(parts) else self.joinpath(*below[: len(parts)])
                if fits != last:
                    yield fits
                last = fits

    def _listed(self, prefix: str, *, deep: bool = False) -> Iterator["S3Path"]:
        top = type(self)(f"/{self.bucket}")
        for key, seen in s3.listed(self, prefix, deep=deep):
            path = top / key
            path._found = seen
            yield path
