"""The inbox: a directory into which documents are dropped, by hand or by the receiver. I/O on local files.

A drop is taken in three steps, each a rename or a removal: it is claimed for a batch (into `.taken/<batch>/`, under a name of its
own), kept in the lake by whoever claimed it, and only then removed. Whoever is killed in between leaves the claim, and the batch
of that id goes on with it.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.lake.durable import make_dirs, write_file
from pipeline.push.letter import SUFFIX, Letter, written

TAKEN, REJECTED = ".taken", "rejected"
#: A file that is written in place is complete, as far as can be told, when it has not changed for so long.
STILL_S = 2.0
#: So many drops are taken by one batch; the others are the next one's.
MOST = 1000
_LONGEST_NAME = 180  # bytes, of the 255 that file systems take
_UNFINISHED = (".tmp", ".part", ".crdownload", ".swp", "~")


@dataclass(frozen=True, slots=True)
class Drop:
    """One claimed document: where it lies, and the name it was dropped under."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.partition("-")[2]


@dataclass(frozen=True, slots=True)
class Inbox:
    """An inbox, in a directory of this machine."""

    root: Path

    def prepare(self) -> None:
        """Makes the directory where there is none.

        Raises:
            ConfigError: there can be none at this place.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"inbox {self.root}: {error.strerror}; name a directory of this machine in NEWSMILL_INBOX"
            ) from None

    def ready(self) -> list[Path]:
        """What can be taken now, oldest first: letters at once, as they come by a rename, other files when they are still.

        Raises:
            ConfigError: the inbox is no directory.
        """
        now, found = time.time(), list[tuple[float, Path]]()
        if self.root.exists() and not self.root.is_dir():
            raise ConfigError(f"inbox {self.root}: no directory; name one of this machine in NEWSMILL_INBOX")
        with suppress(FileNotFoundError):
            for path in self.root.iterdir():
                if path.name.startswith(".") or path.name.endswith(_UNFINISHED):
                    continue
                with suppress(FileNotFoundError):  # somebody else took it
                    # the change time: a rename sets it too, and nobody can set it back
                    changed = path.stat().st_ctime
                    if path.is_file() and (path.suffix == SUFFIX or now - changed >= STILL_S):
                        found.append((changed, path))
        return [path for _, path in sorted(found)]

    def waiting_since(self) -> datetime | None:
        """Since when the oldest drop waits that can be taken."""
        for oldest in self.ready()[:1]:
            with suppress(FileNotFoundError):  # taken just now
                return datetime.fromtimestamp(oldest.stat().st_ctime, UTC)
        return None

    def claim(self, batch_id: str) -> None:
        """Takes what is ready for a batch; what somebody else took meanwhile is theirs."""
        if ready := self.ready()[:MOST]:
            make_dirs(self._claims(batch_id))
        for path in ready:
            with suppress(FileNotFoundError):
                # a name of its own: what is dropped later under the same name is another drop
                path.rename(self._claims(batch_id) / f"{time.time_ns():016x}{secrets.token_hex(2)}-{_plain(path.name)}")

    def claimed(self, batch_id: str) -> Iterator[Drop]:
        """What was taken for a batch and is not removed yet, in the order in which it was taken."""
        with suppress(FileNotFoundError):
            yield from (Drop(path) for path in sorted(self._claims(batch_id).iterdir()))

    def claiming(self) -> list[str]:
        """The batches that have claims."""
        return sorted(path.name for path in (self.root / TAKEN).glob("*"))

    def remove(self, batch_id: str, drops: list[Drop]) -> None:
        """Removes drops: their bytes are kept."""
        for drop in drops:
            drop.path.unlink(missing_ok=True)
        with suppress(OSError):  # not there, or another drop came
            self._claims(batch_id).rmdir()

    def reject(self, drop: Drop, why: str) -> Path:
        """Puts a drop that cannot be taken aside, with a file beside it that says why."""
        make_dirs(self.root / REJECTED)
        place = self.root / REJECTED / drop.name
        if place.exists():
            place = place.with_name(drop.path.name)
        write_file(place.with_name(f"{place.name}.reason"), f"{why}\n".encode())
        drop.path.rename(place)
        return place

    def post(self, letter: Letter, label: str) -> Path:
        """Drops a letter, whole or not at all."""
        place = self.root / f"{time.time_ns():016x}-{label}-{secrets.token_hex(4)}{SUFFIX}"
        write_file(place, written(letter))
        return place

    def _claims(self, batch_id: str) -> Path:
        return self.root / TAKEN / batch_id


def _plain(name: str) -> str:
    """The end of a name, short enough for what is put before and behind it, and nothing in it that no log or row can hold."""
    return "".join(c for c in os.fsencode(name)[-_LONGEST_NAME:].decode("utf-8", "ignore") if c.isprintable())
