"""A simulated week of 2,000 made-up feeds: what it costs to visit them by their own rhythm, and how soon their entries are seen.

What decides is the code of the stage pull: which feeds are due, what an answer means, the visit's row, when to come back; the
queue of a host; for one feed in fifty also the parser. Clock, servers and the lake's memory of entries are the simulation's.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, quantiles
from types import SimpleNamespace

from benchmarks.table import Line, Options, Table
from benchmarks.week_feeds import DAY, MONDAY, Made, made_feeds
from pipeline.feeds import address_of, due
from pipeline.fetch import Policy, host
from pipeline.fetch.client import host_of
from pipeline.parse import parse_feed
from pipeline.run.schedule import EXACT_ENOUGH, in_full, said, scheduled
from pipeline.run.visit import Parsed, is_same, visit_of
from schemas import ids
from schemas.article import Unreadable
from schemas.feed import ParsedEntry, ParsedFeed, Visit, VisitCode
from schemas.web import Body, FetchCode, Kind, Request

TICK_S, FIXED_S = 300, 900
ACTIVE = 10  # entries a day from which on a feed is called active
POLICY = Policy(user_agent="week/1")
_ANSWER_S, _TIMEOUT_S = 0.3, 20.0


class Clock(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.now, select = 0.0, self._selector.select  # type: ignore[attr-defined]

        def at_once(timeout: float | None = None) -> list[object]:
            self.now += timeout or 0.0
            return select(0)  # type: ignore[no-any-return]

        self._selector.select = at_once  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


@dataclass(slots=True)
class Week:
    """What has happened so far."""

    made: dict[str, Made]
    clock: Clock
    last: dict[str, Visit] = field(default_factory=dict)
    seen: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))  # by feed, entry_id: when
    hosts: dict[str, host.Host] = field(default_factory=lambda: defaultdict(lambda: host.Host(POLICY, lambda: MONDAY)))
    asked_at: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    visits: int = 0

    def run(self, until: float) -> None:
        """Batch after batch; one that takes longer than a tick delays the next."""
        while self.clock.now < until:
            now = MONDAY + timedelta(seconds=self.clock.now)
            feeds = due((m.feed for m in self.made.values()), self.last, now)
            for body in self.clock.run_until_complete(self._ask([self._request(f.feed_id, now) for f in feeds])):
                self._note(body)
            self.clock.now = (self.clock.now // TICK_S + 1) * TICK_S

    def _request(self, feed_id: str, now: datetime) -> Request:
        feed, last = self.made[feed_id].feed, self.last.get(feed_id)
        etag = last.etag if last and not in_full(last, now) else None
        visit_id = f"{self.clock.now:.0f} {feed_id}"
        return Request(kind=Kind.FEED, owner=visit_id, target=feed_id, url=address_of(feed, last), etag=etag)

    async def _ask(self, requests: Iterable[Request]) -> list[Body]:
        queues: dict[str, list[Request]] = defaultdict(list)
        for request in requests:
            queues[host_of(request.url)].append(request)
        slots = asyncio.Semaphore(4 * POLICY.max_hosts)
        bodies = await asyncio.gather(*(self._queue(name, queue, slots) for name, queue in queues.items()))
        return [body for of_host in bodies for body in of_host]

    async def _queue(self, name: str, requests: list[Request], slots: asyncio.Semaphore) -> list[Body]:
        bodies, place = [], self.hosts[name]
        async with slots:
            for request in requests:
                await place.opened(Kind.FEED)
                self.asked_at[name].append(self.clock.now)
                bodies.append(body := self.made[request.target].answer(request, self.clock.now))
                await asyncio.sleep(_ANSWER_S if body.status else _TIMEOUT_S)
                place.left()
        return bodies

    def _note(self, body: Body) -> None:
        made, last = self.made[body.target], self.last.get(body.target)
        t = (body.asked_at - MONDAY).total_seconds()
        if body.code == FetchCode.OK:
            body = _with(body, made, t, known=is_same(body, last))
        parsed = _parsed(made, body, t)
        visit = visit_of(made.feed, body, parsed, last, 0)
        new: list[datetime | None] = []
        if isinstance(parsed, ParsedFeed):
            seen = self.seen[made.feed.feed_id]
            for entry, entry_id in _with_ids(made, parsed, t):
                if entry_id not in seen:
                    seen[entry_id] = t
                    new.append(entry.published_at if entry.date_quality in EXACT_ENOUGH else None)
        visit = scheduled(made.feed, last, said(body, parsed), visit, new)
        self.last[made.feed.feed_id] = visit
        self.visits += 1
        self.rules[visit.due_rule.split(":")[0]] += 1


def _with(body: Body, made: Made, t: float, *, known: bool) -> Body:
    """With the document, where it is to be parsed and its bytes are not those of the last visit."""
    if known:
        return replace(body, content=None)
    return replace(body, content=made.document_bytes(t)) if made.as_bytes else body


def _parsed(made: Made, body: Body, t: float) -> Parsed:
    if body.code != FetchCode.OK or body.content is None:
        return None
    if made.down(t) == 200:
        return Unreadable(code=VisitCode.NOT_A_FEED, detail="an HTML page")
    return parse_feed(body.content, body.url, received_at=body.asked_at) if made.as_bytes else made.document(t)


def _with_ids(made: Made, parsed: ParsedFeed, t: float) -> Iterable[tuple[ParsedEntry, str]]:
    if made.as_bytes:
        return [(e, ids.entry_id(made.feed.feed_id, e.key)) for e in parsed.entries]
    begin, until = made.shown(t)
    return zip(parsed.entries, reversed(made.ids[begin:until]), strict=True)


def simulate(count: int, days: float, seed: int) -> Week:
    """The week of `count` feeds, or as much of it as `days` says."""
    random.seed(seed)
    made, clock = {m.feed.feed_id: m for m in made_feeds(count, seed)}, Clock()
    week, real = Week(made, clock), host.time
    host.time = SimpleNamespace(monotonic=clock.time)  # type: ignore[assignment]
    try:
        week.run(days * DAY)
    finally:
        host.time = real
        clock.close()
    return week


@dataclass(frozen=True, slots=True)
class Found:
    """What a week came to; delays in minutes, of all entries of active feeds, and each active feed's own median."""

    new: int
    missed: list[str]
    doubled: int
    visits: int
    fixed: int
    delays: list[float]
    medians: list[float]
    spacing_s: float
    rules: dict[str, int]


def found(week: Week, days: float) -> Found:
    """Counts what came, and when, of what appeared."""
    new, missed, doubled, delays, medians = 0, list[str](), 0, list[float](), list[float]()
    for made in week.made.values():
        seen, own = week.seen[made.feed.feed_id], list[float]()
        doubled += len(seen) - len({i for i in made.ids if i in seen})
        for n, (t, entry_id) in enumerate(zip(made.items, made.ids, strict=True)):
            if not 0 <= t < days * DAY or (made.outages and made.outages[-1][1] == float("inf") and t >= made.outages[-1][0]):
                continue
            if entry_id in seen:
                own.append((seen[entry_id] - t) / 60)
            elif _was_there(made, t, min(made.gone_at(n), days * DAY)) and made.gone_at(n) < days * DAY:
                missed.append(f"{made.feed.feed_id} ({made.kind}, {made.lies or made.dates}, down {made.outages}) {t:.0f}")
        new += len(own)
        if len(own) >= ACTIVE * days:
            delays += own
            medians.append(median(own))
    spacing = min(later - earlier for times in week.asked_at.values() for earlier, later in pairwise(times))
    fixed = round(len(week.made) * days * DAY / FIXED_S)
    return Found(new, missed, doubled, week.visits, fixed, delays, medians, spacing, dict(week.rules))


def _was_there(made: Made, since: float, until: float) -> bool:
    """Whether a visit every 15 minutes would have met an item that was shown in this time."""
    tick = (since // FIXED_S + 1) * FIXED_S
    while tick < until:
        if made.down(tick) is None:
            return True
        tick += FIXED_S
    return False


def measure(options: Options) -> Table:
    count, days = (24, 0.5) if options.tiny else (2000, 7.0)
    told = found(simulate(count, days, seed=1), days)
    cuts = quantiles(told.delays, n=20)
    lines = [
        Line(what="entries missed", figure=len(told.missed), unit="", limit=0),
        Line(what="entries doubled", figure=told.doubled, unit="", limit=0),
        Line(what="visits for each new entry", figure=told.visits / told.new, unit="", peer=told.fixed / told.new, limit=0.4),
        Line(what="delay of an entry of an active feed", figure=median(told.delays), unit="min", limit=5),
        Line(what="the same, 95th percentile", figure=cuts[-1], unit="min"),
        Line(what="median of an active feed, median of these", figure=median(told.medians), unit="min"),
        Line(what="visits to a host in a second, at most", figure=1 / told.spacing_s, unit="", limit=1 / POLICY.spacing_s),
    ]
    title = f"{count} feeds, {days:g} days, {told.new} new entries, {len(told.medians)} feeds with {ACTIVE} or more a day"
    return Table(title=title, against="every 15 min", lines=lines)
