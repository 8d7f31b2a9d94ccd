"""The stage push: takes what was dropped into the inbox and finds the entries in it that are new or changed.

It asks no server, and has a lock of its own: what is pushed does not wait for a pull that visits slow feeds. What both would add
is decided once more where the other committed meanwhile (`batch.py`).
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.errors import InputError, WorkerError
from pipeline.feeds import load_catalogue
from pipeline.isolate import Workers
from pipeline.lake import connect
from pipeline.lake.rows import Tables
from pipeline.lake.staging import keep, kept_owners
from pipeline.lake.work import last_visits
from pipeline.parse import parse_document
from pipeline.push import Drop, Inbox
from pipeline.push.letter import SUFFIX, Letter, read
from pipeline.run import pull
from pipeline.run.context import Context, kept_here, policy
from pipeline.run.pull import HANDED_IN, settled_before
from pipeline.run.visit import as_pushed
from schemas import ids
from schemas.article import Unreadable
from schemas.columns import from_arrow, to_arrow
from schemas.feed import Feed, Visit
from schemas.outcome import CameIn
from schemas.web import Body, FetchCode, Header, Kind

__all__ = ["decide", "settled_before", "work"]

decide = pull.decide


def work(context: Context) -> Tables:
    """Takes what lies in the inbox; visits and candidate entries."""
    inbox = Inbox(context.settings.inbox)
    feeds = {f.feed_id: f for f in load_catalogue(context.settings.catalogue)}
    if not context.expired:
        inbox.claim(context.batch.root)
    with Workers() as workers:
        _keep(context, inbox, feeds, workers)
        with connect(context.lake.root) as con:
            last = last_visits(con)
            came_in = [CameIn(id=body.owner, name=body.url) for body in kept_here(context, content=False)]
            found = pull.results(con, kept_here(context), feeds, last, workers, context.say, parse_document)
    visits = [as_pushed(visit, last.get(visit.feed_id)) for visit in from_arrow(found["visits"], Visit)]
    return {"came_in": to_arrow(came_in, CameIn), **found, "visits": to_arrow(visits, Visit)}


def _keep(context: Context, inbox: Inbox, feeds: dict[str, Feed], workers: Workers) -> None:
    """Keeps what was claimed; only then it is removed. What nobody can read is put aside, where somebody dropped it by hand."""
    have, done = kept_owners(context.lake, context.batch), list[Drop]()
    with keep(context.lake, context.batch, "inbox") as packs:
        for drop, body, why in _judged(context, inbox, feeds, workers):
            if why:
                context.say(f"rejected: {drop.name}, {why}; it is {inbox.reject(drop, why)}")
                continue
            if body and body.owner not in have:
                packs.add(body)
            done.append(drop)
    inbox.remove(context.batch.root, done)


def _judged(
    context: Context, inbox: Inbox, feeds: dict[str, Feed], workers: Workers
) -> Iterator[tuple[Drop, Body | None, str | None]]:
    """Each claimed drop as an exchange, or why there is none."""
    for drop in list(inbox.claimed(context.batch.root)):
        most = policy(context.settings).max_bytes(Kind.FEED)
        try:
            if drop.path.is_symlink():  # it would be read with our rights, wherever it leads
                raise InputError("a symbolic link; drop the file itself")
            if drop.path.stat().st_size > most:
                raise InputError(f"{drop.path.stat().st_size:,} bytes, {most:,} are taken at most; split it")
            body = _body(context, drop, feeds)
        except InputError as error:
            yield drop, None, str(error)
            continue
        except PermissionError as error:
            yield drop, None, f"it cannot be read ({error.strerror}); let whoever takes from the inbox read it, and drop it again"
            continue
        if body.target != HANDED_IN:  # what a feed answers is judged as at a poll: by its visit
            yield drop, body, None
            continue
        ((_, parsed),) = workers.attempt_each([(drop, pull.parsing(body, feeds.get(body.target), parse_document))])
        why = str(parsed) if isinstance(parsed, WorkerError) else _why_not(parsed) if isinstance(parsed, Unreadable) else None
        yield drop, body, why


def _why_not(found: Unreadable) -> str:
    """What is wrong with a document, and what is taken where that does not say it."""
    return found.detail if ";" in found.detail else f"{found.detail}; drop a feed, an HTML page or articles as JSON"


def _body(context: Context, drop: Drop, feeds: dict[str, Feed]) -> Body:
    file = drop.path.read_bytes()
    letter = read(file) if drop.path.suffix == SUFFIX else Letter(file)
    feed = feeds.get(letter.said.get("feed", ""))
    now = context.clock()
    # a feed's document says what was so when it came: a poll may have seen more since
    came_at = min(now, datetime.fromtimestamp(drop.path.stat().st_mtime, UTC)) if feed else now
    kind = letter.said.get("content-type")
    return Body(
        kind=Kind.FEED,
        # by the drop and not by its bytes: the same may be dropped again on another day
        owner=ids.visit_id(context.batch.root, f"{HANDED_IN}:{drop.path.name}"),
        target=feed.feed_id if feed else HANDED_IN,
        url=feed.url if feed else letter.said.get("url") or f"{HANDED_IN}:{drop.name}",
        asked_at=came_at,
        answered_at=came_at,
        code=FetchCode.OK,
        headers=(Header(name="content-type", value=kind),) if kind else (),
        sha256=hashlib.sha256(letter.content).hexdigest(),
        content=letter.content,
    )
