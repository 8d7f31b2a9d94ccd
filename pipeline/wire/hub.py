"""The sample wire's WebSub hub: takes subscriptions to its feeds that announce it, and pushes them as they change. Does the I/O.

It calls this machine alone, as the wire itself answers no other.
"""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

HUB_PATH = "/hub"
EVERY_S = 1.0
_LEASES_S = (60, 864_000)
_MOST = 100  # subscriptions
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
#: The bytes that stand at a feed's address now; None where none announces the hub there.
Feed = Callable[[str], bytes | None]


@dataclass(slots=True)
class Subscriber:
    """Whom to push a topic to, signed with what, for how long, and what was pushed last."""

    secret: str
    until: float
    last: str


class Hub:
    """The hub of one wire."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._subscribers: dict[tuple[str, str], Subscriber] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """A subscriber asks; whether it meant it is asked back (5.1, 5.3)."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        callback, topic, mode = (form.get(f"hub.{name}", "") for name in ("callback", "topic", "mode"))
        if mode not in ("subscribe", "unsubscribe") or len(form.get("hub.secret", "")) >= 200:
            return web.Response(status=400, text="hub.mode is subscribe or unsubscribe, and a secret shorter than 200 bytes\n")
        if urlsplit(callback).hostname not in _HERE or len(self._subscribers) >= _MOST:
            return web.Response(status=403, text="this hub calls this machine alone\n")
        if self._feed(topic) is None:
            return web.Response(status=404, text="no feed with this hub is at hub.topic\n")
        task = asyncio.create_task(self._ask_back(form))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return web.Response(status=202)

    async def _ask_back(self, form: dict[str, str]) -> None:
        callback, topic, mode = form["hub.callback"], form["hub.topic"], form["hub.mode"]
        last = sha256(self._feed(topic) or b"").hexdigest()
        wished, challenge = form.get("hub.lease_seconds", ""), secrets.token_hex(8)
        lease_s = min(max(int(wished) if wished.isdigit() else _LEASES_S[1], _LEASES_S[0]), _LEASES_S[1])
        asked = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": str(lease_s)}
        with suppress(aiohttp.ClientError, TimeoutError):
            async with _session() as session, session.get(callback, params=asked) as answer:
                meant = answer.status == 200 and await answer.text() == challenge
            if meant and mode == "unsubscribe":
                self._subscribers.pop((callback, topic), None)
            elif meant:
                until = asyncio.get_running_loop().time() + lease_s
                self._subscribers[callback, topic] = Subscriber(form.get("hub.secret", ""), until, last)

    async def pushing(self, _app: web.Application) -> AsyncIterator[None]:
        """Pushes what has changed for as long as the wire serves."""
        task = asyncio.create_task(self._push_for_ever())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _push_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            for (callback, topic), to in list(self._subscribers.items()):
                if asyncio.get_running_loop().time() > to.until:
                    del self._subscribers[callback, topic]
                elif (now := sha256(content := self._feed(topic) or b"").hexdigest()) != to.last:
                    with suppress(aiohttp.ClientError, TimeoutError):
                        await self._push(callback, topic, to.secret, content)
                        to.last = now

    async def _push(self, callback: str, topic: str, secret: str, content: bytes) -> None:
        parts = urlsplit(topic)
        link = f'<{parts.scheme}://{parts.netloc}{HUB_PATH}>; rel="hub", <{topic}>; rel="self"'
        headers = {"Content-Type": "application/atom+xml; charset=utf-8", "Link": link}
        if secret:
            headers["X-Hub-Signature"] = f"sha256={hmac.new(secret.encode(), content, 'sha256').hexdigest()}"
        async with _session() as session, session.post(callback, data=content, headers=headers) as answer:
            answer.raise_for_status()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
