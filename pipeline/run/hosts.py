"""What a shard knows of hosts before it asks them, and what it leaves for those that ask after it. I/O.

It rests on what the lake has, on what finished shards have left and no batch has committed yet (a read batch begins while a pull
is being committed, and the other way round), and on the answers that an earlier try at the shard has kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb

from pipeline.fetch import Memory, host_of
from pipeline.lake.layout import Lake
from pipeline.lake.rows import Tables
from pipeline.lake.staging import staged
from pipeline.lake.work import hosts_seen, robots_seen
from pipeline.run.context import Context, kept_here
from schemas.columns import to_arrow
from schemas.web import Body, HostSeen, Request, RobotsSeen

#: The tables that travel with a batch as they are: what happened, whatever is made of the bytes.
TABLES_OF_HOSTS: dict[str, type] = {"hosts": HostSeen, "robots": RobotsSeen}


def remembered(context: Context, con: duckdb.DuckDBPyConnection, requests: Sequence[Request]) -> Memory:
    """What is known of the hosts of these requests, and of their namesakes with and without www., to which many of them lead."""
    names = {name for r in requests for host in (host_of(r.url),) for name in (host, f"www.{host}", host.removeprefix("www."))}
    memory = Memory()
    # staging first: what is committed between the two looks is then seen twice, and not missed
    hosts, robots = _staged(context.lake)
    now = context.clock()
    for seen in sorted([*hosts_seen(con, sorted(names), now), *hosts], key=lambda s: s.asked_at):
        memory.hosts[seen.host] = _later(memory.hosts.get(seen.host), seen)
    for rules in sorted([*robots_seen(con, sorted(names), now), *robots], key=lambda r: r.read_at):
        memory.robots[rules.origin] = rules
    for seen in _told_before(kept_here(context, content=False)):
        before = memory.hosts.get(seen.host, seen)
        memory.note_host(replace(before, requests=1, closed_until=_later(before, seen).closed_until))
    return memory


def learnt(memory: Memory) -> Tables:
    """The rows to be kept of it."""
    return {"hosts": to_arrow(memory.hosts_new.values(), HostSeen), "robots": to_arrow(memory.robots_new.values(), RobotsSeen)}


def _staged(lake: Lake) -> tuple[list[HostSeen], list[RobotsSeen]]:
    return staged(lake, "hosts", HostSeen), staged(lake, "robots", RobotsSeen)


def _later(before: HostSeen | None, seen: HostSeen) -> HostSeen:
    """A host as last seen, closed for as long as anybody was told."""

    def latest(*told: datetime | None) -> datetime | None:
        return max((at for at in told if at), default=None)

    if before is None:
        return seen
    return replace(
        seen,
        closed_until=latest(before.closed_until, seen.closed_until),
        feeds_closed_until=latest(before.feeds_closed_until, seen.feeds_closed_until),
        pages_closed_until=latest(before.pages_closed_until, seen.pages_closed_until),
    )


def _told_before(bodies: Iterable[Body]) -> Iterable[HostSeen]:
    """The hosts that told an earlier try at this shard to wait."""
    for body in bodies:
        if body.status in (429, 503) and body.retry_after_s:
            until = body.answered_at + timedelta(seconds=body.retry_after_s)
            host = host_of(body.final_url or body.url)
            yield HostSeen(host=host, asked_at=body.answered_at, requests=1, pause_s=0.0, closed_until=until)
