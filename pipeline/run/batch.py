"""A batch from its first shard to its commit, the same for every stage. I/O."""

from dataclasses import dataclass, field, replace

from pipeline.lake import connect
from pipeline.lake.commit import Clock, Timing, commit, committed, confirm, system_clock, write_schema_files
from pipeline.lake.layout import STAGES, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold, refuse_if_held
from pipeline.lake.rows import merge
from pipeline.lake.staging import begin, finish_shard, finished_shards, forget, is_finished, shard_tables, unfinished
from pipeline.run import pull, read, tag
from pipeline.run.context import Context, Say
from pipeline.settings import Settings

_STEPS = {"pull": pull, "read": read, "tag": tag}


@dataclass(frozen=True, slots=True)
class Report:
    """What a batch of one stage added to the lake: rows per table, outcomes per code."""

    batch_id: str
    stage: str
    counts: dict[str, int] = field(default_factory=dict)


def work_shard(settings: Settings, stage: str, batch_id: str, shard: int, say: Say, clock: Clock = system_clock) -> None:
    """Does one shard of a batch and leaves its results for `settle`; done before, it does nothing.

    A retry uses the raw bytes that an earlier attempt has kept and asks no server for them again.

    Raises:
        LakeBusy: another batch of the stage, or another attempt at this shard, is at work.
    """
    lake = Lake(settings.lake)
    lake.open_for_writing()
    write_schema_files(lake)
    batch = BatchRef(batch_id, stage)
    label = f"shard-{shard}-of-{settings.shards}"
    if is_finished(lake, batch, label) or any(label in shards for shards in committed(lake, batch).values()):
        say(f"{batch.name} {label}: finished by an earlier attempt")
        return
    with hold(lake, batch, label):
        begin(lake, batch)
        say(f"{batch.name} {label}")
        context = Context(settings, lake, batch, shard, lambda line: say(f"  {line}"), clock)
        finish_shard(lake, batch, label, _STEPS[stage].work(context))


def settle(settings: Settings, stage: str, batch_id: str, say: Say) -> Report:
    """Commits what the finished shards of a batch left, whole or not at all; what is in the lake already stays as it is.

    Raises:
        LakeBusy: another batch of the stage is at work.
        LossError: what came in does not equal what goes out; nothing is committed.
    """
    lake = Lake(settings.lake)
    lake.open_for_writing()
    write_schema_files(lake)
    batch, timing = BatchRef(batch_id, stage), Timing(settings.clock_tolerance)
    with hold(lake, batch, "commit", last=True):
        parts = committed(lake, batch)
        for part in parts:
            confirm(lake, lake.hot(part), timing)
        done = {label for shards in parts.values() for label in shards}
        fresh = [label for label in finished_shards(lake, batch) if label not in done]
        target = batch.derived(len(parts) + 1) if parts else batch
        counts = _commit_shards(lake, batch, target, fresh, timing) if fresh else {}
        forget(lake, batch)
    say(f"{batch.name}: " + (", ".join(f"{n} {what}" for what, n in counts.items()) or "nothing new"))
    return Report(batch_id, stage, counts)


def _commit_shards(lake: Lake, batch: BatchRef, target: BatchRef, fresh: list[str], timing: Timing) -> dict[str, int]:
    """Decides what these shards add to the lake as it is now, and commits that; the counts of it."""
    merged = merge([shard_tables(lake, batch, label) for label in fresh])
    with connect(lake.root) as con:
        decided = _STEPS[batch.stage].decide(con, merged)
    if any(table.num_rows for table in decided.tables.values()):
        commit(lake, target, decided.tables, fresh, timing)
    return decided.counts


def run_once(settings: Settings, say: Say, clock: Clock = system_clock) -> list[Report]:
    """One batch of every stage without Airflow; first it brings to their end the batches that were broken off.

    Raises:
        LakeBusy: somebody else is writing; the message says who.
    """
    alone = replace(settings, shards=1)
    lake = Lake(settings.lake)
    lake.open_for_writing()
    for stage in STAGES:
        refuse_if_held(lake, stage)
    batch_id = batch_id_of(clock())
    reports = []
    for stage in STAGES:
        for broken_off in unfinished(lake, stage):
            say(f"{broken_off.name}: was broken off, going on with it")
            reports.append(_whole(alone, stage, broken_off.batch_id, say, clock))
        reports.append(_whole(alone, stage, batch_id, say, clock))
    return reports


def _whole(settings: Settings, stage: str, batch_id: str, say: Say, clock: Clock) -> Report:
    # held as one, so that nothing is left of the lock when this process is killed between the two steps
    with hold(Lake(settings.lake), BatchRef(batch_id, stage), "newsmill run", last=True):
        work_shard(settings, stage, batch_id, 0, say, clock)
        return settle(settings, stage, batch_id, say)
