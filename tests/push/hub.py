"""A hub for tests: it takes subscriptions, asks back, and pushes, signed as the recommendation says or as the test wants it."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web


@dataclass
class Hub:
    """What it was asked, what its own questions were answered with; `status` is its answer to who asks."""

    port: int = 0
    status: int = 202
    asks_back: bool = True
    lease_s: str = "864000"
    names: list[str] = field(default_factory=lambda: ["first"])
    asked: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub"

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.asks_back and self.status < 300:
            self.answers.append(await self.ask_back(form))
        return web.Response(status=self.status, text="as you wish" if self.status < 300 else "no")

    async def ask_back(self, form: dict[str, str], **other: str) -> tuple[int, str]:
        """The question whether it was meant, with what the test wants to be other than it should be."""
        said = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": "c-1",
            "hub.lease_seconds": self.lease_s,
        }
        async with aiohttp.ClientSession() as session, session.get(form["hub.callback"], params=said | other) as answer:
            return answer.status, await answer.text()

    async def push(self, form: dict[str, str], content: bytes, method: str = "sha256", **headers: str) -> int:
        """One delivery; `headers` stand in for those it should have."""
        signature = hmac.new(form["hub.secret"].encode(), content, method).hexdigest()
        sent = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"{method}={signature}"} | headers
        kept: dict[str, Any] = {name: value for name, value in sent.items() if value}
        async with aiohttp.ClientSession() as session, session.post(form["hub.callback"], data=content, headers=kept) as answer:
            return answer.status


def rss(hub: Hub, *names: str) -> str:
    """The feed of a publisher that lets this hub push; its items lead nowhere."""
    links = f'<atom:link rel="hub" href="{hub.url}"/><atom:link rel="self" href="http://127.0.0.1:{hub.port}/feed"/>'
    items = "".join(f"<item><guid>{n}</guid><title>{n}</title><description>{n} said so.</description></item>" for n in names)
    return f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title>{links}{items}</channel></rss>'


@asynccontextmanager
async def hub_at_work() -> AsyncIterator[Hub]:
    """A hub, and at /feed the publisher it pushes for, whose `names` the test may change."""
    hub = Hub()

    async def feed(_request: web.Request) -> web.Response:
        return web.Response(text=rss(hub, *hub.names), content_type="application/rss+xml")

    app = web.Application()
    app.router.add_post("/hub", hub.take)
    app.router.add_get("/feed", feed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub.port = runner.addresses[0][1]
    try:
        yield hub
    finally:
        await runner.cleanup()
