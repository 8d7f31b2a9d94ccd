"""The receiver: a small web server that hubs call. It lands what they push in the inbox, and does nothing else with it. I/O.

A hub is a stranger. It is answered only at addresses that were given to it, what it sends is bounded and must be signed, and what
is wrong is dropped without telling it why.
"""

import asyncio
import hmac
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from aiohttp import web

from pipeline.push.inbox import Inbox
from pipeline.push.letter import Letter
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import LEASE_MOST, LEASE_UNSAID, Asked, Heard, Keys, Mode, is_signed

MOST_BYTES = 15 * 1024 * 1024
#: So many pushes of one feed are taken in a minute; a hub that is refused comes again.
MOST_A_MINUTE = 120
#: While so many drops wait nothing more is landed: whoever should take them does not.
MOST_WAITING = 5000
_LONGEST_CHALLENGE = 4096
_PLACE = r"/{prefix:(?:.*/)?}{feed_id:[a-z0-9][a-z0-9._-]*}/{token:[0-9a-f]{32}}"
_PLAIN = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

Say = Callable[[str], None]
Handler = Callable[[web.Request, Asked], Awaitable[web.Response]]


class Receiver:
    """One inbox's receiver; `app` is its web application."""

    def __init__(self, inbox: Inbox, keys: Keys, say: Say, clock: Callable[[], datetime]) -> None:
        self._inbox, self._keys, self._say, self._clock = inbox, keys, say, clock
        self._known = Subscriptions(inbox.root)
        self._noting = asyncio.Lock()
        self._came: defaultdict[str, deque[float]] = defaultdict(deque)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get(_PLACE, self._asked_for(self._verify))
        app.router.add_post(_PLACE, self._asked_for(self._push))
        return app

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"waiting": len(await asyncio.to_thread(self._inbox.ready))})

    def _asked_for(self, handle: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Only what is at an address that was given to a hub; all others are not there."""

        async def checked(request: web.Request) -> web.Response:
            feed_id, token = request.match_info["feed_id"], request.match_info["token"]
            asked = await asyncio.to_thread(self._known.asked, feed_id)
            if asked is None or not _same(self._keys.token(feed_id, asked.topic), token):
                self._say(f"404 {request.method} from {request.remote}: no such subscription")
                return _answer(404)
            return await handle(request, asked)

        return checked

    async def _verify(self, request: web.Request, asked: Asked) -> web.Response:
        """A hub asks whether we meant it (5.3), or says that it will not (5.2)."""
        query = request.query
        mode, challenge = query.get("hub.mode", ""), query.get("hub.challenge", "")
        if query.get("hub.topic") != asked.topic:
            self._say(f"404 {asked.feed_id}: the hub asks about another topic")
            return _answer(404)
        now = self._clock()
        if mode == "denied":
            why = query.get("hub.reason", "")[:200]
            await self._note(asked, lambda heard: replace(heard, denied_at=now, why=why, lease_until=None))
            self._say(f"200 {asked.feed_id}: the hub refuses: {why!r}")
            return _answer(200)
        if mode != asked.mode or not 0 < len(challenge) <= _LONGEST_CHALLENGE:
            self._say(f"404 {asked.feed_id}: the hub asks to confirm {mode[:40]!r}, we had asked to {asked.mode}")
            return _answer(404)
        until = now + _lease(query.get("hub.lease_seconds")) if mode == Mode.SUBSCRIBE else None
        await self._note(asked, lambda heard: replace(heard, verified_at=now, lease_until=until, why=""))
        self._say(f"200 {asked.feed_id}: confirmed to {mode}" + (f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""))
        return _answer(200, challenge)

    async def _push(self, request: web.Request, asked: Asked) -> web.Response:
        """A hub brings something (7): landed before it is answered."""
        feed_id = asked.feed_id
        if asked.mode != Mode.SUBSCRIBE:
            self._say(f"410 {feed_id}: pushed although we had asked to unsubscribe")
            return _answer(410)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return _answer(415)
        if self._too_often(feed_id):
            self._say(f"429 {feed_id}: more than {MOST_A_MINUTE} pushes in a minute")
            return _answer(429, wait_s=60)
        try:
            content = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._say(f"413 {feed_id}: more than {MOST_BYTES:,} bytes")
            return _answer(413)
        if not is_signed(request.headers.get("X-Hub-Signature"), content, self._keys.secret_of(feed_id, asked.topic)):
            await self._note(asked, lambda heard: replace(heard, refused=heard.refused + 1))
            self._say(f"202 {feed_id}: dropped {len(content):,} bytes, their signature is wrong or missing")
            return _answer(202)
        return await self._land(
            asked, Letter(content, {"feed": feed_id, "content-type": request.headers.get("Content-Type", "")})
        )

    async def _land(self, asked: Asked, letter: Letter) -> web.Response:
        try:
            if len(await asyncio.to_thread(self._inbox.ready)) >= MOST_WAITING:
                self._say(f"503 {asked.feed_id}: {MOST_WAITING} drops wait in {self._inbox.root}, nobody takes them")
                return _answer(503, wait_s=300)
            await asyncio.to_thread(self._inbox.post, letter, asked.feed_id)
            await self._note(asked, lambda heard: replace(heard, pushed_at=self._clock(), pushes=heard.pushes + 1))
        except OSError as error:
            self._say(f"503 {asked.feed_id}: {self._inbox.root} cannot be written: {error.strerror}")
            return _answer(503, wait_s=60)
        self._say(f"202 {asked.feed_id}: {len(letter.content):,} bytes landed")
        return _answer(202)

    async def _note(self, asked: Asked, change: Callable[[Heard], Heard]) -> None:
        async with self._noting:
            heard = await asyncio.to_thread(self._known.heard, asked.feed_id)
            if heard is None or heard.topic != asked.topic:
                heard = Heard(topic=asked.topic)
            await asyncio.to_thread(self._known.note_heard, asked.feed_id, change(heard))

    def _too_often(self, feed_id: str) -> bool:
        came, now = self._came[feed_id], time.monotonic()
        while came and came[0] < now - 60:
            came.popleft()
        came.append(now)
        if len(came) > MOST_A_MINUTE:
            came.pop()
            return True
        return False


def _lease(said: str | None) -> timedelta:
    seconds = int(said) if said and said.isascii() and said.isdigit() and len(said) < 12 else 0
    return min(timedelta(seconds=seconds), LEASE_MOST) if seconds else LEASE_UNSAID


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _answer(status: int, text: str = "", *, wait_s: int = 0) -> web.Response:
    headers = _PLAIN | ({"Retry-After": str(wait_s)} if wait_s else {})
    return web.Response(status=status, text=text, content_type="text/plain", headers=headers)


async def serve(receiver: Receiver, host: str, port: int, until: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serves until the event is set, then ends what is under way.

    Raises:
        OSError: the port is taken or not allowed.
    """
    # what was signed are the bytes as sent, and bytes that are unpacked on the way can grow without end
    runner = web.AppRunner(receiver.app(), access_log=None, shutdown_timeout=5, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        ready(f"http://{host}:{runner.addresses[0][1]}")
        await until.wait()
    finally:
        await runner.cleanup()
