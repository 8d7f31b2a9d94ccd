"""When a feed is visited."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds import LastVisit, NextVisit, due, next_visit
from schemas.feed import Feed, VisitCode

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def _feed(feed_id: str = "a", every_minutes: int = 15, **more: bool) -> Feed:
    return Feed(feed_id=feed_id, url=f"https://{feed_id}.example/rss", source=feed_id, every_minutes=every_minutes, **more)


def _visited(feed: Feed, next_due_at: datetime, url: str | None = None) -> LastVisit:
    return LastVisit(
        feed_id=feed.feed_id,
        next_due_at=next_due_at,
        etag=None,
        last_modified=None,
        body_sha256=None,
        failures=0,
        url=url or feed.url,
    )


def _after(
    code: VisitCode = VisitCode.PARSED,
    *,
    every: int = 15,
    at: datetime = NOON,
    failures: int = 0,
    ttl: int | None = None,
    retry: float | None = None,
    max_age: float | None = None,
) -> NextVisit:
    return next_visit(
        _feed(every_minutes=every),
        code,
        visited_at=at,
        failures=failures,
        ttl_minutes=ttl,
        retry_after_s=retry,
        cache_max_age_s=max_age,
    )


def test_due_are_the_new_the_moved_and_those_whose_time_has_come() -> None:
    second = timedelta(seconds=1)
    new, off, come, waiting, moved = feeds = [
        _feed("new"),
        _feed("off", enabled=False),
        _feed("come"),
        _feed("waiting"),
        _feed("moved"),
    ]
    last = [_visited(come, NOON), _visited(waiting, NOON + second), _visited(moved, NOON + DAY, "https://old.example/rss")]
    assert due(feeds, {visit.feed_id: visit for visit in last}, NOON) == (new, come, moved)
    assert off not in due(feeds, {}, NOON)


@pytest.mark.parametrize(
    ("visit", "wait", "rule", "failures"),
    [
        (_after(), 15, "interval", 0),
        (_after(VisitCode.UNCHANGED, failures=7), 15, "interval", 0),
        (_after(ttl=60), 60, "feed ttl", 0),
        (_after(ttl=5, max_age=30 * 60), 30, "cache max-age", 0),
        (_after(ttl=99_999), 24 * 60, "feed ttl", 0),
        (_after(max_age=float("inf")), 24 * 60, "cache max-age", 0),
        (_after(max_age=float("nan"), ttl=-5), 15, "interval", 0),
        (_after(every=2880), 2880, "interval", 0),
        (_after(VisitCode.UNREACHABLE), 30, "failures: 1", 1),
        (_after(VisitCode.HTTP_ERROR, failures=2), 120, "failures: 3", 3),
        (_after(VisitCode.NOT_A_FEED, failures=500, ttl=99_999), 24 * 60, "failures: 501", 501),
        (_after(VisitCode.REFUSED, every=2880), 2880, "interval", 1),
        (_after(VisitCode.BUSY, retry=3600), 60, "retry-after", 1),
        (_after(VisitCode.BUSY, retry=10), 30, "failures: 1", 1),
        (_after(VisitCode.BUSY, retry=1e9), 24 * 60, "retry-after", 1),
        (_after(VisitCode.GONE, failures=1, retry=5), 30 * 24 * 60, "gone", 2),
    ],
)
def test_the_longest_wait_asked_for_wins(visit: NextVisit, wait: int, rule: str, failures: int) -> None:
    assert (visit.rule, visit.failures) == (rule, failures)
    assert timedelta(minutes=wait) <= visit.at - NOON <= timedelta(minutes=wait) * 1.05
    assert visit.at - NOON == timedelta(minutes=wait) or wait < 24 * 60


def test_a_feed_of_every_minute_is_due_in_the_next_minute_however_late_its_visit_began() -> None:
    for seconds in (0, 7, 59.9):
        assert _after(every=1, at=NOON + timedelta(seconds=seconds)).at == NOON + timedelta(minutes=1)
    assert _after(every=15, at=NOON + timedelta(seconds=7)).at == NOON + timedelta(minutes=15)


def test_jitter_spreads_feeds_and_is_the_same_every_time() -> None:
    def due_times() -> list[datetime]:
        return [
            next_visit(
                _feed(f"feed-{n}", 120),
                VisitCode.PARSED,
                visited_at=NOON,
                failures=0,
                ttl_minutes=None,
                retry_after_s=None,
                cache_max_age_s=None,
            ).at
            for n in range(200)
        ]

    assert due_times() == due_times()
    assert len(set(due_times())) > 100
    assert max(due_times()) - min(due_times()) <= timedelta(minutes=6)
