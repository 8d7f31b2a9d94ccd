"""Made-up feeds whose documents are a function of time: rhythms, outages, servers that lie, moves. Pure, by a seed.

Times are seconds from the beginning of the week, a Monday 00:00 UTC; four weeks before it are made too.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.feed import DateQuality, Feed, KeyBasis, ParsedEntry, ParsedFeed
from schemas.ids import entry_id
from schemas.web import Body, FetchCode, Header, Kind, Request

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY, WEEK = 3600, 86_400, 604_800
BEFORE = 4 * WEEK

#: How many of a hundred feeds are of a kind, and how many entries they have a day in office hours, by night and at weekends.
KINDS = {
    "wire": (4, (300, 700), 0.03),
    "active": (16, (12, 80), 0.05),
    "round the clock": (4, (12, 60), 1.0),
    "burst": (6, (20, 40), 0.0),
    "daily": (35, (1, 8), 0.05),
    "weekly": (25, (0.05, 0.6), 0.1),
    "dead": (10, (0, 0), 0.0),
}
#: Hours UTC at which offices open and close, and for how many of a hundred feeds.
OFFICES = {(6, 17): 60, (13, 23): 30, (0, 9): 10}


@dataclass(slots=True)
class Made:
    """One feed. `items` appear at these times; the document holds the last `size` of them."""

    feed: Feed
    kind: str
    items: list[float]
    size: int
    dates: DateQuality
    headers: tuple[Header, ...] = ()
    validators: bool = True
    lies: str = ""  # "always" or "for hours": answers 304 whatever it has
    wish_s: float | None = None
    outages: list[tuple[float, float, int]] = field(default_factory=list)  # from, to, status; 0 for no answer, 200 for a web page
    moved_at: float | None = None
    as_bytes: bool = False
    entries: list[ParsedEntry] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def shown(self, t: float) -> tuple[int, int]:
        """The document at a time: its items from this one up to before that one."""
        until = bisect_right(self.items, t)
        return max(0, until - self.size), until

    def gone_at(self, item: int) -> float:
        """When an item leaves the document."""
        return self.items[item + self.size] if item + self.size < len(self.items) else float("inf")

    def down(self, t: float) -> int | None:
        return next((status for begin, end, status in self.outages if begin <= t < end), None)

    def answer(self, request: Request, t: float) -> Body:
        """What the server says, as `fetch` would bring it; the hash stands for the document's bytes."""
        at = MONDAY + timedelta(seconds=t)
        down, (_, until) = self.down(t), self.shown(t)
        moved = self.moved_at is not None and t >= self.moved_at and request.url == self.feed.url
        to = f"https://new.{self.feed.feed_id}.example/feed" if moved else None
        stale = int(t // (6 * HOUR) * 6 * HOUR) if self.lies == "for hours" else 0
        told = bisect_right(self.items, stale) if stale else until
        same = request.etag is not None and (self.lies == "always" or request.etag == f'"{told}"')
        code, status = FetchCode.OK, 200
        if down is not None and down != 200:
            code, status = (FetchCode.STATUS, down) if down else (FetchCode.UNREACHABLE, 0)
        elif same and down is None:
            code, status = FetchCode.NOT_MODIFIED, 304
        named = (Header(name="etag", value=f'"{told}"'),) if self.validators and down is None else ()
        return Body(
            kind=Kind.FEED,
            owner=request.owner,
            target=request.target,
            url=request.url,
            final_url=(to or request.url) if status else None,
            redirects=(to,) if to else (),
            asked_at=at,
            answered_at=at,
            code=code,
            status=status or None,
            headers=(*self.headers, *named) if down is None else (),
            detail=None if status else "nothing came for 20 s",
            sha256=f"{self.feed.feed_id} {until} {down}" if code == FetchCode.OK else None,
            content=b"" if code == FetchCode.OK else None,
            moved_to=to,
        )

    def document(self, t: float) -> ParsedFeed:
        begin, until = self.shown(t)
        return ParsedFeed(version="rss20", entries=tuple(self.entries[begin:until][::-1]), update_s=self.wish_s)

    def document_bytes(self, t: float) -> bytes:
        """The same as RSS."""
        begin, until = self.shown(t)
        items = "".join(
            f"<item><guid>{e.key}</guid><title>{e.title}</title><link>{e.url}</link>"
            + (f"<pubDate>{e.published_at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>" if e.published_at else "</item>")
            for e in self.entries[begin:until][::-1]
        )
        head = f"<ttl>{self.wish_s / 60:.0f}</ttl>" if self.wish_s else ""
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{head}{items}</channel></rss>'.encode()


def made_feeds(count: int, seed: int) -> list[Made]:
    """`count` feeds, about a fifth of them at hosts with ten or more others."""
    draw = random.Random(seed)
    return [_made(n, count, draw) for n in range(count)]


def _made(number: int, count: int, draw: random.Random) -> Made:
    kind = draw.choices(list(KINDS), [share for share, _, _ in KINDS.values()])[0]
    host = f"shared{draw.randrange(max(1, count // 60))}" if draw.random() < 0.2 else f"h{number // 2}"
    feed = Feed(feed_id=f"f{number}", url=f"https://{host}.example/{number}", source=f"S{number}")
    items = _items(kind, draw)
    items = items[max(0, bisect_right(items, 0) - 200) :]  # no document is longer
    dates = draw.choices([DateQuality.EXACT, DateQuality.MISSING, DateQuality.DAY], [85, 10, 5])[0]
    made = Made(feed=feed, kind=kind, items=items, size=draw.choice((10, 15, 20, 30, 50)), dates=dates)
    made.as_bytes = number % 100 == 0
    made.validators = draw.random() < 0.8
    _wishes(made, draw)
    at_hand_s = max(HOUR / 2, made.wish_s if made.wish_s and made.wish_s <= HOUR else 0)  # who wishes for an hour shows an hour
    made.size = max([made.size, *(bisect_right(items, t + at_hand_s) - i for i, t in enumerate(items))])
    _troubles(made, draw)
    made.entries = [_entry(made, number, n, t) for n, t in enumerate(items)]
    made.ids = [entry_id(feed.feed_id, e.key) for e in made.entries]
    return made


def _items(kind: str, draw: random.Random) -> list[float]:
    """When items appear: at random, by a rate that keeps office hours."""
    _, (low, high), beside = KINDS[kind]
    a_day = draw.uniform(low, high)
    opens, closes = draw.choices(list(OFFICES), list(OFFICES.values()))[0]
    found: list[float] = []
    for hour in range(-BEFORE // HOUR, WEEK // HOUR):
        office = hour // 24 % 7 < 5 and opens <= hour % 24 < closes
        if kind == "burst":  # half of the day's within ten minutes of the opening
            at_open = hour // 24 % 7 < 5 and hour % 24 == opens
            found += [hour * HOUR + draw.uniform(0, 600) for _ in range(int(a_day / 2) if at_open else 0)]
        share = (1.0 if office else beside) / (closes - opens) * (0.5 if kind == "burst" else 1)
        found += [hour * HOUR + draw.uniform(0, HOUR) for _ in range(_poisson(a_day * share, draw))]
    if kind == "dead":
        found = [draw.uniform(-BEFORE, -BEFORE / 2) for _ in range(12)]
    return sorted(found)


def _poisson(mean: float, draw: random.Random) -> int:
    n, t = 0, draw.expovariate(1)
    while t < mean:
        n, t = n + 1, t + draw.expovariate(1)
    return n


def _wishes(made: Made, draw: random.Random) -> None:
    """What a fifth of feeds say of caching, some of it absurd."""
    wish, said = draw.random(), ""
    if wish < 0.08:
        made.wish_s = draw.choice((900.0, 1800.0, 3600.0))
    elif wish < 0.16:
        said = f"max-age={draw.choice((60, 300, 900))}"
    elif wish < 0.17:
        made.wish_s = 7.0 * DAY
    elif wish < 0.18:
        said = "max-age=31536000"
    made.headers = (Header(name="cache-control", value=said),) if said else ()
    if 0.18 < wish < 0.23:
        made.headers = (Header(name="expires", value="Thu, 01 Jan 1970 00:00:00 GMT"),)


def _troubles(made: Made, draw: random.Random) -> None:
    trouble, begin = draw.random(), draw.uniform(0, WEEK)
    if trouble < 0.10:
        made.outages = [(begin, begin + draw.uniform(0.2, 12) * HOUR, draw.choice((500, 502, 503, 0, 0, 429)))]
    elif trouble < 0.13:
        made.outages = [(t, t + 60, 0) for t in (draw.uniform(0, WEEK) for _ in range(50))]
    elif trouble < 0.15:
        made.outages = [(begin, float("inf"), draw.choice((404, 410, 200)))]
    elif trouble < 0.17:
        made.lies, made.validators = draw.choice(("always", "for hours")), True
    elif trouble < 0.19:
        made.moved_at = begin


def _entry(made: Made, feed: int, number: int, t: float) -> ParsedEntry:
    at = MONDAY + timedelta(seconds=int(t))
    shown = {DateQuality.EXACT: at, DateQuality.DAY: at.replace(hour=0, minute=0, second=0)}.get(made.dates)
    url = f"https://a.example/{feed}/{number}"
    title = f"Item {number} of {feed}"
    quality = made.dates
    return ParsedEntry(
        key=f"{feed}-{number}", key_basis=KeyBasis.GUID, title=title, url=url, published_at=shown, date_quality=quality
    )
