"""When a feed is visited."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds import NextVisit, Wishes, due, grade, next_visit
from schemas.feed import Feed, Visit, VisitCode

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
HOURLY = (1.0,) * 12


def _feed(feed_id: str = "a", every_minutes: int | None = None, *, enabled: bool = True) -> Feed:
    url = f"https://{feed_id}.example/rss"
    return Feed(feed_id=feed_id, url=url, source=feed_id, every_minutes=every_minutes, enabled=enabled)


def _visit(feed: Feed, code: VisitCode = VisitCode.PARSED, **more: object) -> Visit:
    known = {"visited_at": NOON, "next_due_at": NOON, "url": feed.url, "pace": HOURLY, **more}
    return Visit(visit_id="v", feed_id=feed.feed_id, source="S", outcome=code, due_rule="", **known)  # type: ignore[arg-type]


def _after(
    code: VisitCode = VisitCode.PARSED, every: int | None = None, wishes: Wishes | None = None, **more: object
) -> NextVisit:
    feed = _feed(every_minutes=every)
    return next_visit(feed, _visit(feed, code, **more), wishes or Wishes())


def test_due_are_the_new_the_moved_and_those_whose_time_has_come() -> None:
    second = timedelta(seconds=1)
    new, off, come, waiting, moved = feeds = [
        _feed("new"),
        _feed("off", enabled=False),
        _feed("come"),
        _feed("waiting"),
        _feed("moved"),
    ]
    last = [
        _visit(come),
        _visit(waiting, next_due_at=NOON + second),
        _visit(moved, next_due_at=NOON + DAY, url="https://old.example/rss"),
    ]
    assert due(feeds, {visit.feed_id: visit for visit in last}, NOON) == (new, come, moved)
    assert off not in due(feeds, {}, NOON)


@pytest.mark.parametrize(
    ("visit", "wait", "rule"),
    [
        (_after(every=15), 15, "every_minutes"),
        (_after(VisitCode.UNCHANGED, every=15), 15, "every_minutes"),
        (_after(every=2880), 2880, "every_minutes"),
        (_after(every=240, span_s=60), 240, "every_minutes"),  # a number in the catalogue is obeyed
        (_after(every=15, wish_s=3600), 60, "ttl or sy:update"),
        (_after(wish_s=300, wishes=Wishes(max_age_s=1800)), 30, "cache max-age"),
        (_after(wish_s=7 * 86400), 24 * 60, "ttl or sy:update"),
        (_after(wishes=Wishes(max_age_s=float("inf"))), 24 * 60, "cache max-age"),
        (_after(every=15, wish_s=-5, wishes=Wishes(max_age_s=float("nan"), expires_s=-1.7e9)), 15, "every_minutes"),
        (_after(wishes=Wishes(expires_s=2 * 3600)), 120, "expires"),
        (_after(wish_s=7200, span_s=1800), 15, "turnover"),  # nobody wishes for lost entries
        (_after(span_s=10), 5, "turnover"),
        (_after(VisitCode.UNREACHABLE, every=15, failures=4, failure_grade=1.0), 60, "failures: 4"),
        (_after(VisitCode.NOT_A_FEED, every=15, failures=500, failure_grade=500.0), 24 * 60, "failures: 500"),
        (_after(VisitCode.REFUSED, every=2880, failures=1, failure_grade=0.5), 2880, "failures: 1"),
        (_after(VisitCode.BUSY, every=15, failures=2, failure_grade=0.5, wishes=Wishes(retry_after_s=3600)), 60, "retry-after"),
        (_after(VisitCode.BUSY, every=15, failures=2, failure_grade=0.5, wishes=Wishes(retry_after_s=9)), 30, "failures: 2"),
        (_after(VisitCode.BUSY, failures=1, failure_grade=0.25, wishes=Wishes(retry_after_s=1e9)), 24 * 60, "retry-after"),
        (_after(VisitCode.GONE, failures=1, failure_grade=1.0, wishes=Wishes(retry_after_s=5)), 30 * 24 * 60, "muted"),
    ],
)
def test_the_longest_wait_asked_for_wins(visit: NextVisit, wait: int, rule: str) -> None:
    assert visit.rule == rule
    assert timedelta(minutes=wait) <= visit.at - NOON <= timedelta(minutes=wait) * 1.05
    assert visit.at - NOON == timedelta(minutes=wait) or wait < 24 * 60


@pytest.mark.parametrize(
    ("code", "detail", "weight"),
    [
        (VisitCode.PARSED, "malformed", 0),
        (VisitCode.UNCHANGED, None, 0),
        (VisitCode.GONE, "status 410", 1),
        (VisitCode.NOT_A_FEED, "an HTML page", 1),
        (VisitCode.HTTP_ERROR, "status 404", 0.5),
        (VisitCode.CHALLENGE, None, 0.5),
        (VisitCode.UNPARSABLE, "feedparser: KeyError", 0.5),
        (VisitCode.UNREACHABLE, "name does not resolve: none", 0.5),
        (VisitCode.UNREACHABLE, "tls: expired", 0.5),
        (VisitCode.UNREACHABLE, "nothing came for 20 s", 0.25),
        (VisitCode.BUSY, "status 429", 0.25),
    ],
)
def test_failures_are_weighed(code: VisitCode, detail: str | None, weight: float) -> None:
    assert grade(code, detail) == weight


def _failing(code: VisitCode, status: int, detail: str, days: int) -> list[tuple[float, str]]:
    """The waits in hours of a feed that fails like this for so many days, and their rules."""
    feed, waits = _feed(every_minutes=15), []
    before = _visit(feed)
    while before.visited_at < NOON + timedelta(days=days):
        visit = replace(
            before,
            outcome=code,
            status=status,
            visited_at=before.next_due_at,
            failures=before.failures + 1,
            failure_grade=before.failure_grade + grade(code, detail),
            failing_since=before.failing_since or before.next_due_at,
        )
        upcoming = next_visit(feed, visit, Wishes(), before)
        waits.append(((upcoming.at - visit.visited_at) / timedelta(hours=1), upcoming.rule))
        before = replace(visit, next_due_at=upcoming.at)
    return waits


def test_what_fails_for_long_is_asked_ever_more_rarely_and_never_forgotten() -> None:
    waits = [hours for hours, _ in _failing(VisitCode.HTTP_ERROR, 500, "status 500", 400)]
    assert [round(w, 1) for w in waits[:8]] == [0.5, 1.0, 2.1, 4.2, 8.3, 16.6, 24, 24]
    assert waits == sorted(waits) and max(waits) == 30 * 24
    assert 40 < len(waits) < 60


def test_the_worse_a_failure_the_sooner_it_is_slowed() -> None:
    passing, soft, hard = (
        len(_failing(code, 500, "", 7)) for code in (VisitCode.BUSY, VisitCode.HTTP_ERROR, VisitCode.NOT_A_FEED)
    )
    assert passing > soft > hard >= 7


def test_a_feed_that_is_not_found_for_a_week_is_muted() -> None:
    waits = _failing(VisitCode.HTTP_ERROR, 404, "status 404", 60)
    rules = [rule for _, rule in waits]
    first = rules.index("muted")
    assert set(rules[first:]) == {"muted"} and all(hours == 30 * 24 for hours, _ in waits[first:])
    assert 7 * 24 <= sum(hours for hours, _ in waits[:first]) < 9 * 24


def test_a_feed_of_every_minute_is_due_in_the_next_minute_however_late_its_visit_began() -> None:
    for seconds in (0, 7, 59.9):
        assert _after(every=1, visited_at=NOON + timedelta(seconds=seconds)).at == NOON + timedelta(minutes=1)
    assert _after(every=15, visited_at=NOON + timedelta(seconds=7)).at == NOON + timedelta(minutes=15)


def test_an_active_feed_is_due_at_the_next_run_however_long_its_host_kept_it_waiting() -> None:
    for seconds in (0, 7, 200):
        busy = _after(pace=(60.0,) * 12, visited_at=NOON + timedelta(seconds=seconds))
        assert (busy.at, busy.rule) == (NOON + timedelta(minutes=5), "rhythm")


def test_jitter_spreads_feeds_and_is_the_same_every_time() -> None:
    def due_times() -> list[datetime]:
        feeds = [_feed(f"feed-{n}", 120) for n in range(200)]
        return [next_visit(feed, _visit(feed), Wishes()).at for feed in feeds]

    assert due_times() == due_times()
    assert len(set(due_times())) > 100
    assert max(due_times()) - min(due_times()) <= timedelta(minutes=6)
