"""What the shards of a batch leave for its commit: raw bytes in packs, and finished results. I/O.

Packs are written while a shard still fetches and are never replaced: a retry reads them and asks no server again.
"""

import json
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LossError
from pipeline.lake.durable import make_dirs, place_dir, place_file, remove_dir
from pipeline.lake.layout import STAGES, BatchRef, Lake
from pipeline.lake.rows import Tables, read_tables, write_tables
from pipeline.lake.store import store_of, table_of
from pipeline.s3 import readable
from schemas import bodies_schema
from schemas.columns import Row, from_arrow, to_arrow
from schemas.web import Body

PACK_BYTES = 8_000_000
PACK_BODIES = 100
#: What is written aside takes seconds; after a day nobody is writing it any more.
ABANDONED = timedelta(hours=24)


class PackWriter:
    """Keeps exchanges as they come, in packs of some megabytes; each pack is durable before the next is begun."""

    def __init__(self, directory: Path, label: str) -> None:
        self._directory, self._label = directory, label
        self._waiting: list[Body] = []
        self._bytes = 0

    def add(self, body: Body) -> None:
        self._waiting.append(body)
        self._bytes += len(body.content or b"")
        if self._bytes >= PACK_BYTES or len(self._waiting) >= PACK_BODIES:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        table = to_arrow(self._waiting, Body)
        # packs are read in the order in which they were kept
        name = f"{self._label}-{time.time_ns():016x}-{secrets.token_hex(6)}.parquet"
        place_file(
            self._directory / name,
            lambda aside: pq.write_table(table, aside, compression="zstd", compression_level=3, row_group_size=20),
        )
        self._waiting, self._bytes = [], 0


@contextmanager
def keep(lake: Lake, batch: BatchRef, label: str) -> Iterator[PackWriter]:
    """A writer for the raw bytes of one shard; what was added is kept, also when fetching is broken off by an error."""
    writer = PackWriter(lake.raw(batch), label)
    try:
        yield writer
    finally:
        writer.flush()


def kept_owners(lake: Lake, batch: BatchRef) -> set[str]:
    """The visits and pages whose exchange a batch has kept already, in any shard."""
    tables = (pq.read_table(readable(file), columns=["owner"], partitioning=None) for file in _packs(lake, batch))
    return {owner for table in tables for owner in table["owner"].to_pylist()}


def kept(lake: Lake, batch: BatchRef, wanted: Callable[[str], bool], *, content: bool = True) -> Iterator[Body]:
    """Every exchange a batch has kept whose address is wanted, oldest pack first; the first where an owner was asked twice.

    One pack is in memory at a time; without `content` its bytes are not even read.
    """
    seen: set[str] = set()
    columns = [name for name in bodies_schema().names if content or name != "content"]
    for file in _packs(lake, batch):
        table = pq.read_table(readable(file), schema=bodies_schema(), columns=columns, partitioning=None)
        for body in from_arrow(table.filter(pa.array([wanted(url) for url in table["url"].to_pylist()], pa.bool_())), Body):
            if body.owner not in seen:
                seen.add(body.owner)
                yield body


def _packs(lake: Lake, batch: BatchRef) -> list[Path]:
    return sorted(lake.raw(batch).glob("*.parquet"), key=lambda p: (_kept_at(p), p.name))


def _kept_at(pack: Path) -> int:
    """When a pack was kept, in ns: by its name, as a takedown may write it anew; one of older code, by its time."""
    named = re.search(r"-([0-9a-f]{16})-[0-9a-f]{12}\.parquet$", pack.name)
    return int(named[1], 16) if named else pack.stat().st_mtime_ns


def finish_shard(lake: Lake, batch: BatchRef, shard: str, tables: Tables) -> None:
    """Leaves one shard's results for the commit; where it has left some already, those stay."""
    directory = lake.staging(batch)
    make_dirs(directory)
    with store_of(directory).scratch(lake.root, "shard") as aside:
        write_tables(tables, aside, also_empty=True)
        (aside / "shard.json").write_text(json.dumps({name: table.num_rows for name, table in tables.items()}))
        place_dir(aside, directory / shard)


def is_finished(lake: Lake, batch: BatchRef, shard: str) -> bool:
    return (lake.staging(batch) / shard / "shard.json").is_file()


def finished_shards(lake: Lake, batch: BatchRef) -> list[str]:
    return sorted(p.parent.name for p in lake.staging(batch).glob("*/shard.json") if not p.parent.name.startswith("."))


def shard_tables(lake: Lake, batch: BatchRef, shard: str) -> Tables:
    """What a finished shard left.

    Raises:
        LossError: its files do not hold the rows it said it left.
    """
    directory = lake.staging(batch) / shard
    tables = read_tables(directory)
    said, found = json.loads((directory / "shard.json").read_text()), {name: table.num_rows for name, table in tables.items()}
    if said != found:
        raise LossError(
            f"{directory} should hold the rows {said} and holds {found}; delete it and clear the shard: it is done again"
        )
    return tables


def staged(lake: Lake, table: str, row: type[Row]) -> list[Row]:
    """The rows of a table that finished shards of any batch have left and that may not be in the lake yet."""
    found: list[Row] = []
    for stage in STAGES:
        for batch in unfinished(lake, stage):
            for shard in finished_shards(lake, batch):
                place = lake.staging(batch) / shard
                with suppress(FileNotFoundError):  # it has been committed meanwhile
                    for file in (f for f in store_of(place).files_in(place) if table_of(f) == table):
                        found += from_arrow(pq.read_table(readable(file), partitioning=None), row)
    return found


def unfinished(lake: Lake, stage: str) -> list[BatchRef]:
    """Batches of a stage that were begun and not brought to their end, oldest first."""
    staged = sorted(p.name for p in (lake.root / "staging").glob(f"*-{stage}"))
    return [batch for name in staged if (batch := BatchRef.parse(name))]


def begin(lake: Lake, batch: BatchRef) -> None:
    """Marks a batch as begun, before its first byte is asked for."""
    store_of(lake.root).begin_dir(lake.staging(batch))


def quiet_since(lake: Lake, batch: BatchRef) -> datetime:
    """When a batch that is begun was last seen to move on: it was begun, or a shard left its results."""
    return datetime.fromtimestamp(lake.staging(batch).stat().st_mtime, UTC)


def forget_shards(lake: Lake, batch: BatchRef, shards: Iterable[str]) -> None:
    """Removes what these shards left: it is in the lake now."""
    for shard in shards:
        remove_dir(lake.staging(batch) / shard, lake.root / "staging")


def end(lake: Lake, batch: BatchRef) -> None:
    """Takes back the mark that a batch is begun, unless a shard left something meanwhile; clears what died half-written."""
    store_of(lake.root).end_dir(lake.staging(batch))
    for aside in (lake.root / "staging").glob(".*"):
        with suppress(FileNotFoundError):
            if time.time() - aside.stat().st_mtime > ABANDONED.total_seconds():
                shutil.rmtree(aside, ignore_errors=True)
