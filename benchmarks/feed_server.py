"""A quick server of feeds on loopback, in a process of its own: any feed that is asked for, and 304 for who has it."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection

_ITEM = "<item><guid>{feed}-{n}</guid><title>Report {n} of {feed} on orders</title>{rest}</item>"
_WORDS = "Orders rose in the quarter and the outlook was kept, the company said on Monday. " * 4
_REST = f"<pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate><description>{_WORDS}</description>"


@cache
def feed(name: str, items: int) -> bytes:
    """A feed whose items no other feed has."""
    inside = "".join(_ITEM.format(feed=name, n=n, rest=_REST) for n in range(items))
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>{inside}</channel></rss>'.encode()


def _answer(head: bytes) -> bytes:
    path = head.split(b" ", 2)[1].decode().split("/")
    if len(path) != 3:  # robots.txt
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    if b"if-none-match:" in head.lower():
        return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    body = feed(path[2], int(path[1]))
    return b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n' % len(body) + body


class _Server(asyncio.Protocol):
    def __init__(self, delay_s: float) -> None:
        self._delay_s, self._head = delay_s, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._head.endswith(b"\r\n\r\n"):
            answer, self._head = _answer(self._head), b""
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
            else:
                self._transport.write(answer)


def _serve(delay_s: float, ports: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Server(delay_s), "127.0.0.1", 0)
        ports.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def serving(delay_s: float = 0.0) -> Iterator[int]:
    """The port of a server of `/<items>/<name>`, which waits so long before each answer."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(delay_s, there))
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()
