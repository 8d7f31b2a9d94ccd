"""Seven kinds of fault in eight phases of a request: each ends in a named outcome within its time, and holds up nobody else."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from pipeline.fetch import Policy, fetch
from schemas.web import Body, FetchCode
from tests.fetch.site import request, serving
from tests.wire_hostile.case import feed_answer, rss
from tests.wire_hostile.faults import ALL, faulty

FEED = rss(*(f"<guid>{n}</guid><title>An entry of some length, to have a middle</title>" for n in range(20)))
TOTAL_S = 4.0


async def through_all() -> dict[str, Body]:
    """What a feed behind each of the faults ends as, and one without a proxy in between, all in one `fetch`."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving({"/feed": feed_answer(FEED)}))
        ports = {fault.name: await stack.enter_async_context(faulty(fault, site.port)) for fault in ALL} | {"well": site.port}
        policy = Policy(
            user_agent="newsmill/1.0",
            spacing_s=0,
            max_hosts=len(ports),
            connect_s=1,
            read_s=1,
            total_s=TOTAL_S,
            allowed_local=frozenset(f"127.0.0.1:{port}" for port in ports.values()),
        )
        asked = [request(f"http://{name}.localhost:{port}/feed") for name, port in ports.items()]
        ended = [body async for body in fetch(asked, policy, clock=lambda: datetime.now(UTC))]
        return {body.url.partition("//")[2].partition(".")[0]: body for body in ended}


def test_every_fault_ends_in_a_named_outcome_in_time() -> None:
    bodies = asyncio.run(through_all())
    expected = {fault.name: FetchCode.OK if fault.is_survived else FetchCode.UNREACHABLE for fault in ALL}
    assert {name: body.code for name, body in bodies.items()} == expected | {"well": FetchCode.OK}
    assert {body.content for body in bodies.values()} == {FEED, None}
    assert all(body.detail for body in bodies.values() if body.code is FetchCode.UNREACHABLE)
    took = {name: (body.answered_at - body.asked_at).total_seconds() for name, body in bodies.items()}
    assert {name: seconds for name, seconds in took.items() if seconds > TOTAL_S + 1} == {}
    assert took["well"] < 1
