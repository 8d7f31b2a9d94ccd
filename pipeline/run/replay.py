"""Makes a lake anew from the raw bytes of another, with the code of today. I/O; the old lake is only read, no server is asked.

Batch by batch, in the order of their commits, under their own ids and days: what a stage makes of the kept bytes is committed as
it would have been. Killed, it goes on where it was: a batch that is in the new lake is done.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from pipeline import __version__
from pipeline.dedupe import KEY_RULE, TEXT_RULE
from pipeline.errors import InputError, LakeError
from pipeline.isolate import Workers
from pipeline.lake import connect, opened_once
from pipeline.lake.close import close
from pipeline.lake.commit import Clock, Parcel, Timing, commit, system_clock
from pipeline.lake.durable import write_file
from pipeline.lake.erase import erase_pending
from pipeline.lake.forget import bury
from pipeline.lake.layout import CLOSER, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.origin import Origin, Part
from pipeline.lake.retire import Rules
from pipeline.lake.store import only_in_directory
from pipeline.lake.views import prepare
from pipeline.lake.watermark import taken, watermark
from pipeline.read import EXTRACTOR
from pipeline.run.context import Decided, Watch, unwatched
from pipeline.run.rederive import BytesLost, Rederiving
from pipeline.settings import Settings
from schemas.outcome import Forgotten


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are replayed; None for `since`: from the first that has raw bytes."""

    since: date | None = None
    until: date = date.max


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay at its end: the batches of its days, those of them without raw bytes, and those before, both as they were."""

    lake: str
    since: date
    until: date
    batches: int
    without_bytes: tuple[str, ...]
    before: int
    orphans: int

    def __str__(self) -> str:
        told = [f"{self.lake}: {self.since} to {self.until} replayed, {self.batches:,} batches"]
        if self.before:
            told.append(f"{self.before:,} batches of days before are carried over as they were")
        if self.without_bytes:
            named = ", ".join(self.without_bytes[:10]) + (" …" if len(self.without_bytes) > 10 else "")
            told.append(f"{len(self.without_bytes):,} batches are as they were, their raw bytes are not there: {named}")
        if self.orphans:
            told.append(f"{self.orphans:,} attempts at entries that this code does not find in their feeds are left out")
        return "\n".join(told)


@opened_once()
def replay_days(settings: Settings, new: Lake, days: Days, watch: Watch = unwatched, clock: Clock = system_clock) -> Replayed:
    """Makes the lake `new` from that of `settings`, or goes on with it, also with what the old one has got since.

    Raises:
        InputError: these days hold nothing that could be replayed, or both lakes are one.
        LakeError: `new` is another's lake, or was begun with other code; or the old lake cannot be read.
        LakeBusy: somebody else replays into `new`.
    """
    for root in (settings.lake, new.root):
        only_in_directory(root, "`newsmill lake replay`", "name a directory as NEW, and one with --lake")
    origin, noted = Origin(Lake(settings.lake.resolve())), _noted(new)
    origin.lake.check()
    if new.root.resolve() in (origin.lake.root, *origin.lake.root.parents) or origin.lake.root in new.root.resolve().parents:
        raise InputError(f"{new.root} is the old lake, or one lies in the other; name another directory for the new one")
    parts = origin.parts(days.until)
    there = sorted({p.day for p in parts if p.asked and origin.has_bytes(p)})
    since = days.since or (date.fromisoformat(noted["since"]) if noted else min(there, default=date.max))
    if since > max(there, default=date.min):
        raise InputError(_nothing(origin, there, days))
    rederiving = Rederiving(settings, origin, new, Workers(), {p.ref.batch_id: p.news_at for p in parts if p.ref.stage == "read"})
    tagger = rederiving.tagger
    code = [__version__, EXTRACTOR, tagger.version, tagger.registry_version, KEY_RULE, TEXT_RULE]
    _claim(new, {"of": str(origin.lake.root), "since": str(since), "code": code}, noted)
    as_they_were = _add_all(rederiving, parts, since, watch, clock)
    again = [p.day for p in parts if p.day >= since]
    before = len(parts) - len(again)
    return Replayed(str(new.root), since, max(again), len(again), tuple(as_they_were), before, rederiving.orphans)


def _add_all(rederiving: Rederiving, parts: Sequence[Part], since: date, watch: Watch, clock: Clock) -> list[str]:
    """Brings all of it into the new lake; which batches are as they were although they were to be replayed."""
    origin, new, settings = rederiving.origin, rederiving.lake, rederiving.settings
    timing = Timing(settings.clock_tolerance)
    new.open_for_writing()
    prepare(new)
    _bury(origin, new, clock(), timing)
    as_they_were: list[str] = []
    with rederiving.workers:
        for done, (part, through) in enumerate(_with_days_done(_with_tags(parts))):
            watch("batches replayed", done, len(parts))
            if not _is_there(new, part):
                origin.give_bytes(part, new)
                if _add(rederiving, part, timing, again=part.day >= since):
                    as_they_were.append(part.ref.name)
            if through:
                _close(Timing(settings.clock_tolerance, clock), settings.grace, origin, new, through)
    # also where the old lake's takedowns were not at their end
    with hold(new, BatchRef(batch_id_of(clock()), CLOSER), "replay", last=True):
        erase_pending(new, timing)
    return as_they_were


def _nothing(origin: Origin, there: Sequence[date], days: Days) -> str:
    told = f"raw bytes are there of {there[0]} to {there[-1]}" if there else "NEWSMILL_RAW_DAYS says how long they are kept"
    until = "" if days.until == date.max else f" up to {days.until}"
    return f"no raw bytes of {days.since or 'any day'}{until} are left in {origin.lake.root}, so nothing can be replayed; {told}"


def _noted(new: Lake) -> dict[str, Any] | None:
    """What the new lake says it is made from; None where nothing was begun there."""
    path = new.root / "replay.json"
    try:
        said: dict[str, Any] = json.loads(path.read_text())
        return {name: said[name] for name in ("of", "since", "code")}
    except FileNotFoundError:
        return None
    except (NotADirectoryError, ValueError, KeyError, TypeError) as e:
        raise LakeError(f"{path} cannot be read ({e}); delete {new.root} and begin anew, or name another directory") from e


def _claim(new: Lake, said: dict[str, Any], noted: dict[str, Any] | None) -> None:
    """Notes in the new lake what it is made from; whoever goes on with it must mean the same, with the same code."""
    if noted is None:
        if new.root.exists() and not all(p.name.startswith(".replay.json.") for p in new.root.iterdir()):
            raise LakeError(f"{new.root} is there and was not begun by a replay; name a directory that is empty or not there yet")
        write_file(new.root / "replay.json", json.dumps(said, indent=1).encode())
    elif differing := [f"{name} was {noted[name]!r}, now {value!r}" for name, value in said.items() if noted[name] != value]:
        raise LakeError(f"{new.root} holds another replay: {'; '.join(differing)}; replay the same, or name another directory")


def _bury(origin: Origin, new: Lake, now: datetime, timing: Timing) -> None:
    """Tombstones come before all else: what was taken down comes to no table, whenever it was."""
    rows = [Forgotten(**row) for row in origin.ask("SELECT DISTINCT ON (id) what, id, why FROM lake.forgotten ORDER BY id")]
    with connect(new.root) as con:
        bury(new, con, rows, now, timing)


def _with_tags(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts; where a batch's articles were tagged by another batch or there were none, its own tags what is new."""
    tagged = {p.ref for p in parts if p.ref.stage == "tag"}
    for part in parts:
        yield part
        own = BatchRef(part.ref.batch_id, "tag")
        if part.ref.stage == "read" and own not in tagged:
            yield Part(own, part.day, part.news_at, asked=False)


def _with_days_done(parts: Iterator[Part]) -> Iterator[tuple[Part, date | None]]:
    """Each part, with the day through which nothing more comes after it where one has been left; days are finished in order."""
    found = list(parts)
    left = [*list(accumulate((p.day for p in reversed(found)), min))[::-1][1:], date.max]
    for part, now, ahead in zip(found, [date.min, *left], left, strict=False):
        yield part, ahead - timedelta(days=1) if ahead > now else None


def _is_there(new: Lake, part: Part) -> bool:
    mark = watermark(new)
    return taken(new, part.day, part.ref.name) if mark.covers(part.day) else new.hot(part.ref, part.day).exists()


def _add(rederiving: Rederiving, part: Part, timing: Timing, *, again: bool) -> bool:
    """Commits what a part adds; True where it is as it was although it was to be replayed, as its bytes are not there."""
    lake = rederiving.lake
    with hold(lake, part.ref, "replay", last=True) as fence:
        lost = False
        with connect(lake.root) as con:
            try:
                decided = rederiving.part(con, part) if again else _as_it_was(rederiving, part)
            except BytesLost:
                decided, lost = _as_it_was(rederiving, part), True
        if any(table.num_rows for table in decided.tables.values()):
            parcel = Parcel(part.ref, decided.tables, ("replay",), decided.counts, decided.not_before, part.day)
            commit(lake, parcel, timing, fence)
        return lost


def _as_it_was(rederiving: Rederiving, part: Part) -> Decided:
    return Decided(rederiving.origin.all_rows(part), {})


def _close(timing: Timing, grace: timedelta, origin: Origin, new: Lake, through: date) -> None:
    """Closes what is closed in the old lake, so that what is known is found as fast after a year as after a week."""
    through = min(through, watermark(origin.lake).through)
    if any(day <= through and not watermark(new).covers(day) for day in new.days()):
        close(new, timing, Rules(grace, None, drain=grace), lambda _line: None, through=through)
