"""Subscribes to the hubs that visited feeds announce, renews, and notices where push has gone silent. I/O.

Polling never stops: a feed whose news are pushed is polled once an hour, and what such a poll finds that should have been pushed
makes it one that is polled as usual until something is pushed again.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb

from pipeline.feeds import load_catalogue
from pipeline.fetch.post import post_form
from pipeline.lake import connect
from pipeline.lake.commit import Clock, system_clock
from pipeline.lake.layout import Lake
from pipeline.lake.work import last_visits
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import LEASE, Asked, Keys, Mode, ask_again, is_verified, next_ask
from pipeline.run.context import Say, policy
from pipeline.settings import Settings
from schemas.feed import Feed, Visit

#: How often a feed is polled whose news are pushed.
BACKUP_MINUTES = 60
#: So long after a poll a push may still bring what the poll found.
LATE = timedelta(minutes=10)
_LOOK_BACK = timedelta(days=7)


def with_backup(feeds: Iterable[Feed], settings: Settings, now: datetime) -> list[Feed]:
    """The feeds as they are to be polled: those whose news are pushed less often."""
    live = Subscriptions(settings.inbox).live(now)
    return [replace(f, every_minutes=max(f.every_minutes or 0, BACKUP_MINUTES)) if f.feed_id in live else f for f in feeds]


def keep_subscriptions(settings: Settings, say: Say, clock: Clock = system_clock) -> int:
    """Asks hubs for what is to be asked now; how many were asked. Without an address of the receiver, nothing.

    Raises:
        ConfigError: there is an address and no secret, or the catalogue cannot be used.
    """
    if not settings.push_url:
        return 0
    lake = Lake(settings.lake)
    lake.check()
    now, keys, known = clock(), Keys(settings.push_secret or ""), Subscriptions(settings.inbox)
    feeds = {f.feed_id: f for f in load_catalogue(settings.catalogue) if f.enabled}
    with connect(lake.root) as con:
        visits = {i: v for i, v in last_visits(con).items() if i in feeds}
        _note_silence(con, known, now, say)
    todo = list(_todo(known, visits, now))
    for asked, why in todo:
        known.note_asked(asked)  # first, as a hub may ask back before it answers
        accepted, answer = asyncio.run(_send(settings, keys, asked))
        known.note_asked(replace(asked, answer=answer))
        refused = "" if accepted else "refused, "
        say(f"{asked.feed_id}: asked {asked.hub} to {asked.mode}, as {why}: {refused}{answer}")
    return len(todo)


def _todo(known: Subscriptions, visits: Mapping[str, Visit], now: datetime) -> Iterator[tuple[Asked, str]]:
    """What is to be asked, and why; what is over is forgotten."""
    for feed_id, visit in sorted(visits.items()):
        asked, heard = known.asked(feed_id), known.heard(feed_id)
        if visit.hub and visit.topic and (why := next_ask(visit.hub, visit.topic, asked, heard, now)):
            yield ask_again(visit.hub, visit.topic, asked, heard, feed_id=feed_id, now=now), why
    for feed_id, asked in known.all_asked().items():
        if feed_id in visits and visits[feed_id].hub:
            continue
        if asked.mode == Mode.SUBSCRIBE and is_verified(known.heard(feed_id), asked.topic, now):
            over = replace(asked, mode=Mode.UNSUBSCRIBE, at=now, times=1)
            yield over, "the feed is not visited any more, or has no hub"
        elif now > asked.at + LATE:  # time for the hub to ask back
            known.forget(feed_id)


async def _send(settings: Settings, keys: Keys, asked: Asked) -> tuple[bool, str]:
    form = {
        "hub.callback": f"{(settings.push_url or '').rstrip('/')}/{asked.feed_id}/{keys.token(asked.feed_id, asked.topic)}",
        "hub.mode": str(asked.mode),
        "hub.topic": asked.topic,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
        "hub.secret": keys.secret_of(asked.feed_id, asked.topic),
    }
    return await post_form(asked.hub, form, policy(settings))


def _note_silence(con: duckdb.DuckDBPyConnection, known: Subscriptions, now: datetime, say: Say) -> None:
    """Notes where a poll brought what a confirmed subscription should have: its feed is then polled as before it."""
    for feed_id, asked in known.all_asked().items():
        heard = known.heard(feed_id)
        if not (heard and heard.verified_at and is_verified(heard, asked.topic, now) and asked.mode == Mode.SUBSCRIBE):
            continue
        since = max(heard.verified_at, asked.silent_since or heard.verified_at, now - _LOOK_BACK)
        found = con.execute(_MISSED, {"feed": feed_id, "since": since, "until": now - LATE, "late": LATE}).fetchone()
        if found and found[0] and not (heard.pushed_at and heard.pushed_at >= found[0]):
            known.note_asked(replace(asked, silent_since=found[0]))
            told = f"a poll of {found[0]:%Y-%m-%d %H:%M} UTC brought {found[1]} entries that {asked.hub} should have pushed"
            say(f"{feed_id}: {told}")


#: The last poll that brought something new while nothing was pushed between the poll before it and some minutes later. What was
#: published before the subscription was confirmed came by no push, so both polls lie after that.
_MISSED = """
WITH seen AS (
    SELECT stage, visited_at, entries_new, lag(visited_at) OVER (PARTITION BY stage ORDER BY visited_at) AS before
    FROM lake.visits_from(($since::TIMESTAMPTZ AT TIME ZONE 'UTC')::DATE - 1)
    WHERE feed_id = $feed AND outcome IN ('parsed', 'unchanged')
)
SELECT max(visited_at), arg_max(entries_new, visited_at) FROM seen p
WHERE stage = 'pull' AND entries_new > 0 AND before >= $since AND visited_at <= $until
  AND NOT EXISTS (FROM seen s WHERE s.stage = 'push' AND s.visited_at BETWEEN p.before AND p.visited_at + $late)
"""
