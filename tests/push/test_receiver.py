"""The life of a subscription against a real hub, from asking to its end; and what a hostile hub is answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pipeline.errors import ConfigError
from pipeline.lake import connect
from pipeline.push import Inbox, receiver
from pipeline.push.receiver import Receiver, serve
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import Keys
from pipeline.run import keep_subscriptions, settle, work_shard
from pipeline.run.hubs import BACKUP_MINUTES
from pipeline.settings import Settings
from tests.push.hub import Hub, hub_at_work, rss
from tests.run.publisher import START, settings_for

SECRET = "a secret of the tests"


@dataclass
class Stand:
    """A hub with its publisher, a receiver, a lake, and a clock the test turns."""

    hub: Hub
    settings: Settings
    said: list[str]
    now: datetime = START

    @property
    def known(self) -> Subscriptions:
        return Subscriptions(self.settings.inbox)

    async def stage(self, stage: str) -> None:
        self.now += timedelta(minutes=2)
        batch = f"{self.now:%Y%m%dT%H%M%SZ}"
        await asyncio.to_thread(work_shard, self.settings, stage, batch, 0, self.said.append, lambda: self.now)
        await asyncio.to_thread(settle, self.settings, stage, batch, self.said.append, lambda: self.now)

    async def subscribe(self) -> int:
        return await asyncio.to_thread(keep_subscriptions, self.settings, self.said.append, lambda: self.now)

    def rows(self, query: str) -> list[Any]:
        with connect(self.settings.lake) as con:
            return con.sql(query).fetchall()


@asynccontextmanager
async def standing(run_dir: Path) -> AsyncIterator[Stand]:
    async with hub_at_work() as hub:
        settings = replace(settings_for(run_dir, hub.port), push_secret=SECRET, wire=None)
        stand = Stand(hub, settings, [])
        inbox = Inbox(settings.inbox)
        inbox.prepare()
        until, address = asyncio.Event(), asyncio.get_running_loop().create_future()
        running = asyncio.create_task(
            serve(Receiver(inbox, Keys(SECRET), stand.said.append, lambda: stand.now), "127.0.0.1", 0, until, address.set_result)
        )
        # what may be visited of this machine: the publisher with its hub
        stand.settings = replace(settings, push_url=f"{await address}/a/path", wire=f"127.0.0.1:{hub.port}")
        try:
            yield stand
        finally:
            until.set()
            await running


def on_stand(test: Callable[[Stand], Coroutine[Any, Any, None]], run_dir: Path) -> None:
    async def run() -> None:
        async with standing(run_dir) as stand:
            await test(stand)

    asyncio.run(run())


def test_the_life_of_a_subscription(tmp_path: Path) -> None:
    on_stand(_life, tmp_path)


async def _life(stand: Stand) -> None:
    hub, known = stand.hub, stand.known
    await stand.stage("pull")
    assert stand.rows("SELECT hub, topic FROM feeds") == [(hub.url, f"http://127.0.0.1:{hub.port}/feed")]
    assert await stand.subscribe() == 1
    assert await stand.subscribe() == 0, "it is confirmed, and nothing is to be asked"
    (form,) = hub.asked
    assert (hub.answers, form["hub.mode"], form["hub.lease_seconds"]) == ([(200, "c-1")], "subscribe", "864000")
    assert SECRET not in json.dumps(form) + "".join(path.read_text() for path in known.root.iterdir())

    # a push comes into the lake, and from now on polls are backups
    hub.names = ["second", "first"]
    assert await hub.push(form, rss(hub, *hub.names).encode()) == 202
    await stand.stage("push")
    assert stand.rows("SELECT stage, key FROM lake.entries ORDER BY seen_at, key") == [("pull", "first"), ("push", "second")]
    await stand.stage("pull")
    assert stand.rows("SELECT next_due_at - visited_at >= INTERVAL 59 MINUTE FROM feeds") == [(True,)]
    assert known.live(stand.now) == {"t"}

    # nothing is pushed any more, which the next poll shows: it is asked again, and polled as usual
    hub.names = ["third", "second", "first"]
    stand.now += timedelta(minutes=BACKUP_MINUTES)
    await stand.stage("pull")
    stand.now += timedelta(minutes=11)
    assert await stand.subscribe() == 1
    assert "should have pushed" in "".join(stand.said[-3:]) and "nothing has been pushed since" in stand.said[-1]
    assert known.live(stand.now) == set()
    assert await hub.push(hub.asked[-1], rss(hub, *hub.names).encode()) == 202
    assert known.live(stand.now + timedelta(seconds=1)) == {"t"}

    # the lease is renewed when three quarters of it are over
    stand.now += timedelta(days=8)
    assert await stand.subscribe() == 1
    assert "as the lease ends soon" in stand.said[-1]

    # and ended with the feed
    stand.settings.catalogue.write_text(stand.settings.catalogue.read_text() + "enabled = false\n")
    assert await stand.subscribe() == 1
    assert hub.asked[-1]["hub.mode"] == "unsubscribe" and hub.answers[-1] == (200, "c-1")
    assert await hub.push(form, b"<rss/>") == 410
    stand.now += timedelta(minutes=11)
    assert (await stand.subscribe(), known.all_asked()) == (0, {})
    assert await hub.push(form, b"<rss/>") == 404


def test_what_a_hostile_hub_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "MOST_A_MINUTE", 12)
    on_stand(_hostile, tmp_path)


async def _hostile(stand: Stand) -> None:
    hub, known, inbox = stand.hub, stand.known, Inbox(stand.settings.inbox)
    await stand.stage("pull")
    hub.asks_back = False
    await stand.subscribe()
    (form,) = hub.asked
    other = form | {"hub.callback": form["hub.callback"][:-1] + ("0" if form["hub.callback"][-1] != "0" else "1")}
    up = form | {"hub.callback": form["hub.callback"].replace("/t/", "/..%2Ft/")}

    # questions that nobody asked for
    questions = [
        (form, {"hub.topic": "https://other.example/"}),
        (form, {"hub.mode": "unsubscribe"}),
        (form, {"hub.mode": "<script>"}),
        (form, {"hub.challenge": ""}),
        (form, {"hub.challenge": "x" * 5000}),
        (other, {}),
        (up, {}),
    ]
    assert [(await hub.ask_back(to, **said))[0] for to, said in questions] == [404] * 7
    assert known.heard("t") is None

    # pushes that are not what they should be: nothing lands
    document = rss(hub, "false").encode()
    unsigned = [
        await hub.push(form, document, **{"X-Hub-Signature": ""}),
        await hub.push(form, document, **{"X-Hub-Signature": "sha256=" + "0" * 64}),
        await hub.push(form, document, "md5"),
        await hub.push(form | {"hub.secret": "guessed"}, document),
    ]
    assert unsigned == [202] * 4
    assert await hub.push(form, document, **{"Content-Encoding": "gzip"}) == 415
    assert await hub.push(form, b" " * (receiver.MOST_BYTES + 1)) == 413
    assert await hub.push(other, document) == 404
    assert (inbox.ready(), known.heard("t").refused) == ([], 4)  # type: ignore[union-attr]

    # the weakest signature that is taken, odd leases, and no more than so many
    assert await hub.push(form, document, "sha1", **{"Content-Type": "text/xml\u00e9; a=" + "b" * 900}) == 202
    for said, days in (("0", 1), ("-5", 1), ("1e9", 1), ("99999999999", 90), ("172800", 2)):
        assert await hub.ask_back(form, **{"hub.lease_seconds": said}) == (200, "c-1")
        assert known.heard("t").lease_until == stand.now + timedelta(days=days)  # type: ignore[union-attr]
    pushed = [await hub.push(form, document) for _ in range(8)]
    assert (set(pushed[:5]), set(pushed[-2:]), len(inbox.ready())) == ({202}, {429}, pushed.count(202) + 1)

    # a hub that refuses, and one that is gone: polled as before
    assert (await hub.ask_back(form, **{"hub.mode": "denied", "hub.reason": "no"}))[0] == 200
    hub.status = 500
    stand.now += timedelta(hours=2)
    assert await stand.subscribe() == 1
    assert "refused, status 500 no" in stand.said[-1] and known.live(stand.now) == set()
    async with aiohttp.ClientSession() as session, session.get(f"{stand.settings.push_url}/../../healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"waiting": len(inbox.ready())})


def test_no_hub_inside_is_asked_and_no_secret_is_refused(tmp_path: Path) -> None:
    on_stand(_inside, tmp_path)


async def _inside(stand: Stand) -> None:
    await stand.stage("pull")
    stand.settings = replace(stand.settings, wire=None)
    assert await stand.subscribe() == 1
    assert stand.hub.asked == [] and "refused, " in stand.said[-1] and "127.0.0.1" in stand.said[-1]
    stand.settings = replace(stand.settings, push_secret=None)
    with pytest.raises(ConfigError, match="NEWSMILL_PUSH_SECRET is missing"):
        await stand.subscribe()
