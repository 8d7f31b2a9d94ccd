"""The files of the indexes, one per month of the lake: search/<month>/, and in it newsmill.json, which says what is indexed. I/O.

They can be made again at any time and are never the truth. One that is without its newsmill.json, was made by other code or does
not open is half-written, old or damaged: it is taken away and made anew. Whoever writes holds the guard `search`.
"""

import json
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import LakeBusy
from pipeline.lake.durable import make_dirs, remove_dir, write_file
from pipeline.lake.layout import Lake
from pipeline.lake.lock import guarded
from pipeline.lake.search.index import VERSION, open_index

if TYPE_CHECKING:
    import tantivy

GUARD, STATE = "search", "newsmill.json"
#: So long a takedown waits for whoever writes an index; after that the next closing does it.
PATIENCE = timedelta(seconds=5)


def available() -> bool:
    """Whether indexes can be used here: the extra `search` is installed."""
    return find_spec("tantivy") is not None


@dataclass(frozen=True, slots=True)
class Indexed:
    """What of a month is in its index: every day through one, and batches of the days after it."""

    through: date | None = None
    batches: dict[date, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shard:
    """The index of one month, like 2026-11."""

    lake: Lake
    month: str

    @property
    def place(self) -> Path:
        return self.lake.root / "search" / self.month

    def state(self) -> Indexed | None:
        """What is in it; None where that is not known or other code made it."""
        try:
            said = json.loads((self.place / STATE).read_text())
            if said["made_by"] != _made_by():
                return None
            through = said["through"] and date.fromisoformat(said["through"])
            return Indexed(through, {date.fromisoformat(day): frozenset(names) for day, names in said["batches"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def opened(self, *, whole: bool = False) -> "tuple[tantivy.Index, Indexed] | None":
        """The index and what is in it; None where it is not to be used. `whole` reads every byte of it again."""
        said = self.state()
        if said is None or not self._is_as_written(whole=whole):
            return None
        try:
            index = open_index(self.place)
            index.searcher()
        except ValueError:  # tantivy's word for whatever it cannot read
            return None
        return index, said

    def _is_as_written(self, *, whole: bool) -> bool:
        """Whether the files are those that were written; bytes are read where a file's time is another, as in a copied lake."""
        said = json.loads((self.place / STATE).read_text()).get("files", {})
        try:
            there = {path.name: path.stat() for path in _files(self.place)}
            return said.keys() == there.keys() and all(
                said[name][0] == stat.st_size
                and ((not whole and said[name][1] == stat.st_mtime_ns) or said[name][2] == _sum(self.place / name))
                for name, stat in there.items()
            )
        except OSError:
            return False

    def write_state(self, indexed: Indexed) -> None:
        """Says what is in it, as the last step of whoever has written to it."""
        batches = {str(day): sorted(names) for day, names in sorted(indexed.batches.items())}
        through = indexed.through and str(indexed.through)
        files = {path.name: (path.stat().st_size, path.stat().st_mtime_ns, _sum(path)) for path in _files(self.place)}
        said = {"made_by": _made_by(), "through": through, "batches": batches, "files": files}
        write_file(self.place / STATE, json.dumps(said, indent=0).encode())

    def remove(self) -> None:
        """Takes it away in one step; who has it open goes on reading what is deleted."""
        make_dirs(self.lake.root / "staging")
        remove_dir(self.place, self.lake.root / "staging")


def _made_by() -> str:
    return f"{VERSION} tantivy {version('tantivy')}"


def _files(place: Path) -> list[Path]:
    """The files that hold the index."""
    return [path for path in place.iterdir() if not path.name.startswith(".") and path.name != STATE]


def _sum(path: Path) -> int:
    return zlib.crc32(path.read_bytes())


def shards_of(lake: Lake) -> list[Shard]:
    """Every index there is, whatever its state, oldest first."""
    return [Shard(lake, path.name) for path in sorted((lake.root / "search").glob("*")) if path.is_dir()]


def remove_all(lake: Lake) -> None:
    """Takes all indexes away."""
    with guarded(lake, GUARD):
        for shard in shards_of(lake):
            shard.remove()


def forget_indexed(lake: Lake, articles: Collection[str]) -> bool:
    """Takes every index away that may hold words of these articles; False where somebody is writing one just now.

    An index cannot take the words of one document out of its files; it is made anew when it is asked next.
    """
    if not articles or not (lake.root / "search").exists():
        return True
    try:
        with guarded(lake, GUARD, patience=PATIENCE):
            for shard in shards_of(lake):
                if _may_hold(shard, articles):
                    shard.remove()
    except LakeBusy:
        return False
    return True


def _may_hold(shard: Shard, articles: Collection[str]) -> bool:
    """Also of documents that were deleted, whose words are still there."""
    there = shard.opened() if available() else None
    if there is None:
        return True
    searcher = there[0].searcher()
    return any(searcher.doc_freq("article_id", article) for article in articles)
