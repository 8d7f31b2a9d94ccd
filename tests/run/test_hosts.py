"""What a host says outlives the batch and the stage that heard it: waits, refusals, robots.txt. Batches on a clock of its own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.fetch import Memory
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.staging import begin, finish_shard, keep
from pipeline.lake.views import prepare
from pipeline.run.context import Context
from pipeline.run.hosts import learnt, remembered
from schemas.web import Body, FetchCode, HostSeen, Kind, Request
from tests.run.publisher import START, STORIES, Desk, Publisher, publishing

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        yield Desk(tmp_path, publisher)


def test_a_ban_is_not_fed(desk: Desk) -> None:
    desk.publisher.page_status = 403
    assert desk.batch(timedelta(0))["read"] == {"came_in": 4, "refused": 3, "deferred": 1, "due again": 4}
    # no page is asked for while it is closed, not even by those that are due; the feed is, and robots.txt was asked for once
    assert desk.batch(6 * MINUTE)["read"] == {"came_in": 3, "deferred": 3, "due again": 3}
    assert [desk.publisher.asked.count(path) for path in ("robots.txt", "feed", *STORIES)] == [1, 2, 1, 1, 1, 0]
    closed = "round(epoch(pages_closed_until - asked_at))"
    hosts = f"SELECT stage, host, requests, pages_refused, {closed} FROM lake.hosts ORDER BY available_at"
    assert desk.rows(hosts) == [
        ("pull", "127.0.0.1", 2, 0, None),
        ("read", "127.0.0.1", 3, 3, 900),
        ("pull", "127.0.0.1", 1, 3, 540),
    ]
    desk.publisher.page_status = 200
    assert desk.batch(10 * MINUTE)["read"] == {"came_in": 4, "article": 4}
    assert desk.rows(hosts)[-1] == ("read", "127.0.0.1", 4, 0, None)
    assert desk.publisher.asked.count("robots.txt") == 1


def test_a_feed_that_is_told_to_wait_is_waited_for_by_all(desk: Desk) -> None:
    desk.publisher.slugs = ["sap"]
    desk.batch(timedelta(0))
    desk.publisher.slugs, desk.publisher.feed_status, desk.publisher.retry_after = ["sap"], 429, "3600"
    assert desk.batch(5 * MINUTE)["pull"] == {"came_in": 1, "busy": 1}
    asked = len(desk.publisher.asked)
    with desk.settings.catalogue.open("a") as catalogue:
        catalogue.write(f'[[feed]]\nfeed_id = "u"\nurl = "{desk.publisher.base}/feed?u"\n')
    assert desk.batch(5 * MINUTE)["pull"] == {"came_in": 1, "deferred": 1}
    assert len(desk.publisher.asked) == asked
    deferred = "SELECT outcome, failures, due_rule, round(epoch(next_due_at - visited_at)) FROM feeds WHERE feed_id = 'u'"
    assert desk.rows(deferred) == [("deferred", 0, "host closed", 3300)]


def test_what_is_not_in_the_lake_yet_counts_too(tmp_path: Path) -> None:
    """What finished shards of other batches have learnt, and what an earlier try at this one was told."""
    desk = Desk(tmp_path, Publisher(1))
    lake = Lake(desk.settings.lake)
    lake.open_for_writing()
    prepare(lake)
    staged = BatchRef("20261123T085500Z", "pull")
    begin(lake, staged)
    told = Memory()
    told.note_host(HostSeen(host="www.x.example", asked_at=START, requests=1, pause_s=1.0, closed_until=START + HOUR))
    finish_shard(lake, staged, "shard-0-of-4", learnt(told))
    mine = Context(
        replace(desk.settings, shards=1), lake, BatchRef("20261123T090000Z", "read"), 0, lambda _line: None, lambda: START
    )
    with keep(lake, mine.batch, "shard-0") as packs:
        packs.add(
            Body(
                kind=Kind.PAGE,
                owner="p_1",
                target="e",
                url="https://y.example/1",
                asked_at=START,
                answered_at=START,
                code=FetchCode.STATUS,
                status=503,
                retry_after_s=600,
            )
        )
    with connect(lake.root) as con:
        memory = remembered(mine, con, [Request(kind=Kind.PAGE, owner="p_2", target="e", url="https://x.example/1")])
    again = HostSeen(host="y.example", asked_at=START, requests=1, pause_s=0.0, closed_until=START + 10 * MINUTE)
    assert memory.hosts == told.hosts | {"y.example": again}
    assert memory.hosts_new == {"y.example": again}, "so that it is in the lake afterwards"
