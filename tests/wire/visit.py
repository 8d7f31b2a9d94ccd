"""A running wire whose clock the test sets, and visits to it as a publisher's host."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path

from pipeline.wire import serve
from pipeline.wire.newsroom import Article

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Stands still until it is told to move."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def after(self, minutes: float) -> None:
        self.now = START + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the line."""

    status: int
    body: bytes
    headers: Message


@dataclass
class Wire:
    """A wire that serves on loopback."""

    port: int
    clock: Clock = field(default_factory=Clock)

    def get(self, host: str, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask a publisher (its key) or, for an empty key, the bare address; redirects are not followed."""
        name = f"{host}.localhost:{self.port}" if host else f"127.0.0.1:{self.port}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = {"Host": name} | {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), answer.headers)
        finally:
            connection.close()


@contextmanager
def running(since: Path | datetime, clock: Callable[[], datetime], articles: list[Article] | None = None) -> Iterator[Wire]:
    """The wire, served from a thread until the block ends; `articles` instead of those that are written for it."""
    listening = threading.Event()
    bases: list[str] = []
    loop = asyncio.new_event_loop()

    def ready(base: str) -> None:
        bases.append(base)
        listening.set()

    task = loop.create_task(serve(since, 0, clock=clock, ready=ready, articles=articles))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])))
    thread.start()
    try:
        assert listening.wait(10), "the wire did not start"
        yield Wire(port=int(bases[0].rstrip("/").rsplit(":", 1)[1]), clock=clock if isinstance(clock, Clock) else Clock(clock()))
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        loop.close()
