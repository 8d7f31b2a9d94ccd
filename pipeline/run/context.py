"""What one shard of a batch works with, and what it does the same way in every stage. I/O."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from pipeline import __version__
from pipeline.errors import LossError
from pipeline.feeds import load_catalogue, shard_of
from pipeline.fetch import Memory, Policy, fetch, host_and_port, opened
from pipeline.lake.commit import Clock
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.rows import Tables
from pipeline.lake.staging import keep, kept, kept_owners
from pipeline.settings import Settings
from schemas.web import Body, Request

Say = Callable[[str], None]
#: Is told what is being done, how much of it is done, and how much there is.
Watch = Callable[[str, int, int], None]


def unwatched(_what: str, _done: int, _of: int) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, slots=True)
class Context:
    """One shard of one batch: where it reads and writes, how it speaks, and its clock; `expired` ones ask no server."""

    settings: Settings
    lake: Lake
    batch: BatchRef
    shard: int
    say: Say
    clock: Clock
    expired: bool = False
    watch: Watch = unwatched


@dataclass(frozen=True, slots=True)
class Decided:
    """What a batch adds to the lake, how that is summed up, and from when all it rests on could be read.

    What came in and has been taken down since adds nothing.
    """

    tables: Tables
    counts: dict[str, int]
    not_before: datetime | None = None
    taken_down: frozenset[str] = frozenset()


def is_mine(context: Context, host: str) -> bool:
    """Whether a host (or whatever else work is cut by) belongs to this shard."""
    return shard_of(host, context.settings.shards) == context.shard


def host_of(url: str | None) -> str:
    """Host and port of a link, lower case; empty where there is none."""
    try:
        return urlsplit(url or "").netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def ask(context: Context, requests: list[Request], known: dict[str, str | None], memory: Memory) -> None:
    """Asks what no earlier attempt has asked, and keeps every answer.

    `known` maps targets to the hash of the bytes already held; the same bytes are not kept twice. `memory` is what is known of
    the hosts, and is told what is known afterwards.
    """
    have = kept_owners(context.lake, context.batch)
    asked = [r for r in requests if r.owner not in have]
    if again := len(requests) - len(asked):
        context.say(f"{again} answers kept by an earlier attempt are used again")
    asyncio.run(_keep_all(context, asked, known, memory))
    if missing := {r.owner for r in asked} - kept_owners(context.lake, context.batch):
        raise LossError(f"{len(missing)} of {len(asked)} requests have no answer, not even a failed one: {sorted(missing)[:5]}")


def kept_here(context: Context, *, content: bool = True) -> Iterator[Body]:
    """Every exchange that the batch has kept so far and that belongs to this shard; a stream, as not all may fit in memory."""
    return kept(context.lake, context.batch, lambda url: is_mine(context, host_of(url)), content=content)


async def _keep_all(context: Context, requests: list[Request], known: dict[str, str | None], memory: Memory) -> None:
    what = "feeds asked" if context.batch.stage == "pull" else "pages asked"
    with keep(context.lake, context.batch, f"shard-{context.shard}") as packs:
        context.watch(what, 0, len(requests))
        done = 0
        async for body in exchanges(context.settings, requests, context.clock, memory):
            context.watch(what, done := done + 1, len(requests))
            same = body.sha256 is not None and body.sha256 == known.get(body.target)
            packs.add(replace(body, content=None) if same else body)


async def exchanges(
    settings: Settings, requests: Sequence[Request], clock: Clock, memory: Memory | None = None
) -> AsyncGenerator[Body, None]:
    """One `Body` per request. What one local feed opens is open to its own requests alone.

    So each has connections of its own, too: one kept open to a local address must not serve a stranger's request.
    """
    memory = memory or Memory()  # of all groups: one host's turns are one queue
    for local in sorted({r.local or "" for r in requests}):
        open_now = await asyncio.to_thread(opened, local) if local else frozenset[str]()
        group = [r for r in requests if (r.local or "") == local]
        async for body in fetch(group, policy(settings, open_now), clock=clock, memory=memory):
            yield body


def local_feeds(settings: Settings) -> dict[str, str]:
    """What each local feed of the catalogue opens, as "host:port", by feed_id.

    Raises:
        ConfigError: the catalogue cannot be used; without it the pages of local feeds would be refused for good.
    """
    return {feed.feed_id: host_and_port(feed.url) for feed in load_catalogue(settings.catalogue) if feed.local}


def policy(settings: Settings, local: frozenset[str] = frozenset()) -> Policy:
    """How Newsmill behaves towards servers under these settings; `local` are "ip:port" pairs open besides the wire's."""
    contact = settings.contact or "no contact set"
    return Policy(
        user_agent=f"Newsmill/{__version__} (news reader; {contact})",
        spacing_s=settings.spacing_s,
        proxy=settings.proxy,
        allowed_local=local | ({settings.wire} if settings.wire else set()),
    )


def a_day_before(moments: Iterable[datetime]) -> date:
    """A day that no batch in which something happened at these moments can lie before."""
    return min((m.date() for m in moments), default=date.max) - timedelta(days=1)


def tally(codes: Iterable[str]) -> str:
    """How often each code occurs, in words: '3 parsed, 1 unchanged'."""
    counts: dict[str, int] = {}
    for code in codes:
        counts[code] = counts.get(code, 0) + 1
    return ", ".join(f"{n} {code}" for code, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))) or "nothing"
