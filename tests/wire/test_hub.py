"""The wire's hub and Newsmill's receiver, each as it is: asked, confirmed, and what is new is pushed, signed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.fetch import Policy
from pipeline.fetch.post import post_form
from pipeline.parse import parse_feed
from pipeline.push import Inbox
from pipeline.push.letter import read
from pipeline.push.receiver import Receiver
from pipeline.push.receiver import serve as receive
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import Asked, Keys, Mode, announced
from pipeline.wire import hub, serve
from schemas.feed import ParsedFeed

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_what_becomes_new_is_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "EVERY_S", 0.05)
    asyncio.run(_pushed(Inbox(tmp_path / "inbox")))


async def _until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not ready():  # noqa: ASYNC110 -- another process would tell no event either
            await asyncio.sleep(0.02)


async def _pushed(inbox: Inbox) -> None:
    now, keys, known, stop = [START], Keys("a secret of the tests"), Subscriptions(inbox.root), asyncio.Event()
    inbox.prepare()
    loop = asyncio.get_running_loop()
    wire_at, receiver_at = loop.create_future(), loop.create_future()
    wire = asyncio.create_task(serve(START, 0, clock=lambda: now[0], ready=wire_at.set_result))
    receiver = Receiver(inbox, keys, lambda _line: None, lambda: now[0])
    receiving = asyncio.create_task(receive(receiver, "127.0.0.1", 0, stop, receiver_at.set_result))
    port = (await wire_at).rstrip("/").rpartition(":")[2]
    topic, at = f"http://tidewater.localhost:{port}/feeds/latest.atom", f"http://tidewater.localhost:{port}/hub"
    policy = Policy(user_agent="test/1", allowed_local=frozenset({f"127.0.0.1:{port}"}))
    callback = f"{await receiver_at}/t/{keys.token('t', topic)}"
    form = {"hub.callback": callback, "hub.mode": "subscribe", "hub.topic": topic, "hub.secret": keys.secret_of("t", topic)}
    refused = [
        await post_form(at, form | other, policy)
        for other in ({"hub.mode": "x"}, {"hub.topic": f"{topic}?"}, {"hub.callback": "http://192.0.2.1/"})
    ]
    assert [accepted for accepted, _ in refused] == [False, True, False]  # what follows the path is no other feed

    known.note_asked(Asked(feed_id="t", topic=topic, hub=at, mode=Mode.SUBSCRIBE, at=START))
    assert await post_form(at, form, policy) == (True, "status 202")
    await _until(lambda: known.heard("t"))
    now[0] += timedelta(minutes=10)
    await _until(inbox.ready)

    letter = read(inbox.ready()[0].read_bytes())
    parsed = parse_feed(letter.content, topic, received_at=now[0])
    assert isinstance(parsed, ParsedFeed) and len(parsed.entries) > 5
    assert announced(None, {"hub": parsed.hub, "self": parsed.topic}, topic) == (at, topic)
    assert (letter.said["feed"], known.heard("t").refused) == ("t", 0)  # type: ignore[union-attr]
    stop.set()
    wire.cancel()
    await asyncio.gather(wire, receiving, return_exceptions=True)
