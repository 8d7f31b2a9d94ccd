"""Fetching: 2,000 feeds of a local server against a bare loop of the HTTP library, memory, unchanged feeds, and bad neighbours.

The server runs in a process of its own, each side in a fresh one, in turn. Newsmill asks as in a batch: every feed on one of 200
hosts, each host's robots.txt first, one request at a time to a host, no pause between two. The bare loop asks 127.0.0.1 for the
same feeds over the same number of connections and reads the answers. An unchanged feed is what a whole batch of the stage pull
costs where every answer is 304, its commit included, less the bare loop's requests for the same.
"""

import asyncio
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.alone import cpu
from benchmarks.cpu import apart
from benchmarks.feed_server import serving
from benchmarks.table import Line, Options, Table
from pipeline.fetch import Policy, fetch
from pipeline.lake.layout import Lake, batch_id_of
from pipeline.lake.views import prepare
from pipeline.run import settle, work_shard
from pipeline.settings import Settings
from schemas.web import FetchCode, Kind, Request
from tests.wire_hostile.faults import KINDS, Fault, faulty

FEEDS, HOSTS, ITEMS, ROUNDS = 2000, 200, 30, 3
WALL_LIMIT, MEMORY_LIMIT_MB, UNCHANGED_LIMIT_MS, DELAY_LIMIT = 1.5, 300, 1.0, 1.05
_NEIGHBOURS, _ANSWERS, _DELAY_S = len(KINDS), 150, 0.01

Asked = tuple[int, int, int]  # the server's port, feeds, items in each


def _policy(*ports: int) -> Policy:
    return Policy(user_agent="newsmill/1.0", spacing_s=0, allowed_local=frozenset(f"127.0.0.1:{port}" for port in ports))


def ours(asked: Asked, results: Connection) -> None:
    """Sends seconds of wall time and the most memory, in MB, of fetching so many feeds."""
    port, count, items = asked
    urls = [f"http://host-{n % HOSTS}.localhost:{port}/{items}/feed-{n}" for n in range(count)]
    requests = [Request(kind=Kind.FEED, owner=str(n), target=str(n), url=url) for n, url in enumerate(urls)]

    async def run() -> int:
        bodies = fetch(requests, _policy(port), clock=lambda: datetime.now(UTC))
        return sum([body.code is FetchCode.OK async for body in bodies])

    began = time.perf_counter()
    assert asyncio.run(run()) == count
    results.send(("done", (time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)))


def bare(asked: Asked, results: Connection) -> None:
    """Sends seconds of wall time and of CPU of a bare loop; with no items in a feed, of one that has every feed already."""
    port, count, items = asked
    sent = {} if items else {"If-None-Match": '"1"'}

    async def ask(session: aiohttp.ClientSession, slots: asyncio.Semaphore, number: int) -> None:
        url = f"http://127.0.0.1:{port}/{items or 1}/feed-{number}"
        async with slots, session.get(url, headers=sent) as response:
            await response.read()

    async def run() -> None:
        slots = asyncio.Semaphore(_policy().max_hosts)
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(ask(session, slots, n) for n in range(count)))

    began, busy = time.perf_counter(), cpu()
    asyncio.run(run())
    results.send(("done", (time.perf_counter() - began, cpu() - busy)))


def unchanged(asked: Asked, results: Connection) -> None:
    """Sends seconds of CPU of a batch of the stage pull in which no feed has anything new."""
    port, count, _ = asked
    with tempfile.TemporaryDirectory() as place:
        urls = [(n, f"http://host-{n % HOSTS}.localhost:{port}/1/feed-{n}") for n in range(count)]
        catalogue = Path(place) / "feeds.toml"
        catalogue.write_text("".join(f'[[feed]]\nfeed_id = "feed-{n}"\nurl = "{url}"\nevery_minutes = 1\n' for n, url in urls))
        environ = {"NEWSMILL_LAKE": str(Path(place) / "lake"), "NEWSMILL_WIRE": f"127.0.0.1:{port}", "NEWSMILL_SPACING_S": "0"}
        settings = replace(Settings.from_env(environ), catalogue=catalogue, shards=1)
        lake = Lake(settings.lake)
        lake.open_for_writing()
        prepare(lake)
        now = datetime.now(UTC)
        for later in (timedelta(0), timedelta(hours=1)):
            at = now + later
            began = cpu()
            work_shard(settings, "pull", batch_id_of(at), 0, _silent, lambda at=at: at)
            counts = settle(settings, "pull", batch_id_of(at), _silent, lambda at=at: at).counts
        assert counts["unchanged"] == count, counts
        results.send(("done", cpu() - began))


def beside(asked: Asked, results: Connection) -> None:
    """Sends the seconds that one host takes for so many feeds, alone (0 items) or beside hosts that fail in every way."""
    port, count, bad = asked

    async def run() -> float:
        async with AsyncExitStack() as stack:
            faults = [Fault(kind, "headers") for kind in KINDS] if bad else []
            ports = [await stack.enter_async_context(faulty(fault, port)) for fault in faults]
            urls = [f"http://bad-{one}.localhost:{one}/{ITEMS}/feed-0" for one in ports]
            urls += [f"http://well.localhost:{port}/{ITEMS}/feed-{n}" for n in range(count)]
            requests = [Request(kind=Kind.FEED, owner=str(n), target=str(n), url=url) for n, url in enumerate(urls)]
            began = ended = time.perf_counter()
            async for body in fetch(requests, replace(_policy(port, *ports), read_s=1), clock=lambda: datetime.now(UTC)):
                ended = time.perf_counter() if "well" in body.url else ended
            return ended - began

    results.send(("done", asyncio.run(run())))


def measure(options: Options) -> Table:
    count, rounds, take = (20, 1, _at_once) if options.tiny else (FEEDS, ROUNDS, apart)
    with serving() as port, serving(_DELAY_S) as slow:
        pairs = [(take(ours, (port, count, ITEMS)), take(bare, (port, count, ITEMS))) for _ in range(rounds)]
        idle = [(take(unchanged, (port, count, 1)), take(bare, (port, count, 0))[1]) for _ in range(min(rounds, 2))]
        near = [
            (take(beside, (slow, min(count, _ANSWERS), 1)), take(beside, (slow, min(count, _ANSWERS), 0))) for _ in range(rounds)
        ]
    walls = [(mine, other) for (mine, _), (other, _) in pairs]
    lines = [
        _ratio(f"{count} feeds, wall", walls, WALL_LIMIT),
        Line(what="memory", figure=max(mb for (_, mb), _ in pairs), unit="MB", limit=MEMORY_LIMIT_MB),
        Line(
            what="an unchanged feed, CPU beyond the request",
            figure=max(0.001, statistics.median(1000 * (mine - other) / count for mine, other in idle)),
            unit="ms",
            limit=UNCHANGED_LIMIT_MS,
        ),
        _ratio(f"one host beside {_NEIGHBOURS} that fail", near, DELAY_LIMIT),
    ]
    return Table(title=f"fetching from a local server, {HOSTS} hosts, {ITEMS} items a feed", against="bare, alone", lines=lines)


def _ratio(what: str, pairs: list[tuple[float, float]], limit: float) -> Line:
    """The median of the rounds' ratios: what else runs on the machine weighs on both sides of a round."""
    peer = statistics.median(other for _, other in pairs)
    return Line(what=what, figure=peer * statistics.median(one / other for one, other in pairs), unit="s", peer=peer, limit=limit)


def _at_once(act: Callable[[Asked, Connection], None], asked: Asked) -> Any:
    """As `apart`, in this process."""
    here, there = multiprocessing.Pipe()
    act(asked, there)
    return here.recv()[1]


def _silent(_line: str) -> None:
    """Says nothing."""
