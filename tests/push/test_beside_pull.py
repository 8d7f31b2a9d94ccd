"""What is pushed and what is pulled meet in one lake: each entry comes once, whoever is first, and polling is as it was."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.push import Inbox
from pipeline.push.letter import Letter
from pipeline.run import settle, work_shard
from pipeline.run.replay import Days, replay_days
from tests.run.publisher import START, Desk, publishing


def silent(_line: str) -> None:
    """Says nothing."""


def push(desk: Desk) -> None:
    Inbox(desk.settings.inbox).prepare()
    Inbox(desk.settings.inbox).post(Letter(desk.publisher.feed().encode(), {"feed": "t", "content-type": "text/xml"}), "t")


def one_stage(desk: Desk, stage: str, batch: str, meanwhile: Callable[[], object] | None = None) -> dict[str, int]:
    """A batch of one stage; `meanwhile` happens after it was decided and before it is committed."""
    waiting = [meanwhile] if meanwhile else []

    def clock() -> datetime:
        if waiting:
            waiting.pop()()
        return desk.now

    work_shard(desk.settings, stage, batch, 0, silent, lambda: desk.now)
    return {what: n for what, n in settle(desk.settings, stage, batch, silent, clock).counts.items() if n}


def test_who_commits_second_decides_once_more(tmp_path: Path) -> None:
    with publishing() as publisher:
        desk = Desk(tmp_path, publisher)
        push(desk)
        pushed = one_stage(desk, "push", "20261123T090000Z", lambda: one_stage(desk, "pull", "20261123T090000Z"))
        publisher.items = [{"guid": "new", "title": "Brand new", "path": "/new"}]
        desk.now += timedelta(minutes=2)
        push(desk)
        pulled = one_stage(desk, "pull", "20261123T090200Z", lambda: one_stage(desk, "push", "20261123T090200Z"))

    assert pushed == {"came_in": 1, "parsed": 1, "entries seen": 4, "entries known": 4}
    assert pulled == {"came_in": 1, "parsed": 1, "entries seen": 1, "entries known": 1}
    assert desk.rows("SELECT stage, count(*), count(DISTINCT entry_id) FROM lake.entries GROUP BY ALL ORDER BY ALL") == [
        ("pull", 4, 4),
        ("push", 1, 1),
    ]


def test_polling_goes_on_as_if_nothing_had_been_pushed_and_a_replay_gives_the_same(tmp_path: Path) -> None:
    with publishing() as publisher:
        desk = Desk(tmp_path / "run", publisher)
        one_stage(desk, "pull", "20261123T090000Z")
        polled = desk.rows("SELECT visit_id, next_due_at, etag, body_sha256 FROM feeds")
        publisher.items = [{"guid": "new", "title": "Brand new", "path": "/new"}]
        desk.now += timedelta(seconds=5)
        push(desk)
        one_stage(desk, "push", "20261123T090005Z")
        assert desk.rows("SELECT visit_id, next_due_at, etag, body_sha256 FROM feeds") == polled
        assert desk.rows("SELECT due_rule, next_due_at FROM lake.visits WHERE stage = 'push'") == [("pushed", polled[0][1])]
    replay_days(desk.settings, Lake(tmp_path / "new"), Days())
    query = "SELECT * EXCLUDE (batch_id, available_at) FROM lake.{} ORDER BY ALL"
    with connect(tmp_path / "new") as con:
        for table in ("visits", "entries"):
            assert con.sql(query.format(table)).fetchall() == desk.rows(query.format(table))
    assert desk.now > START
