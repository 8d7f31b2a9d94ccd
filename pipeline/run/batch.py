"""A batch from its first shard to its commit, the same for every stage. I/O."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import duckdb

from pipeline.errors import DayClosed, LakeBusy, Overtaken
from pipeline.lake import connect, opened_once
from pipeline.lake.commit import (
    Clock,
    Parcel,
    Timing,
    commit,
    committed,
    confirm_batches,
    day_of,
    next_part,
    recommit_corrections,
    system_clock,
)
from pipeline.lake.durable import remove_dir
from pipeline.lake.erase_raw import drop_bodies
from pipeline.lake.layout import PUSH, STAGES, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import Fence, hold, refuse_if_held
from pipeline.lake.rows import Tables, merge
from pipeline.lake.staging import (
    begin,
    end,
    finish_shard,
    finished_shards,
    forget_shards,
    is_finished,
    kept_owners,
    quiet_since,
    shard_tables,
    unfinished,
)
from pipeline.lake.views import prepare, turn_away
from pipeline.lake.watermark import LIFETIME, late
from pipeline.lake.work import known_pages, known_visits
from pipeline.push import Inbox
from pipeline.run import pull, push, read, tag
from pipeline.run.account import SHARDS_MISSING, balance, in_words
from pipeline.run.beside import rests_on, unless_overtaken
from pipeline.run.context import Context, Decided, Say, Watch, unwatched
from pipeline.run.hosts import TABLES_OF_HOSTS
from pipeline.run.hubs import keep_subscriptions
from pipeline.run.takedown import gone_documents, gone_pages
from pipeline.settings import Settings
from schemas.columns import from_arrow
from schemas.outcome import CameIn

Sums = Mapping[str, int]

_STEPS = {"push": push, "pull": pull, "read": read, "tag": tag}


@dataclass(frozen=True, slots=True)
class Report:
    """A batch of one stage as it stands in the lake: what came in, how often each end occurs, `missing` (0: else it fails)."""

    batch_id: str
    stage: str
    counts: dict[str, int] = field(default_factory=dict)


@opened_once()
def work_shard(settings: Settings, stage: str, batch_id: str, shard: int, say: Say, clock: Clock = system_clock) -> None:
    """Does one shard of a batch and leaves its results for `settle`; done before, it does nothing.

    A retry uses the raw bytes that an earlier attempt has kept and asks no server for them again. A batch older than its
    lifetime, or of a closed day, asks nothing at all: it is brought to its end from what it had, the rest is a newer batch's.

    Raises:
        LakeBusy: another batch of the stage, or another attempt at this shard, is at work.
    """
    _work(Context(settings, _opened(settings), BatchRef(batch_id, stage), shard, say, clock))


def _work(context: Context) -> None:
    lake, batch, say = context.lake, context.batch, context.say
    label = f"shard-{context.shard}-of-{context.settings.shards}"
    parts = committed(lake, batch)
    if is_finished(lake, batch, label) or any(label in note["shards"] for note in parts.values()):
        if is_finished(lake, batch, label) or not _still_kept(lake, batch):
            say(f"{batch.name} {label}: finished by an earlier attempt; what has come due since is the next batch's")
            return
        label = f"{label}-again-{len(parts)}"  # another attempt kept more since
    with hold(lake, batch, label):
        begin(lake, batch)
        expired = context.expired or has_expired(batch, context.clock)
        told = " asks for nothing: it is old or was left, and what is due is the next batch's" if expired else ""
        say(f"{batch.name} {label}{told}")
        inner = replace(context, say=lambda line: say(f"  {line}"), expired=expired)
        finish_shard(lake, batch, label, _STEPS[batch.stage].work(inner))


@opened_once()
def settle(settings: Settings, stage: str, batch_id: str, say: Say, clock: Clock = system_clock) -> Report:
    """Commits what the finished shards of a batch left, whole or not at all; what is in the lake already stays as it is.

    Raises:
        LakeBusy: another batch of the stage is at work.
        LossError: what came in does not equal what goes out; nothing is committed.
    """
    lake = _opened(settings)
    batch, timing = BatchRef(batch_id, stage), Timing(settings.clock_tolerance)
    with hold(lake, batch, "commit", last=True) as fence:
        confirm_batches(lake, committed(lake, batch), timing)
        taken, idle = _commit_finished(lake, batch, timing, fence, clock)
        _drop_gone(lake, batch, taken)
        forget_shards(lake, batch, taken)
        if not _still_kept(lake, batch):
            end(lake, batch)
    report = _report(settings, batch, committed(lake, batch), taken, idle)
    lacking = report.counts.get(SHARDS_MISSING, 0)
    told = f"; {settings.shards - lacking} of {settings.shards} shards have left results" if lacking else ""
    say(f"{batch.name}: {in_words(report.counts)}{told}")
    return report


def _opened(settings: Settings) -> Lake:
    lake = Lake(settings.lake)
    lake.open_for_writing()
    prepare(lake)
    return lake


def has_expired(batch: BatchRef, clock: Clock) -> bool:
    """Whether a batch may ask for nothing any more, and what it has kept goes under a derived id into a day that is open.

    Where only its day is closed, a clock ran ahead and closed it too early: it asks, and is committed under a day that is open.
    """
    return clock() - batch.began > LIFETIME


def _report(settings: Settings, batch: BatchRef, parts: Mapping[BatchRef, Any], taken: list[str], idle: Sums) -> Report:
    """The account of a batch: of its parts in the lake, and of shards that had nothing to add to it."""
    counts: Counter[str] = Counter({"came_in": 0, "missing": 0})
    for sums in (*(note["counts"] for note in parts.values()), idle):
        counts.update(sums)
    labels = {*taken, *(label for note in parts.values() for label in note["shards"])}
    # shards of another number are those of `newsmill run`, which goes on with a batch of airflow's as one
    lacking = settings.shards - sum(label.endswith(f"-of-{settings.shards}") for label in labels)
    return Report(batch.batch_id, batch.stage, dict(counts) | ({SHARDS_MISSING: lacking} if lacking else {}))


def _commit_finished(lake: Lake, batch: BatchRef, timing: Timing, fence: Fence, clock: Clock) -> tuple[list[str], Sums]:
    """Commits what shards have finished and the lake does not hold.

    Returns the shards whose results it holds now, and the account of those that had nothing to add to it.
    Where the batch's day was closed meanwhile, it is decided once more and committed under a derived id; once more it is decided
    also where something was taken down.
    """
    finished = finished_shards(lake, batch)
    while True:
        parts = committed(lake, batch)
        done = {label for note in parts.values() for label in note["shards"]}
        fresh = tuple(label for label in finished if label not in done)
        if not fresh:
            return finished, {}
        merged = merge([shard_tables(lake, batch, label) for label in fresh])
        before = rests_on(lake, batch.stage)
        with connect(lake.root) as con:
            decided = _decide(con, batch, merged)
        if not any(table.num_rows for table in decided.tables.values()):
            return finished, decided.counts
        target, day = next_part(lake, batch, clock(), late=has_expired(batch, clock))
        with suppress(DayClosed, Overtaken):
            parcel = Parcel(target, decided.tables, fresh, decided.counts, decided.not_before, day)
            commit(lake, parcel, timing, partial(unless_overtaken, lake, batch.stage, before, fence))


def _drop_gone(lake: Lake, batch: BatchRef, shards: list[str]) -> None:
    """Drops the bytes in which a batch met what was taken down, now that all else in them is in the lake."""
    find = {"push": gone_documents, "pull": gone_documents, "read": gone_pages}.get(batch.stage)
    if find and shards:
        with connect(lake.root) as con:
            if con.sql("SELECT 1 FROM lake.forgotten LIMIT 1").fetchall():
                drop_bodies(lake, batch, find(con, merge([shard_tables(lake, batch, label) for label in shards])))


def _decide(con: duckdb.DuckDBPyConnection, batch: BatchRef, merged: Tables) -> Decided:
    """What these results add to the lake; its account is part of the counts, or nothing is committed."""
    step, came_in = _STEPS[batch.stage], from_arrow(merged["came_in"], CameIn)
    decided = step.decide(con, merged)
    before = decided.taken_down | step.settled_before(con, batch, [one.id for one in came_in])
    sums = balance(batch, came_in, decided.tables, before)
    as_learnt = {name: merged[name] for name in TABLES_OF_HOSTS if name in merged}
    return replace(decided, tables=decided.tables | as_learnt, counts={**sums, **decided.counts})


def _still_kept(lake: Lake, batch: BatchRef) -> bool:
    """Whether the batch has kept answers that no shard has brought into the lake; then it stays begun and can be gone on with."""
    owners = kept_owners(lake, batch)
    if not owners:
        return False
    with connect(lake.root) as con:
        known = (known_pages if batch.stage == "read" else known_visits)(con, list(owners), batch.date)
    return bool(owners - known)


@opened_once()
def run_once(settings: Settings, say: Say, clock: Clock = system_clock, watch: Watch = unwatched) -> list[Report]:
    """One batch of every stage without Airflow; first it brings to their end the batches that were broken off.

    Raises:
        LakeBusy: somebody else is writing; the message says who.
    """
    alone = replace(settings, shards=1)
    lake = Lake(settings.lake)
    lake.open_for_writing()
    stages = (PUSH, *STAGES) if has_pushed(alone) else STAGES
    for stage in stages:
        refuse_if_held(lake, stage)
    batch_id = batch_id_of(clock())
    reports = []
    problem: Exception | None = None
    for stage in stages:
        try:
            reports += finish_broken_off(alone, stage, say, clock)
        except LakeBusy:
            raise
        except Exception as error:  # noqa: BLE001 - what cannot be finished must not hold up what is new; it is raised at the end
            problem = problem or error
        reports.append(_whole(alone, BatchRef(batch_id, stage), say, clock, watch=watch))
    if problem:
        raise problem
    keep_subscriptions(settings, say, clock)
    return reports


def take_inbox(settings: Settings, batch_id: str, say: Say, clock: Clock = system_clock) -> list[Report]:
    """A batch of what lies in the inbox, the last; first those that were broken off are brought to their end.

    Raises:
        LakeBusy: somebody else takes from it.
    """
    alone, finished = replace(settings, shards=1), list[Report]()
    problem: Exception | None = None
    try:
        finished = finish_broken_off(alone, PUSH, say, clock)
    except LakeBusy:
        raise
    except Exception as error:  # noqa: BLE001 - one drop that cannot be taken must not hold up all others; it is raised at the end
        problem = error
    new = _whole(alone, BatchRef(batch_id, PUSH), say, clock)
    if problem:
        raise problem
    return [*finished, new]


def has_pushed(settings: Settings) -> bool:
    """Whether something waits in the inbox, or was taken from it and is not in the lake yet."""
    inbox = Inbox(settings.inbox)
    return bool(inbox.ready() or inbox.claiming() or unfinished(Lake(settings.lake), PUSH))


@opened_once()
def finish_broken_off(
    settings: Settings, stage: str, say: Say, clock: Clock = system_clock, left_for: timedelta | None = None
) -> list[Report]:
    """Brings to their end the batches of a stage that were begun and left, and what came too late for its day.

    With `left_for`, only batches of which nothing was seen for so long, and no server is asked for what they lack. A batch that
    cannot be finished stays as it is and holds up no other; what is wrong with it is raised when the others are done.

    Raises:
        LakeBusy: somebody is at work on the stage; what was left is finished the next time.
    """
    lake = _opened(settings)
    refuse_if_held(lake, stage)
    recommit_corrections(lake, stage, Timing(settings.clock_tolerance), say)
    if stage == PUSH:  # a claim without a batch, as when the lake is another one
        for claim in filter(None, (BatchRef.parse(f"{name}-{PUSH}") for name in Inbox(settings.inbox).claiming())):
            begin(lake, claim)
    missed = {place: ref for place in late(lake) if (ref := BatchRef.parse(place.name)) and ref.stage == stage}
    left = {b for b in unfinished(lake, stage) if left_for is None or clock() - quiet_since(lake, b) >= left_for}
    for place, ref in missed.items():
        turn_away(lake, day_of(place), clock())
        begin(lake, BatchRef(ref.root, stage))
        left.add(BatchRef(ref.root, stage))
    reports, problems = [], dict[BatchRef, Exception]()
    for broken_off in sorted(left, key=lambda b: b.name):
        say(f"{broken_off.name}: was broken off, going on with it")
        try:
            reports.append(_whole(replace(settings, shards=1), broken_off, say, clock, kept_only=left_for is not None))
        except LakeBusy:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            say(f"{broken_off.name}: cannot be finished, it stays as it is: {error}")
            problems[broken_off] = error
    for place in (p for p, ref in missed.items() if BatchRef(ref.root, stage) not in problems):
        say(f"{place.name}: its day was closed without it, its work has been done again")
        remove_dir(place, lake.root / "staging")
    for problem in problems.values():
        raise problem
    return reports


def _whole(
    settings: Settings, batch: BatchRef, say: Say, clock: Clock, *, kept_only: bool = False, watch: Watch = unwatched
) -> Report:
    # held as one, so that nothing is left of the lock when this process is killed between the two steps
    with hold(Lake(settings.lake), batch, "sweep" if kept_only else "newsmill run", last=True):
        _work(Context(settings, _opened(settings), batch, 0, say, clock, kept_only, watch))
        return settle(settings, batch.stage, batch.batch_id, say, clock)
