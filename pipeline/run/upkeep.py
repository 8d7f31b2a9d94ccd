"""What the lake needs beside the stages: days are closed, and what was missed is found. I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.errors import LakeBusy
from pipeline.lake import connect
from pipeline.lake.close import ClosingReport, close
from pipeline.lake.commit import Clock, Timing, committed, system_clock
from pipeline.lake.durable import write_file
from pipeline.lake.layout import PUSH, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import refuse_if_held
from pipeline.lake.retire import Rules
from pipeline.lake.staging import begin, unfinished
from pipeline.lake.watermark import closing, watermark
from pipeline.lake.work import waiting
from pipeline.push import Inbox
from pipeline.run.account import SETTLED_BEFORE
from pipeline.run.batch import Report, finish_broken_off, has_expired, take_inbox
from pipeline.run.context import Say
from pipeline.settings import Settings


def close_days(settings: Settings, say: Say, clock: Clock = system_clock, grace: timedelta | None = None) -> ClosingReport:
    """Closes the days and months whose time has come, and deletes what was moved before and what is past its keeping.

    Raises:
        LakeBusy: somebody else is closing; the message says who.
        LossError: files do not hold what their batches say; that day stays open.
    """
    stays = settings.grace if grace is None else grace
    rules = Rules(stays, settings.raw_days, drain=stays)
    report = close(Lake(settings.lake), Timing(settings.clock_tolerance, clock), rules, say)
    if not report.closed:
        say("no day was to be closed: each closes at 06:00 UTC of the next")
    return report


def days_to_announce(settings: Settings) -> dict[str, int]:
    """The closed days that were not announced yet, oldest first, each with the rows of its files."""
    lake = Lake(settings.lake)
    announced = (lake.root / "announced").read_text() if (lake.root / "announced").exists() else ""
    found: dict[str, int] = {}
    for day in sorted(p.stem for p in (lake.root / "closed").glob("????-??-??.json")):
        record = closing(lake, day) if day > announced and watermark(lake).covers(date.fromisoformat(day)) else None
        if record:
            found[day] = sum(written.rows for written in record.files.values())
    return found


def note_announced(settings: Settings, days: Iterable[str]) -> None:
    """Notes that these days were announced, and so all before them."""
    if last := max(days, default=None):
        write_file(settings.lake / "announced", last.encode())


#: Which stage takes up what a stage has announced.
FOLLOWED_BY = {"push": "read", "pull": "read", "read": "tag"}
#: A task goes on for half an hour at most: a batch nobody works on of which nothing was seen for so long was left.
LEFT_AFTER = timedelta(minutes=30)
#: Work that waits for so long is not what the last batch announced just now.
OVERDUE = timedelta(minutes=10)


def follow_up(settings: Settings, stage: str, batch_id: str, clock: Clock = system_clock) -> str:
    """Under which batch id the next stage takes up what this batch has brought: the same, while it can.

    A new one where that stage has begun or committed its batch of this id already, and would not look again for what came
    since, or where the id is too old for a batch to ask for anything.
    """
    if stage not in FOLLOWED_BY:
        return batch_id
    lake, follower = Lake(settings.lake), BatchRef(batch_id, FOLLOWED_BY[stage])
    spent = lake.staging(follower).exists() or committed(lake, follower) or has_expired(follower, clock)
    return batch_id_of(clock()) if spent else batch_id


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of one stage found: batches it finished, how much waits for the next stage, and which ids to announce."""

    finished: tuple[Report, ...] = ()
    waiting: int = 0
    announce: tuple[str, ...] = ()


def sweep(settings: Settings, stage: str, say: Say, clock: Clock = system_clock) -> Swept:
    """Finishes the batches of a stage that were left, from what they had kept, and finds what the next stage was not told of.

    Such work is to be announced once, under an id of its own. That batch of the next stage counts as begun from now on, and
    while one is, nothing more is announced: not while it waits for its turn, is at work or fails.
    """
    try:
        finished = tuple(r for r in finish_broken_off(settings, stage, say, clock, LEFT_AFTER) if _brought(r.counts))
        waits_since = Inbox(settings.inbox).waiting_since() if stage == PUSH else None
        if waits_since and clock() - waits_since >= OVERDUE:
            say(f"{stage}: drops wait in {settings.inbox} since {waits_since:%Y-%m-%d %H:%M} UTC")
            finished += tuple(take_inbox(settings, batch_id_of(clock()), say, clock))
    except LakeBusy as busy:
        say(f"{stage}: not this time. {busy}")
        return Swept()
    if stage not in FOLLOWED_BY:
        say(f"{stage}: {len(finished)} batches had been left")
        return Swept(finished, 0, tuple(r.batch_id for r in finished))
    lake, follower, now = Lake(settings.lake), FOLLOWED_BY[stage], clock()
    with connect(lake.root) as con:
        work = waiting(con, follower, now)
    if not work.since or (not finished and now - work.since < OVERDUE):
        say(f"{stage}: nothing was missed, {work.count} wait for the stage {follower}")
        return Swept(finished, work.count)
    told = f"{work.count} wait for the stage {follower}, the oldest since {work.since:%Y-%m-%d %H:%M} UTC"
    if coming := _coming(lake, follower):
        say(f"{stage}: {told}. Not announced: {coming}")
        return Swept(finished, work.count)
    again = BatchRef(batch_id_of(now), follower)
    begin(lake, again)
    say(f"{stage}: {told}. Announced as {again.batch_id}")
    return Swept(finished, work.count, (again.batch_id,))


def _brought(counts: dict[str, int]) -> int:
    """How much of what came into a batch was news to the lake."""
    return counts.get("came_in", 0) - counts.get(SETTLED_BEFORE, 0)


def _coming(lake: Lake, stage: str) -> str | None:
    """Why a batch of the stage may still take up what waits; None where there is none."""
    try:
        refuse_if_held(lake, stage)
    except LakeBusy as busy:
        return str(busy)
    begun = unfinished(lake, stage)
    return f"{begun[0].name} is begun; a sweep ends it where {LEFT_AFTER} go by without a sign of it" if begun else None
