"""A real server on 127.0.0.1 that answers with whatever bytes a test wants, and remembers what it was asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.fetch import Policy, fetch
from schemas.web import Body, Kind, Request

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Route = bytes | Play
NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
NO_ROBOTS = {"/robots.txt": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """A whole answer; header names are written with underscores."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines])
    return head.encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    at: float
    done_at: float = 0.0


@dataclass
class Site:
    routes: Mapping[str, Route]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    busy: int = 0
    most_busy: int = 0
    connections: int = 0
    connections_ever: int = 0

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def route(self, asked: Asked) -> Route:
        return self.routes.get(asked.path, answer("404 Not Found"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connections_ever += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        asked = Asked(lines[0].split(" ")[1], {name.lower(): value for name, value in headers.items()}, time.monotonic())
        self.asked.append(asked)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            route = self.route(asked)
            if isinstance(route, bytes):
                writer.write(route)
                await writer.drain()
                return b"Content-Length" in route
            await route(reader, writer)
            return False
        finally:
            self.busy -= 1
            asked.done_at = time.monotonic()


@asynccontextmanager
async def serving(routes: Mapping[str, Route], host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Site]:
    site = Site(NO_ROBOTS | dict(routes))
    server = await asyncio.start_server(site.serve, host, port)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await asyncio.sleep(0)


def policy_for(*sites: Site, **changes: object) -> Policy:
    """A policy in a hurry that may reach these sites."""
    local = frozenset(f"127.0.0.1:{site.port}" for site in sites)
    return Policy(**{"user_agent": "newsmill/1.0", "spacing_s": 0, "allowed_local": local} | changes)  # type: ignore[arg-type]


def request(url: str, kind: Kind = Kind.FEED, **more: str) -> Request:
    return Request(kind=kind, owner="f_1", target="feed", url=url, **more)


async def bodies(requests: list[Request], policy: Policy) -> list[Body]:
    return [body async for body in fetch(requests, policy, clock=lambda: NOW)]


def ask_site(
    routes: Mapping[str, Route], *paths: str, kind: Kind = Kind.FEED, host: str = "127.0.0.1", **changes: object
) -> tuple[list[Body], Site]:
    """Fetch these paths of a site with these routes: the bodies in the order of the paths, and the site."""

    async def run() -> tuple[list[Body], Site]:
        async with serving(routes) as site:
            urls = [path if "://" in path else f"http://{host}:{site.port}{path}" for path in paths]
            found = await bodies([request(url, kind) for url in urls], policy_for(site, **changes))
            return sorted(found, key=lambda body: urls.index(body.url)), site

    return asyncio.run(run())
