"""One way to misbehave and how a batch must take it, and the words to write such ways in. Pure but for what `script` does."""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from schemas.feed import VisitCode
from schemas.outcome import OutcomeCode
from schemas.web import Kind
from tests.fetch.site import NO_ROBOTS, Play, Route, answer

ANY_STATUS = -1  # an answer that breaks while its head is read has one or none, as it comes
Code = VisitCode | OutcomeCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`detail` is a pattern for the whole of the row's detail, None for a row without one. `more` are further columns.

    `entries`, where given, are (title, url, published_at in ISO) of the feed's entries in their order; in an url, HOST stands
    for the case's own scheme, host and port. `seconds` is the most that the exchange may take under the test's policy.
    """

    name: str
    path: str
    how: str
    reply: Route
    kind: Kind
    outcome: Code
    status: int | None = 200
    detail: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    entries: tuple[tuple[str, str | None, str | None], ...] | None = None
    robots: Route = NO_ROBOTS["/robots.txt"]
    others: Mapping[str, Route] = field(default_factory=dict)  # what else its host serves
    url: str = "http://HOST/PATH"
    seconds: float = 6.5


class End(Enum):
    """How a script ends; one that says nothing hangs up."""

    STALL = "say nothing more until the other side goes"
    RESET = "reset the connection"


@dataclass(frozen=True, slots=True)
class Forever:
    """The same bytes again and again."""

    data: bytes
    pause_s: float = 0.0


Step = bytes | float | End | Forever


def script(*steps: Step) -> Play:
    """An answer said step by step: bytes are written, a number is a pause in seconds."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            for step in steps:
                await _act(step, reader, writer)

    return play


async def _act(step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    match step:
        case bytes():
            writer.write(step)
            await writer.drain()
        case Forever():
            while not reader.at_eof() and not writer.is_closing():
                writer.write(step.data)
                await writer.drain()
                await asyncio.sleep(step.pause_s)
        case End.STALL:
            await reader.read()
        case End.RESET:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case float() | int():
            await asyncio.sleep(step)


def head(*lines: str, status: str = "200 OK") -> bytes:
    """A status line and these headers, and no body length of its own."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def rss(*items: str) -> bytes:
    """A feed of these items; without any, of one."""
    inside = "".join(f"<item>{item}</item>" for item in items or ("<guid>1</guid><title>A</title>",))
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{inside}</channel></rss>'.encode()


def feed_answer(body: bytes = rss(), **headers: str) -> bytes:
    return answer(body=body, **{"Content_Type": "application/rss+xml", **headers})


def maker(kind: Kind, room: str) -> Callable[..., Case]:
    """A short way to write the cases of one kind: their name is their room and path."""

    def make(path: str, how: str, reply: Route, outcome: Code, status: int | None = 200, /, **more: object) -> Case:
        name = f"{room}-{path}".replace("/", "-")
        return Case(name=name, path=f"/{room}/{path}", how=how, reply=reply, kind=kind, outcome=outcome, status=status, **more)  # type: ignore[arg-type]

    return make
