"""The hostile wire as a server on loopback: every case on a host of its own, <name>.localhost, so that none waits for another."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from schemas.web import Kind
from tests.fetch.site import NO_ROBOTS, Asked, Route, Site, answer
from tests.fetch.test_address import LOOPBACK, NAMES, NETWORKS_V4, edges
from tests.wire_hostile.answers import answers
from tests.wire_hostile.case import Case, feed_answer, rss
from tests.wire_hostile.documents import documents
from tests.wire_hostile.fields import fields
from tests.wire_hostile.packed import packed
from tests.wire_hostile.pages import pages
from tests.wire_hostile.phases import phases
from tests.wire_hostile.validators import validators
from tests.wire_hostile.ways import ways

INDEX = "pages"  # the host of the feed whose entries lead to the pages
INSIDE = "inside"  # that of the feed whose entries lead into the private network


def all_cases() -> list[Case]:
    return [*answers(), *phases(), *packed(), *ways(), *documents(), *fields(), *validators(), *pages()]


def address(case: Case, port: int) -> str:
    return case.url.replace("HOST", f"{case.name}.localhost:{port}").replace("/PATH", case.path)


def inside(port: int) -> list[str]:
    """Links to a server on loopback in every spelling, and to the private network."""
    return [f"http://{host}:{port}/" for host in [*LOOPBACK, *NAMES]] + [f"http://{ip}/" for ip in edges(NETWORKS_V4)]


class HostileSite(Site):
    """Looks answers up by host and path."""

    def __init__(self, cases: Sequence[Case]) -> None:
        super().__init__({})
        self.by_host = {case.name: {**case.others, case.path: case.reply, "/robots.txt": case.robots} for case in cases}
        self.pages = [case for case in cases if case.kind is Kind.PAGE]
        self.canary = Site(NO_ROBOTS)  # where those entries lead to; nobody may knock there

    def route(self, asked: Asked) -> Route:
        host = asked.headers.get("host", "").partition(".")[0]
        if host == INDEX and asked.path == "/feed":
            return feed_answer(rss(*(f"<title>{c.name}</title><link>{address(c, self.port)}</link>" for c in self.pages)))
        if host == INSIDE and asked.path == "/feed":
            return feed_answer(
                rss(*(f"<title>I{n}</title><link>{link}</link>" for n, link in enumerate(inside(self.canary.port))))
            )
        return self.by_host.get(host, {}).get(asked.path, answer("404 Not Found"))


@contextmanager
def hostile_wire(cases: Sequence[Case], port: int = 0) -> Iterator[HostileSite]:
    """Serves the cases, from a thread of its own, until the block ends."""
    site = HostileSite(cases)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(site.serve, "127.0.0.1", port))
    canary = loop.run_until_complete(asyncio.start_server(site.canary.serve, "127.0.0.1", 0))
    site.port, site.canary.port = (one.sockets[0].getsockname()[1] for one in (server, canary))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, canary), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(*servers: asyncio.Server) -> None:
    for server in servers:
        server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def catalogue_of(cases: Sequence[Case], port: int) -> str:
    """The feeds as a catalogue; the pages, and the private network, by a feed that leads there."""
    feeds = {case.name: address(case, port) for case in cases if case.kind is Kind.FEED}
    if any(case.kind is Kind.PAGE for case in cases):
        feeds |= {name: f"http://{name}.localhost:{port}/feed" for name in (INDEX, INSIDE)}
    return "".join(f'[[feed]]\nfeed_id = "{name}"\nurl = "{url}"\nevery_minutes = 1\n' for name, url in feeds.items())
