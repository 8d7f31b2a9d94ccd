"""A lake in S3: what must be one step is one conditional write. I/O.

A batch's files carry the name of the attempt that brought them, `<table>.<attempt>.parquet`, so two writers of one batch never
write over each other's. The last object but one is the note (commit.json, shard.json): it is written only where none is, and so
decides which attempt it was. The last is the mark `placed.<attempt>`: readers take files whose attempt has one. Whoever finds a
note without its mark, because its writer died between the two, sets it (`placed_at`, `files_in`).
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import duckdb

from pipeline.errors import LakeBusy
from pipeline.lake.literal import quoted
from pipeline.lake.store import lease
from pipeline.s3 import S3Path
from pipeline.s3 import client as s3
from pipeline.s3.client import ABSENT, Changed

#: The mark that shows an attempt's files to readers.
PLACED = "placed"
#: In an object store, an empty directory is a name as well.
_BEGUN = ".begun"
#: No task goes on for so long.
BRINGING = timedelta(hours=1)
#: So many objects are sent side by side.
SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The files of an attempt under their final place, without note and mark."""

    path: S3Path
    attempt: str
    note: tuple[str, bytes]
    files: tuple[S3Path, ...]

    def place(self) -> bool:
        """Raises LakeBusy where it was held up while it was guarded, so that somebody else may be at work by now."""
        name, content = self.note
        try:
            lease.put_in_time(self.path / name, content, self.attempt)
        except Changed:
            self.discard()
            return False
        s3.put(self.path / f"{PLACED}.{self.attempt}", b"")
        return True

    def discard(self) -> None:
        s3.delete(list(self.files))


class Bucket:
    """A lake in a bucket of S3, or of what speaks S3 and knows conditional writes."""

    lead = timedelta(seconds=3)

    def make_dirs(self, path: Path) -> None:
        """A directory is there with its first object."""

    def begin_dir(self, path: Path) -> None:
        with suppress(Changed):
            s3.put(_s3(path) / _BEGUN, b"", ABSENT)

    def end_dir(self, path: Path) -> None:
        """What was brought and never placed goes with it, unless somebody may be bringing it now."""
        objects = list(_s3(path).rglob("*"))
        fresh = time.time() - BRINGING.total_seconds()
        if not any(one.suffix == ".json" or (one.name != _BEGUN and one.stat().st_mtime > fresh) for one in objects):
            s3.delete(objects)

    def fsync(self, path: Path) -> None:
        """What was written has lasted since it was answered."""

    def write_file(self, path: Path, content: bytes, seen: Mapping[Path, str] | None = None) -> None:
        with _as_seen(path):
            s3.put(_s3(path), content, None if seen is None else seen[path])

    def place_file(self, path: Path, write: Callable[[Path], object]) -> None:
        with self.scratch(path.parent, "file") as scratch:
            write(scratch / path.name)
            self.bring_file(scratch / path.name, path)

    def bring_file(self, aside: Path, path: Path, seen: Mapping[Path, str] | None = None) -> None:
        with _as_seen(path), aside.open("rb") as file:
            s3.put(_s3(path), file, None if seen is None else seen[path])

    def clear_file(self, path: Path, empty: Path, seen: Mapping[Path, str]) -> bool:
        """A deletion knows no condition everywhere; an empty table in its place does."""
        if seen[path] == ABSENT:
            return False
        self.write_file(path, empty.read_bytes(), seen)
        return True

    def seen(self, paths: list[Path]) -> Mapping[Path, str]:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            found = pool.map(lambda path: s3.head(_s3(path)), paths)
            return {path: one.tag if one else ABSENT for path, one in zip(paths, found, strict=True)}

    @contextmanager
    def scratch(self, root: Path, kind: str) -> Iterator[Path]:  # noqa: ARG002 - the local disk has its own place for it
        with tempfile.TemporaryDirectory(prefix=f"newsmill.{kind}.", ignore_cleanup_errors=True) as place:
            yield Path(place)

    def bring(self, aside: Path, path: Path) -> Uploaded:
        place, attempt = _s3(path), secrets.token_hex(6)
        (note,) = aside.glob("*.json")
        files = {place / f"{file.stem}.{attempt}.parquet": file for file in sorted(aside.glob("*.parquet"))}

        def send(pair: tuple[S3Path, Path]) -> None:
            with pair[1].open("rb") as content:
                s3.put(pair[0], content, attempt=attempt)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(send, files.items()))
        return Uploaded(place, attempt, (note.name, note.read_bytes()), tuple(files))

    def remove_dir(self, path: Path, trash: Path) -> None:  # noqa: ARG002
        """The mark goes first, so readers see all or nothing; then the note, so nobody sets that mark again."""
        objects = list(_s3(path).rglob("*"))
        marks = [one for one in objects if one.name.startswith(f"{PLACED}.")]
        notes = [one for one in objects if one.suffix == ".json"]
        for some in (marks, notes, [one for one in objects if one not in marks and one not in notes]):
            s3.delete(some)

    def files_in(self, place: Path) -> list[Path]:
        objects, mark = _marked(_s3(place))
        attempt = mark.suffix.lstrip(".") if mark else None
        return sorted(one for one in objects if one.name.endswith(f".{attempt}.parquet"))

    def seen_in(self, place: Path) -> list[Path]:
        """What another attempt left is swept, and seen by nobody."""
        objects, mark = _marked(_s3(place))
        attempt = mark.suffix.lstrip(".") if mark else None
        return [one for one in objects if not one.name.startswith(f"{PLACED}.") and _attempt_of(one) in (None, attempt)]

    def is_placed(self, place: Path) -> bool:
        return any(one.suffix == ".json" for one in _s3(place).glob("*.json"))

    def placed_in(self, tree: Path) -> list[Path]:
        return sorted(note.parent for note in _s3(tree).glob("*/*.json"))

    def placed_at(self, place: Path) -> datetime:
        """By when S3 has its mark, which is told in whole seconds, without the rest."""
        _, mark = _marked(_s3(place))
        if mark is None:
            raise FileNotFoundError(f"{place} was placed by nobody")
        return datetime.fromtimestamp(mark.stat().st_mtime, UTC) + timedelta(seconds=1)

    def sweep(self, tree: Path, older: timedelta) -> int:
        """Deletes the files of attempts without a mark; one whose note is there gets its mark instead."""
        objects = list(_s3(tree).rglob("*"))
        marks = {(one.parent, one.suffix.lstrip(".")) for one in objects if one.name.startswith(f"{PLACED}.")}
        noted = {one.parent for one in objects if one.suffix == ".json"}
        before = time.time() - older.total_seconds()
        left = [one for one in objects if _attempt_of(one) and (one.parent, _attempt_of(one)) not in marks]
        for place in sorted({one.parent for one in left} & noted):
            if (mark := _marked(place)[1]) is not None:
                marks.add((place, mark.suffix.lstrip(".")))
        dead = [one for one in left if (one.parent, _attempt_of(one)) not in marks and one.stat().st_mtime < before]
        s3.delete(dead)
        return len(dead)

    def guard(self, path: Path, patience: timedelta | None = None) -> AbstractContextManager[None]:
        return lease.guard(_s3(path).with_name(f".{path.stem}.guard"), lease.PATIENCE if patience is None else patience)

    @contextmanager
    def fence(self, path: Path, change: Callable[[bytes | None], bytes | None]) -> Iterator[None]:
        with self.guard(path):
            self.update(path, change)
            yield

    def update(self, path: Path, change: Callable[[bytes | None], bytes | None]) -> None:
        lease.update(_s3(path), change)

    def size(self, path: Path) -> tuple[int, int]:
        sizes = [one.stat().st_size for one in _s3(path).rglob("*")]
        return len(sizes), sum(sizes)

    @contextmanager
    def local(self, path: Path) -> Iterator[Path]:
        content = path.read_bytes()
        with self.scratch(path.parent, "copy") as scratch:
            (scratch / path.name).write_bytes(content)
            yield scratch / path.name

    def in_sql(self, places: Path, table: str) -> tuple[Path, str]:
        """Without an attempt in its name, only the file without rows fits the pattern."""
        marks = quoted(places / f"{PLACED}.*")
        attempt = "parse_path({0})[-2] || '/' || split_part(parse_filename({0}), '.', 2)"
        placed = f" AND {attempt.format('filename')} IN (SELECT {attempt.format('file')} FROM glob({marks}))"
        return places / f"{table}.*parquet", placed

    def let_read(self, con: duckdb.DuckDBPyConnection, root: Path) -> Callable[[], None]:
        """By httpfs where DuckDB has it here, else through Python."""
        from pipeline.s3.files import Objects
        from pipeline.s3.secret import make_secret

        try:
            con.execute("LOAD httpfs")
        except duckdb.Error:
            con.register_filesystem(objects := Objects(_s3(root)))
            return objects.invalidate_cache
        make_secret(con, _s3(root))
        return lambda: None


BUCKET = Bucket()


def _s3(path: Path) -> S3Path:
    return cast(S3Path, path)


@contextmanager
def _as_seen(path: Path) -> Iterator[None]:
    try:
        yield
        _s3(path).was_written()
    except Changed:
        raise LakeBusy(
            f"{path} was written by somebody else meanwhile, who does the same work; try again when that has ended"
        ) from None


def _attempt_of(path: S3Path) -> str | None:
    match path.name.split("."):
        case [_, attempt, "parquet"]:
            return attempt
    return None


def _marked(place: S3Path) -> tuple[list[S3Path], S3Path | None]:
    """The objects of a placed directory and its mark, which is set here where only the note is there; no mark, no note."""
    objects = list(place.rglob("*"))
    mark = next((one for one in objects if one.name.startswith(f"{PLACED}.")), None)
    note = next((one for one in objects if one.name.endswith(".json")), None)
    if mark is None and note is not None and (seen := s3.head(note)) and seen.attempt:
        mark = place / f"{PLACED}.{seen.attempt}"
        s3.put(mark, b"")
    return objects, mark
