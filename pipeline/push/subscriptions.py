"""What is known of subscriptions: two small files for each feed in the inbox's `.subscriptions`, each with one writer. I/O.

They hold no secret, and nothing that could not be asked for again: where they are lost, feeds are polled until they are back.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pipeline.lake.durable import write_file
from pipeline.push.websub import Asked, Heard, Mode, is_live

Note = TypeVar("Note", Asked, Heard)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The subscriptions of an inbox."""

    inbox: Path

    @property
    def root(self) -> Path:
        return self.inbox / ".subscriptions"

    def asked(self, feed_id: str) -> Asked | None:
        return _read(self.root / f"{feed_id}.asked.json", Asked)

    def heard(self, feed_id: str) -> Heard | None:
        return _read(self.root / f"{feed_id}.heard.json", Heard)

    def note_asked(self, asked: Asked) -> None:
        _write(self.root / f"{asked.feed_id}.asked.json", asked)

    def note_heard(self, feed_id: str, heard: Heard) -> None:
        _write(self.root / f"{feed_id}.heard.json", heard)

    def all_asked(self) -> dict[str, Asked]:
        """What was asked for each feed."""
        names = sorted(path.name.removesuffix(".asked.json") for path in self.root.glob("*.asked.json"))
        return {name: asked for name in names if (asked := self.asked(name))}

    def live(self, now: datetime) -> set[str]:
        """The feeds whose news are pushed, as far as can be told."""
        return {feed for feed, asked in self.all_asked().items() if is_live(asked, self.heard(feed), now)}

    def forget(self, feed_id: str) -> None:
        for kind in ("asked", "heard"):
            (self.root / f"{feed_id}.{kind}.json").unlink(missing_ok=True)


def _read(path: Path, kind: type[Note]) -> Note | None:
    """What a file says; a damaged one says nothing: it is asked for again."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        said: Mapping[str, Any] = json.loads(path.read_bytes())
        return kind(**{f.name: _value(f.name, said[f.name]) for f in fields(kind) if f.name in said})
    return None


def _value(name: str, value: Any) -> Any:
    if name == "mode":
        return Mode(value)
    is_time = name == "at" or name.endswith(("_at", "_until", "_since"))
    return datetime.fromisoformat(value) if is_time and value is not None else value


def _write(path: Path, note: Asked | Heard) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(asdict(note), default=datetime.isoformat, indent=1).encode())
