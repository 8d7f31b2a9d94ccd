"""A lake in a directory, the processes that write, close and read it, and the clock that they share. I/O.

The parent never opens the lake: everything is done by forked children, which can be killed, stopped and made to fail. The clock
runs ahead of the system's by an offset that all processes of a world share, so that a day can pass at once; each may add a skew.
"""

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from struct import pack_into, unpack_from
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.errors import NewsmillError
from pipeline.lake import lock
from pipeline.lake.commit import Timing
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.staging import finish_shard, keep
from pipeline.lake.watermark import closable_from
from pipeline.run import close_days, settle, work_shard
from pipeline.run.batch import finish_broken_off
from pipeline.settings import Settings
from schemas import TABLES, ids, table_schema
from schemas.columns import from_arrow, to_arrow
from schemas.feed import Entry, KeyBasis, PassedOver, Visit, VisitCode
from schemas.outcome import CameIn
from schemas.tag import Company, Mention, Sentiment, Tagging
from schemas.web import Body, FetchCode, Kind
from tests.faults.history import ROWS, History, Read, Seen
from tests.faults.inject import Plan, Steps

TOLERANCE = timedelta(milliseconds=200)
SHARD = "shard-0-of-1"
#: A child that takes longer hangs, and that is a failure of its own.
LONGEST_S = 60


def warm_up() -> None:
    """Does once what every child would have to do again: imports, schemas, type hints. Leaves no thread behind."""
    from pyarrow import compute, dataset  # noqa: F401

    for name, table in TABLES.items():
        table_schema(name)
        from_arrow(to_arrow([], table.row), table.row)
    for stage in ROWS:
        for name, rows in _rows(Unit(0, stage, "20260101T000000Z"), datetime.now(UTC)).items():
            if name in TABLES:
                from_arrow(rows, TABLES[name].row)
    with duckdb.connect() as con:
        con.execute("SELECT 1").fetchall()


class Clock:
    """Seconds since 1970, ahead of the system's by what all processes of a world share, and by a skew of this one."""

    def __init__(self) -> None:
        self._shared = mmap(-1, 16)
        self.skew = 0.0

    def true(self) -> float:
        return time.time() + unpack_from("d", self._shared)[0]

    def advance(self, to: datetime) -> None:
        pack_into("d", self._shared, 0, max(0.0, to.timestamp() - time.time()))

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.true() + self.skew, UTC)

    @property
    def stopped(self) -> bool:
        return bool(self._shared[8])

    def stop(self) -> None:
        """Tells all readers to end."""
        self._shared[8] = 1


@dataclass(frozen=True, slots=True)
class Unit:
    """What one batch brings; `kept` ones come as a feed's bytes, which the real stage reads."""

    number: int
    stage: str
    batch_id: str
    kept: bool = False

    @property
    def batch(self) -> BatchRef:
        return BatchRef(self.batch_id, self.stage)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: ok with a value, error with words, killed, stopped or hung; and at which call, where a plan struck."""

    how: str
    value: Any = None
    step: str = ""
    pid: int = 0


class World:
    """One lake and everything that happens to it."""

    def __init__(self, name: str, seed: str, grace: timedelta = timedelta(hours=6), *, ahead: bool = True) -> None:
        self.name, self.random = name, random.Random(f"{seed}/{name}")
        self.root = Path(tempfile.mkdtemp(prefix=f"faults-{name.replace(':', '-')}-", dir=_fast()))
        (self.root / "feeds.toml").write_text("")
        self.settings = Settings(
            lake=self.root / "lake", catalogue=self.root / "feeds.toml", shards=1, clock_tolerance=TOLERANCE, grace=grace
        )
        self.lake = Lake(self.settings.lake)
        self.clock, self.steps = Clock(), Steps()
        # a batch stamps its rows by the system's clock, whatever clock its stage was given
        Timing.__init__.__defaults__ = (self.clock,)
        # between two tasks a stage is its batch's for a minute and a half, which would have to be waited for after a failure
        lock.LEASE = timedelta(0)
        if ahead:  # so that days can pass, and a month ends soon
            self.clock.advance((datetime.now(UTC).replace(day=1) + timedelta(days=32)).replace(day=26, hour=9))
        self.units: list[Unit] = []
        self.acknowledged: dict[int, float] = {}
        self.cases: Counter[str] = Counter()
        self.failures: list[str] = []
        self.readers: list[int] = []
        self.reads = 0
        self.tick: Callable[[int], None] = lambda _done: None
        self.unlocked: set[int] = set()
        self.at_end: list[Callable[[], Any]] = []
        self.expect("prepare", self.child(lambda: close_days(self.settings, _say)))

    # what is done to the lake, each in a child

    def child(self, work: Callable[[], Any], plan: Plan | None = None, *, wait: bool = True, skew: float = 0.0) -> Ended:
        """Forks a child that does something to the lake, under a plan where there is one."""
        self.tick(self.cases.total())
        self.steps.clear()
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            signal.alarm(LONGEST_S)
            if plan:  # libraries complain there of what fails by plan
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            self.clock.skew = skew
            os.write(writing, json.dumps(self._outcome(work, plan)).encode())
            os._exit(0)
        os.close(writing)
        if not wait:
            os.set_inheritable(reading, False)
            return Ended("running", reading, pid=pid)
        return self.wait(Ended("running", reading, pid=pid))

    def wait(self, running: Ended) -> Ended:
        """How a child ended, or that it stopped."""
        _, status = os.waitpid(running.pid, os.WUNTRACED)
        hit = self.steps.hit
        step = self.steps.made()[hit - 1] if hit > 0 else ""
        if os.WIFSTOPPED(status):
            return replace(running, how="stopped", step=step)
        with os.fdopen(running.value, "rb") as told:
            said = told.read()
        if os.WIFSIGNALED(status):
            how = "killed" if os.WTERMSIG(status) == signal.SIGKILL else "hung"
            return Ended(how, f"signal {os.WTERMSIG(status)}", step, running.pid)
        how, value = json.loads(said)
        return Ended(how, value, step, running.pid)

    def _outcome(self, work: Callable[[], Any], plan: Plan | None) -> tuple[str, Any]:
        try:
            if plan:
                self.steps.arm(self.lake.root, plan)
            value = work()
            return "ok", value if isinstance(value, int | float | str | dict | list | tuple | None) else None
        except (NewsmillError, OSError, duckdb.Error, pa.ArrowException) as error:
            return "error", f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent decides what it means
            return "error", f"unexpected {type(error).__name__}: {error}"
        finally:
            if plan:
                self.steps.disarm()

    def expect(self, what: str, ended: Ended) -> Ended:
        """Notes it as a failure where something did not end well that nothing disturbed."""
        if ended.how != "ok":
            self.failures.append(f"{what}: {ended.how}, {ended.value}")
        return ended

    def new_unit(self, stage: str | None = None) -> Unit:
        """The next unit, as a batch of a stage that begins now."""
        number = len(self.units)
        time.sleep(0.002)  # a batch id has milliseconds
        kept = stage is None and number % 8 == 4
        unit = Unit(number, stage or ("tag" if number % 2 else "pull"), batch_id_of(self.clock()), kept)
        self.units.append(unit)
        return unit

    def deliver(self, unit: Unit) -> float:
        """Brings a unit into the lake, as the tasks of a batch would; when that was done. In a child."""
        if unit.kept:
            if not any(self.lake.raw(unit.batch).glob("*.parquet")):
                with keep(self.lake, unit.batch, "shard-0") as packs:
                    packs.add(_body(unit, self.clock()))
            work_shard(self.settings, unit.stage, unit.batch_id, 0, _say, self.clock)
        else:
            finish_shard(self.lake, unit.batch, SHARD, _rows(unit, self.clock()))
        settle(self.settings, unit.stage, unit.batch_id, _say, self.clock)
        return self.clock.true()

    def acknowledge(self, unit: Unit, ended: Ended) -> Ended:
        """Notes that a unit was delivered, where it was."""
        if ended.how == "ok":
            self.acknowledged.setdefault(unit.number, ended.value)
        return ended

    def recover(self) -> float:
        """Brings to its end whatever was broken off. In a child."""
        for stage in ROWS:
            finish_broken_off(self.settings, stage, _say, self.clock)
        return self.clock.true()

    def is_durable(self, unit: Unit) -> bool:
        """Whether enough of a unit lies on the disk for a recovery to bring it into the lake."""
        done = (self.lake.staging(unit.batch) / SHARD).is_dir() or any(self.lake.raw(unit.batch).glob("[!.]*.parquet"))
        return done or any(self.lake.root.glob(f"hot/date=*/{unit.batch.name}"))

    def close(self) -> Any:
        return close_days(self.settings, _say, self.clock)

    def to_next_closing(self) -> None:
        """Lets time pass to the moment at which the day can be closed that is today."""
        self.clock.advance(closable_from(self.clock().date()) + timedelta(seconds=1))

    # what comes of it

    def history(self) -> History:
        """Ends the readers; everything that they and the writers saw. The last read is made by a reader that starts now."""
        from tests.faults.readers import look

        self.clock.stop()
        for pid in self.readers:
            _, status = os.waitpid(pid, 0)
            if status:
                self.failures.append(f"a reader ended with status {status}")
        last = self.expect("last read", self.child(lambda: look(self)))
        reads = [read_of(json.loads(line)) for file in self.root.glob("*.reads") for line in file.read_text().splitlines()]
        available, problems = ({int(u): at for u, at in last.value[0].items()}, last.value[1]) if last.how == "ok" else ({}, [])
        self.failures += problems
        stages, grace = {u.number: u.stage for u in self.units}, self.settings.grace.total_seconds()
        return History(stages, self.acknowledged, available, reads, grace, frozenset(self.unlocked))

    def remove(self) -> None:
        for undo in self.at_end:
            undo()
        shutil.rmtree(self.root, ignore_errors=True)


def _say(_line: str) -> None:
    """What a stage tells is not wanted here."""


def _fast() -> str | None:
    """Memory, where there is plenty: what is proved is the order of steps, and fsync costs nothing there."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2e9 else None


def read_of(said: list[Any]) -> Read:
    reader, began, ended, skew, as_of, seen, error, outdated = said
    """One line of what a reader wrote."""
    tables = tuple(Seen(table, int(whole, 16), {int(u): tuple(n) for u, n in odd.items()}) for table, whole, odd in seen)
    return Read(reader, began, ended, skew, as_of, tables, error, outdated)


def _rows(unit: Unit, at: datetime) -> dict[str, pa.Table]:
    """What the shard of a unit leaves."""
    name = f"u{unit.number:06d}"
    if unit.stage == "pull":
        entries = [
            Entry(
                entry_id=f"{name}-{i}", revision="", wording=f"w{unit.number}", feed_id=name, source="", visit_id=name,
                seen_at=at, position=i, key=str(i), key_basis=KeyBasis.GUID, title=f"{unit.number} {i} " * 20,
            )
            for i in range(ROWS["pull"]["entries"])
        ]  # fmt: skip
        visit = Visit(
            visit_id=name, feed_id=name, source="", url="", visited_at=at, outcome=VisitCode.PARSED, next_due_at=at,
            due_rule="interval", entries_seen=len(entries),
        )  # fmt: skip
        return {
            "came_in": to_arrow([CameIn(id=name, name=name)], CameIn),
            "visits": to_arrow([visit], Visit),
            "entries": to_arrow(entries, Entry),
            "passed_over": to_arrow([], PassedOver),
        }
    tagging = Tagging(
        tagging_id=name, version_id=name, article_id=name, news_at=at, tagger="1", registry="1", mentions=3, companies=0
    )
    mentions = [
        Mention(
            tagging_id=name, version_id=name, article_id=name, company_id="", name="", news_at=at, field="text", start=10 * i,
            end=10 * i + 5, surface="", alias_kind="name", link_score=1.0, in_ad=False,
        )
        for i in range(ROWS["tag"]["mentions"])
    ]  # fmt: skip
    return {
        "came_in": to_arrow([CameIn(id=name, name=name)], CameIn),
        "taggings": to_arrow([tagging], Tagging),
        "mentions": to_arrow(mentions, Mention),
        "sentiments": to_arrow([], Sentiment),
        "companies": to_arrow([], Company),
    }


def _body(unit: Unit, at: datetime) -> Body:
    """A feed's answer, as the pull stage keeps it."""
    name = f"u{unit.number:06d}"
    items = "".join(f"<item><guid>{i}</guid><title>{unit.number} {i}</title></item>" for i in range(ROWS["pull"]["entries"]))
    content = f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    return Body(
        kind=Kind.FEED, owner=ids.visit_id(unit.batch_id, name), target=name, url="https://t.example/feed", asked_at=at,
        answered_at=at,        code=FetchCode.OK, status=200, content=content, sha256=ids.content_hash(name),
    )  # fmt: skip
