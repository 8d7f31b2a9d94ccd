"""Each limit of time by name: to connect, to the next byte, for the whole exchange with all its hops; and who it is that asks."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest

from pipeline import __version__
from pipeline.run.context import policy
from pipeline.settings import Settings
from schemas.web import Body, FetchCode
from tests.fetch.site import Play, Site, answer, ask_site, bodies, policy_for, request


@contextlib.contextmanager
def full() -> Iterator[int]:
    """The port of a server that accepts nobody and whose queue is full: who knocks hears nothing."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses instead of keeping silent")
def test_the_connect_timeout() -> None:
    with full() as port:
        asked = request(f"http://127.0.0.1:{port}/")
        (body,) = asyncio.run(bodies([asked], policy_for(Site({}, port), connect_s=0.2, read_s=5, total_s=5)))
    assert (body.code, body.status, body.detail) == (FetchCode.UNREACHABLE, None, "no connection within 0.2 s")


def every(seconds: float, data: bytes) -> Play:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(seconds)

    return play


def ended(play: Play, **limits: float) -> Body:
    (body,), _ = ask_site({"/": play}, "/", **limits)
    assert body.code is FetchCode.UNREACHABLE
    return body


def test_the_read_timeout_counts_from_the_last_byte() -> None:
    assert ended(every(9, b"x"), read_s=0.2, total_s=5).detail == "nothing came for 0.2 s"


def test_the_total_timeout_counts_though_bytes_keep_coming() -> None:
    assert ended(every(0.05, b"x"), read_s=5, total_s=0.3).detail == "not finished within 0.3 s"


def test_the_total_timeout_counts_over_all_hops() -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer("302 Found", Location="/again"))
        await writer.drain()

    (body,), site = ask_site({"/": slow, "/again": every(0.05, b"x")}, "/", read_s=5, total_s=0.4)
    assert (body.detail, site.paths()) == ("not finished within 0.4 s", ["/robots.txt", "/", "/again"])


def test_the_user_agent_says_who_asks_and_how_to_reach_them() -> None:
    contact = Settings.from_env({"NEWSMILL_CONTACT": "news@example.org"})
    agent = policy(contact).user_agent
    assert agent == f"Newsmill/{__version__} (news reader; news@example.org)"
    _, site = ask_site({"/": answer()}, "/", user_agent=agent)
    assert {asked.headers["user-agent"] for asked in site.asked} == {agent}
    assert policy(Settings.from_env({})).user_agent == f"Newsmill/{__version__} (news reader; no contact set)"
