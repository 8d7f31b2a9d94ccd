"""Whether news come out as they usually do, and which feeds do not bring theirs: alarms as values. Reads the lake only.

What comes out is judged by the lake's own last four weeks, a feed by its state (`feed_status`). A first fortnight has no rhythm
yet, and raises few alarms.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import duckdb

from pipeline.lake import connect
from pipeline.lake.work import waiting
from pipeline.settings import Settings

#: What a feed's state means to whoever looks after it; the states are defined in lake/sql/feed_status.sql.
REMEDIES = {
    "blocked": "open it in a browser: where its publisher wants no robots, ask them or `newsmill feeds remove` it",
    "dead": "`newsmill feeds discover` its site for the address it has now, or `newsmill feeds remove` it",
    "silent": "open it in a browser: where it has news, `newsmill feeds check` it; else its publisher has stopped it",
    "muted": "it is asked once a month; `newsmill feeds discover` its site for another, or `newsmill feeds remove` it",
}
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
#: From when on somebody should look: a pull comes every five minutes, and a sweep announces what waits after ten.
UNVISITED, WAITING = HOUR, 2 * HOUR
#: So many entries must wait, and so many articles be tagged, that it is not one odd case.
MANY, ENOUGH = 20, 50
#: In a first fortnight nobody knows the rhythm: over a weekend nothing may come.
YOUNG, LONG = 2 * WEEK, 3 * DAY
#: So many visits should have brought articles, and none did: by chance once in 20,000 times.
EXPECTED = 10
#: So many times more, or less, than usual, and by at least so many articles.
FACTOR, FEWER, MORE = 4, 20, 100
#: A feed that was due for so long while others were visited is in the catalogue no more, or switched off.
LEFT_OUT = DAY


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong: what, since when, the figures it rests on, the remedy. `feed_id` where it is a feed's."""

    kind: str
    what: str
    remedy: str
    since: datetime | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    feed_id: str | None = None

    @property
    def key(self) -> str:
        """What is the same alarm at another time."""
        return f"{self.kind} {self.feed_id}" if self.feed_id else self.kind

    def __str__(self) -> str:
        since = f", since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        return f"{self.key}: {self.what}{since}"


@dataclass(frozen=True, slots=True)
class Health:
    """How the lake is at a moment: how many feeds are in which state, and what is wrong, what comes out first."""

    at: datetime
    states: dict[str, int]
    alarms: tuple[Alarm, ...]


def check(settings: Settings, now: datetime) -> Health:
    """Reads the lake.

    Raises:
        LakeError: there is no lake, or it cannot be read.
    """
    with connect(settings.lake) as con:
        query = "FROM lake.feed_status_at($now) ORDER BY feed_id"
        feeds: list[dict[str, Any]] = con.sql(query, params={"now": now}).to_arrow_table().to_pylist()
        last = max((feed["visited_at"] for feed in feeds), default=now)
        feeds = [feed for feed in feeds if feed["next_due_at"] > last - LEFT_OUT]
        out = [*_unvisited(feeds, last, now), *_came_out(con, settings, now), *_left_to_do(con, now)]
    wrong = [_of_feed(feed) for feed in feeds if feed["state"] in REMEDIES]
    return Health(now, dict(Counter(feed["state"] for feed in feeds).most_common()), (*out, *wrong))


def _of_feed(feed: dict[str, Any]) -> Alarm:
    state, names = feed["state"], ["outcome", "status", "failures", "last_good_at"]
    what = f"{feed['failures']} visits in a row ended in {feed['outcome']}" + (f": {feed['detail']}" if feed["detail"] else "")
    since = feed["last_good_at"]
    if state == "silent":
        usual = f", where {feed['expected']:.1f} a day are usual" if feed["expected"] else ""
        what, since, names = f"it answers and brings nothing new{usual}", feed["silent_since"], ["expected", "seen", "chance"]
    return Alarm(state, what, REMEDIES[state], since, {name: feed[name] for name in names}, feed["feed_id"])


def _unvisited(feeds: list[dict[str, Any]], last: datetime, now: datetime) -> Iterator[Alarm]:
    due = sum(feed["next_due_at"] < now - UNVISITED for feed in feeds)
    if due and last < now - UNVISITED:
        what = f"no feed has been visited for {_hours(now - last)}, and {due} are due"
        yield Alarm("unvisited", what, "see whether Airflow's pull_feeds runs, or `newsmill run`", last, {"due": due})


#: `same_span` are the visits that brought articles in just that span of the week that has passed since the newest one; `by_day`
#: counts articles by days of 24 hours ago, without those with which a new feed begins.
_CAME_OUT = """
WITH news AS (
    SELECT feed_id, seen_at, max(seen_at) OVER () AS newest_at, min(seen_at) OVER () AS first_at,
           seen_at > min(seen_at) OVER (PARTITION BY feed_id) + INTERVAL 1 DAY AS counts
    FROM lake.articles WHERE date >= $day AND change_type = 'new' AND seen_at > $since AND seen_at <= $now
)
SELECT max(newest_at), max(first_at), count(DISTINCT (feed_id, seen_at)) FILTER (
           lake.days_ago(seen_at, $now) // 7 > lake.days_ago(seen_at, newest_at) // 7 AND lake.days_ago(seen_at, newest_at) < 28
       ) AS same_span,
       coalesce(histogram(lake.days_ago(seen_at, $now)) FILTER (counts), MAP {}) AS by_day
FROM news
"""


def _came_out(con: duckdb.DuckDBPyConnection, settings: Settings, now: datetime) -> Iterator[Alarm]:
    params = {"day": (now - 31 * DAY).date(), "since": now - 30 * DAY, "now": now}
    ((newest, first, same_span, by_day),) = con.execute(_CAME_OUT, params).fetchall()
    if newest is None:
        return
    young = now - first < YOUNG
    yield from _too_old(settings, now, newest, None if young else same_span / min(4, max(1, (newest - first) / WEEK)))
    if not young:
        weeks = [days for days in (7, 14, 21, 28) if now - first > (days + 1) * DAY]
        yield from _far_off(by_day.get(0, 0), median(by_day.get(days, 0) for days in weeks), now)


def _too_old(settings: Settings, now: datetime, newest: datetime, expected: float | None) -> Iterator[Alarm]:
    """`expected`: visits that brought articles in this span of the week, on average of the weeks before."""
    age = now - newest
    if settings.newest_h is not None:
        late = age > settings.newest_h * HOUR
    else:
        late = age > LONG if expected is None else age > UNVISITED and expected >= EXPECTED
    if late:
        usual = "" if expected is None else f", and in such a span {expected:,.0f} visits bring some"
        remedy = "see what pull_feeds and read_articles say, and `newsmill show`"
        figures = {"age_h": round(age / HOUR, 1), "expected_visits": expected}
        yield Alarm("newest article", f"it is {_hours(age)} old{usual}", remedy, newest, figures)


def _far_off(last: int, usual: float, now: datetime) -> Iterator[Alarm]:
    if (last < usual / FACTOR and usual - last >= FEWER) or (last > usual * FACTOR and last - usual >= MORE):
        what = f"{last:,} new articles in 24 hours, where {usual:,.0f} are usual on this weekday"
        remedy = '`newsmill sql "from feed_status order by seen - expected"` names the feeds'
        yield Alarm("volume", what, remedy, now - DAY, {"articles": last, "usual": usual})


def _left_to_do(con: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[Alarm]:
    for stage, dag in (("read", "read_articles"), ("tag", "tag_articles")):
        work = waiting(con, stage, now)
        if work.since and work.count >= MANY and work.since < now - WAITING:
            what = f"{work.count:,} wait for the stage {stage}, the oldest for {_hours(now - work.since)}"
            yield Alarm(f"{stage} waits", what, f"see what Airflow's {dag} and sweep say", work.since, {"count": work.count})
    query = "SELECT count(*), sum(companies) FROM lake.taggings WHERE date >= $day AND news_at > $since AND news_at <= $now"
    params = {"day": (now - 2 * DAY).date(), "since": now - DAY, "now": now}
    ((tagged, companies),) = con.execute(query, params).fetchall()
    if tagged >= ENOUGH and not companies:
        what = f"{tagged:,} articles were tagged in 24 hours, and none names a company"
        remedy = "`newsmill companies find` one that is in the news, and see what tag_articles says"
        yield Alarm("nothing tagged", what, remedy, now - DAY, {"tagged": tagged})


def _hours(span: timedelta) -> str:
    hours = span / HOUR
    return f"{hours:,.0f} h" if hours < 48 else f"{hours / 24:,.0f} days"
