"""Bytes from the web, politely, and safely enough to be pointed at strangers' servers. I/O.

`fetch` asks for many addresses at once and yields one `Body` for each, whatever the servers do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime

from pipeline.fetch.ask import Asker
from pipeline.fetch.client import Client, host_of
from pipeline.fetch.connect import PublicResolver, open_session
from pipeline.fetch.credentials import header_of
from pipeline.fetch.headers import http_date, well_formed_etag, well_formed_http_date
from pipeline.fetch.local import host_and_port, may_be_opened, opened, plainly_local
from pipeline.fetch.memory import Memory
from pipeline.fetch.policy import Policy
from schemas.web import Body, Request

__all__ = [
    "Memory",
    "Policy",
    "fetch",
    "header_of",
    "host_and_port",
    "host_of",
    "http_date",
    "may_be_opened",
    "opened",
    "plainly_local",
    "well_formed_etag",
    "well_formed_http_date",
]

_AHEAD = 4  # bodies kept ready for a reader that is slow; beyond that the hosts wait, so that memory stays bounded


async def fetch(
    requests: Sequence[Request], policy: Policy, *, clock: Callable[[], datetime], memory: Memory | None = None
) -> AsyncIterator[Body]:
    """One `Body` per request, each as it ends; in order within a host. Never raises for anything a server does.

    Hosts are asked side by side, each one request at a time, and treated as `memory` says they were seen; at the end it says how
    they are seen now. Closing the iterator early (`aclose`) ends what is under way.
    """
    done: asyncio.Queue[Body | None] = asyncio.Queue()
    room = asyncio.Semaphore(_AHEAD)
    resolver = PublicResolver(policy)
    async with open_session(policy, resolver, resolver.proxy_at) as session:
        client = Client(Asker(session=session, resolver=resolver, policy=policy, clock=clock), memory or Memory(), len(requests))

        async def carry_out(queue: Iterable[Request], slots: asyncio.Semaphore) -> None:
            async with slots:
                for request in queue:
                    body = await client.exchange(request)
                    await room.acquire()
                    done.put_nowait(body)

        async def carry_out_all() -> None:
            slots = asyncio.Semaphore(policy.max_hosts)
            try:
                async with asyncio.TaskGroup() as hosts:
                    for queue in _by_host(requests):
                        hosts.create_task(carry_out(queue, slots))
            finally:
                done.put_nowait(None)

        work = asyncio.create_task(carry_out_all())
        try:
            while (body := await done.get()) is not None:
                room.release()
                yield body
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])
            client.remember()
            await resolver.close()


def _by_host(requests: Sequence[Request]) -> Iterable[list[Request]]:
    queues: dict[str, list[Request]] = {}
    for request in requests:
        queues.setdefault(host_of(request.url), []).append(request)
    return queues.values()
