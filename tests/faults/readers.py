"""Those who read a lake while it is written, closed and broken: each read becomes a line of history. I/O.

One keeps its connection until that is outdated, one opens news.duckdb for every read, with nothing but DuckDB and from another
directory. Both ask what is there, and what was there as of a moment.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import duckdb

from pipeline.lake import connect
from pipeline.lake.durable import sha256
from pipeline.lake.layout import Lake
from pipeline.lake.staging import unfinished
from pipeline.lake.watermark import closing, late
from tests.faults.history import ROWS, seen_of
from tests.faults.world import TOLERANCE, World

#: Of each table the view that is asked, what names the unit and what names a row in it.
VIEWS = {
    "visits": ("lake.visits", "feed_id", "visit_id"),
    "feeds": ("feeds", "feed_id", "visit_id"),
    "entries": ("lake.entries", "feed_id", "entry_id"),
    "outcomes": ("lake.outcomes", "feed_id", "entry_id"),
    "taggings": ("lake.taggings", "version_id", "tagging_id"),
    "mentions": ("mentions", "version_id", "start"),
}
MOSTLY = ("entries", "outcomes", "mentions")
AS_OF = ("outcomes", "mentions")
#: So long before now, in seconds, is asked; the last ones are spread over all the days of a world.
AGO = (0.0, 0.05, 0.5, 1.0, 2.0, 6.0, 3_600.0, 86_400.0, 4 * 86_400.0, 9 * 86_400.0)
OUTDATED = "close it and open the lake again"
#: An outdated view that is opened anew and outdated again, so often in a row, would never be anything else.
MOST_OUTDATED = 5


def start(world: World, number: int = 2) -> None:
    """Lets readers loose, their clocks as far apart as is tolerated."""
    half = TOLERANCE.total_seconds() / 2
    for i in range(number):
        fresh, skew = bool(i % 2), half if i % 2 else -half
        pid = os.fork()
        if not pid:
            status = 1
            with suppress(BaseException):
                os.nice(5)
                _read_on(world, f"{'fresh' if fresh else 'kept'} reader {i}", skew, _plain if fresh else connect)
                status = 0
            os._exit(status)
        world.readers.append(pid)


def _plain(lake: Any) -> duckdb.DuckDBPyConnection:
    """As anybody opens it who has DuckDB and the file."""
    return duckdb.connect(str(lake / "news.duckdb"), read_only=True)


def _read_on(world: World, name: str, skew: float, opened: Callable[[Any], duckdb.DuckDBPyConnection]) -> None:
    parent, chance, con, outdated = os.getppid(), random.Random(name), None, 0
    os.chdir("/")
    with (world.root / f"{name}.reads").open("w", buffering=1) as file:
        for turn in count():
            if world.clock.stopped or os.getppid() != parent:
                return
            began, as_of, seen, error = world.clock.true(), None, [], None
            if turn % 2:
                as_of = round(began + skew - chance.choice(AGO) * chance.uniform(0.5, 1), 3)
            try:
                con = con or opened(world.lake.root)
                tables = tuple(VIEWS) if turn % 8 == 0 else MOSTLY
                seen = _tables(con, tables if as_of is None else (chance.choice(AS_OF),), as_of)
            except duckdb.Error as problem:
                error = f"{type(problem).__name__}: {problem}"
            outdated = outdated + 1 if OUTDATED in (error or "") else 0
            line = [name, began, world.clock.true(), skew, as_of, seen, error, 0 < outdated < MOST_OUTDATED]
            file.write(json.dumps(line) + "\n")
            if con and (error or opened is _plain or turn % 200 == 199):
                con.close()
                con = None


def _tables(con: duckdb.DuckDBPyConnection, tables: tuple[str, ...], as_of: float | None) -> list[Any]:
    """Each table as history wants it, asked one after the other."""
    found = []
    for table in tables:
        view, unit, row = VIEWS[table]
        if as_of is not None:
            view = f"{table}_as_of(TIMESTAMPTZ '{datetime.fromtimestamp(as_of, UTC).isoformat()}')"
        counts = con.execute(
            f"SELECT CAST({unit}[2:] AS INT), count(*), count(DISTINCT {row}) FROM {view} GROUP BY ALL"
        ).fetchall()
        seen = seen_of(table, counts)
        found.append([table, f"{seen.whole:x}", seen.odd])
    return found


def read_once(world: World) -> Any:
    """A single read of every table, as a line of history."""
    began = world.clock.true()
    with connect(world.lake.root) as con:
        seen = _tables(con, tuple(VIEWS), None)
    return ["once", began, world.clock.true(), 0.0, None, seen, None, False]


def look(world: World) -> Any:
    """The last reads of a world, and what its files say: from when each unit was available at last, and what is wrong."""
    problems: list[str] = []
    with connect(world.lake.root) as con, (world.root / "last.reads").open("w") as file:
        for days_ago in (None, 0, *(d / 2 for d in range(24))):
            began = world.clock.true()
            as_of = None if days_ago is None else round(began - days_ago * 86_400, 3)
            seen = _tables(con, tuple(VIEWS) if as_of is None else AS_OF, as_of)
            file.write(json.dumps(["last reader", began, world.clock.true(), 0.0, as_of, seen, None, False]) + "\n")
        rows = " UNION ALL ".join(f"SELECT {VIEWS[t][1]} AS unit, available_at FROM {VIEWS[t][0]}" for t in VIEWS if t != "feeds")
        times = con.execute(
            f"SELECT CAST(unit[2:] AS INT), epoch_us(min(available_at)), epoch_us(max(available_at)) FROM ({rows}) GROUP BY ALL"
        ).fetchall()
    problems += [f"unit {unit} says two times at which it was available" for unit, first, last in times if first != last]
    problems += [*_left(world), *_wrong_files(world.lake)]
    return {unit: last / 1e6 for unit, _, last in times}, problems


def _left(world: World) -> Iterator[str]:
    """What a recovery should have brought to its end."""
    for place in late(world.lake):
        yield f"{place} was left: its day was closed without it"
    for stage in ROWS:
        for batch in unfinished(world.lake, stage):
            yield f"{batch.name} was left unfinished"


def _wrong_files(lake: Lake) -> Iterator[str]:
    """Files of closed days and months that are not as their closing wrote them."""
    for path in sorted((lake.root / "closed").glob("*.json")):
        record = closing(lake, path.stem)
        for name, written in record.files.items() if record else ():
            file = lake.root / name
            if file.exists() and (file.stat().st_size, sha256(file)) != (written.bytes, written.sha256):
                yield f"{name} is not what {path.name} says was written"
