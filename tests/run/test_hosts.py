"""What a host says outlives the batch and the stage that heard it: waits, refusals, robots.txt. Batches on a clock of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.fetch import Memory
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.staging import begin, finish_shard
from pipeline.lake.views import prepare
from pipeline.run.context import Context
from pipeline.run.hosts import learnt, remembered
from schemas.web import HostSeen, Kind, Request
from tests.run.publisher import START, Desk, Publisher, publishing

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        yield Desk(tmp_path, publisher)


def test_a_ban_is_not_fed(desk: Desk) -> None:
    desk.publisher.page_status = 403
    assert desk.batch(timedelta(0))["read"] == {"came_in": 4, "refused": 3, "deferred": 1, "due again": 4}
    # neither the feed nor a page is asked while it is closed, and robots.txt was asked for once
    assert desk.batch(2 * MINUTE) == {"pull": {"came_in": 1, "deferred": 1}, "read": {}, "tag": {}}
    assert [desk.publisher.asked.count(path) for path in ("robots.txt", "feed")] == [1, 1]
    assert desk.rows("SELECT outcome, failures, due_rule, next_due_at > visited_at + INTERVAL 12 MINUTE FROM feeds") == [
        ("deferred", 0, "host closed", True)
    ]
    hosts = "SELECT stage, host, requests, refusals, round(epoch(closed_until - asked_at)) FROM lake.hosts ORDER BY available_at"
    assert desk.rows(hosts) == [("pull", "127.0.0.1", 2, 0, None), ("read", "127.0.0.1", 3, 3, 900)]
    desk.publisher.page_status = 200
    assert desk.batch(20 * MINUTE)["read"] == {"came_in": 4, "article": 4}
    assert desk.rows(hosts)[-1] == ("read", "127.0.0.1", 4, 0, None)
    assert desk.publisher.asked.count("robots.txt") == 1
    desk.batch(25 * HOUR)
    assert desk.publisher.asked.count("robots.txt") == 2


def test_what_other_shards_have_learnt_counts_before_it_is_committed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Publisher(1))
    lake = Lake(desk.settings.lake)
    lake.open_for_writing()
    prepare(lake)
    batch = BatchRef("20261123T085500Z", "pull")
    begin(lake, batch)
    told = Memory()
    told.note_host(HostSeen(host="www.x.example", asked_at=START, requests=1, pause_s=1.0, closed_until=START + HOUR))
    finish_shard(lake, batch, "shard-0-of-4", learnt(told))
    context = Context(desk.settings, lake, BatchRef("20261123T090000Z", "read"), 0, lambda _line: None, lambda: START)
    with connect(lake.root) as con:
        memory = remembered(context, con, [Request(kind=Kind.PAGE, owner="p", target="e", url="https://x.example/1")])
    assert memory.hosts == told.hosts
    assert memory.hosts_new == {}
