"""The DAGs as an operator meets them: they load, they are wired as documented, and they bring news into the lake."""

import asyncio
import importlib
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LakeBusy, LossError
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import LEASE, hold
from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.wire.newsroom import publishers
from schemas.feed import VisitCode
from tests.airflow.conftest import CHECKOUT
from tests.lake.sample import add, made
from tests.lake.test_feed_status import visit
from tests.push.drops import PAGE

pytestmark = pytest.mark.airflow

VISITING = [f"newsmill_shard_{shard}" for shard in range(4)]
EXPECTED = {
    "pull_feeds": ("pull", VISITING, "newsmill_visits"),
    "read_articles": ("read", VISITING, "newsmill_articles"),
    "tag_articles": ("tag", ["default_pool"] * 4, "newsmill_tags"),
}
UPKEEP = {"close_day", "sweep", "take_inbox", "watch_health"}
FEEDS = sum(len(publisher.feeds) for publisher in publishers().values())
TIMED = {"close_day", "sweep"}
#: Airflow keeps one run for a moment, so each test has its own; a batch more than six hours old would ask for nothing.
MOMENT = datetime.now(UTC).replace(microsecond=123000) - timedelta(minutes=30)


@pytest.fixture
def at_once(bag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails, fails at once."""
    for dag in bag.dags.values():
        for task in dag.tasks:
            monkeypatch.setattr(task, "retries", 0)


def test_all_dags_load(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {*EXPECTED, *UPKEEP}


@pytest.mark.parametrize("dag_id", EXPECTED)
def test_tasks_and_their_rules(bag: Any, dag_id: str) -> None:
    stage, pools, asset = EXPECTED[dag_id]
    found = {
        task.task_id: (
            task.pool,
            str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            sorted(task.upstream_task_ids),
            [outlet.name for outlet in task.outlets],
        )
        for task in bag.dags[dag_id].tasks
    }
    shards = [f"shard_{shard}" for shard in range(4)]
    assert found == {
        **{shard: (pool, "all_success", [], []) for shard, pool in zip(shards, pools, strict=True)},
        "announce": (f"newsmill_commit_{stage}", "all_done", shards, [asset]),
        "verdict": ("default_pool", "all_success", ["announce", *shards], []),
    }


@pytest.mark.parametrize("dag_id", [*EXPECTED, *sorted(UPKEEP)])
def test_one_run_at_a_time_and_a_page_for_the_operator(bag: Any, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert (dag.max_active_runs, dag.catchup, dag.tags) == (1, False, {"newsmill"})
    assert "**When it fails**" in dag.doc_md
    assert all(task.retries >= 2 and task.execution_timeout for task in dag.tasks)


def test_somebody_else_at_work_is_waited_for(bag: Any) -> None:
    def waits(dag_id: str, task_id: str) -> timedelta:
        task = bag.dags[dag_id].get_task(task_id)
        decision = task.retry_policy.evaluate(LakeBusy("held"), 1, task.retries)
        assert decision.action.value == "retry"
        return decision.retry_delay * task.retries

    assert all(waits(dag_id, "shard_1") > LEASE for dag_id in EXPECTED)
    assert waits("close_day", "close") == timedelta(minutes=30)
    lost = bag.dags["close_day"].get_task("close").retry_policy.evaluate(LossError("rows"), 1, 6)
    assert lost.action.value == "fail"


def test_pools_of_the_dags_are_the_pools_to_import(bag: Any) -> None:
    used = {task.pool for dag in bag.dags.values() for task in dag.tasks} - {"default_pool"}
    pools = json.loads((CHECKOUT / "config/airflow_pools.json").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == dict.fromkeys(used, 1)


def test_key_of_a_scheduled_run_is_a_batch_id(bag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    def first(dag_id: str) -> Any:
        timetable = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags[dag_id])).timetable
        return timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=TimeRestriction(None, None, False))

    assert all(first(dag_id).run_after > datetime.now(UTC) for dag_id in ("pull_feeds", *TIMED))
    run = first("pull_feeds")
    assert BatchRef(run.partition_key, "pull").batch_id == run.run_after.strftime("%Y%m%dT%H%M00Z")


def test_news_go_from_the_wire_into_the_lake(bag: Any, run_directory: Path) -> None:
    runs = [bag.dags[dag_id].test(run_after=MOMENT) for dag_id in EXPECTED]

    assert [run.state for run in runs] == ["success"] * 3
    with connect(run_directory / "lake") as con:
        [(articles, feeds, tagged)] = con.sql(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(DISTINCT feed_id) FROM lake.visits),"
            " (SELECT count(*) FROM lake.taggings)"
        ).fetchall()
    assert (articles > 5, feeds, tagged) == (True, FEEDS, articles)
    assert [(event["partition_key"], event["batch_id"]) for event in events(runs)] == [(batch_id_of(MOMENT),) * 2] * 3


@pytest.mark.usefixtures("at_once")
def test_failed_shard_fails_the_run_after_the_rest_is_committed(bag: Any, run_directory: Path) -> None:
    lake = Lake(run_directory / "lake")
    lake.open_for_writing()
    moment = MOMENT + timedelta(minutes=1)
    with hold(lake, BatchRef(batch_id_of(moment), "pull"), "shard-2-of-4"):
        run = bag.dags["pull_feeds"].test(run_after=moment)

    assert run.state == "failed"
    assert states(run) == {
        **dict.fromkeys(("shard_0", "shard_1", "shard_3", "announce"), "success"),
        "shard_2": "failed",
        "verdict": "upstream_failed",
    }
    with connect(lake.root) as con:
        visited = {feed for (feed,) in con.sql("SELECT DISTINCT feed_id FROM lake.visits").fetchall()}
    assert visited
    [event] = events([run])
    assert (event["came_in"], event["missing"], event["shards missing"]) == (len(visited), 0, 1)
    assert len(visited) < FEEDS


@pytest.mark.usefixtures("at_once")
def test_what_went_missing_fails_the_run_by_name(bag: Any, run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shard's results that do not hold what it said: nothing of the batch is committed or announced."""
    moment = MOMENT + timedelta(minutes=2)
    damaged = run_directory / "lake/staging" / f"{batch_id_of(moment)}-pull" / "shard-1-of-4"
    damaged.mkdir(parents=True)
    (damaged / "shard.json").write_text('{"visits": 7}')
    run = bag.dags["pull_feeds"].test(run_after=moment)

    assert run.state == "failed"
    assert {task: state for task, state in states(run).items() if state != "success"} == {
        "announce": "failed",
        "verdict": "upstream_failed",
    }
    said = f"{damaged} should hold the rows {{'visits': 7}} and holds {{}}; delete it and clear the shard"
    assert said in capsys.readouterr().out
    assert events([run]) == [] and not list(run_directory.glob("lake/hot/date=2*/*"))


@pytest.mark.usefixtures("at_once")
def test_a_failed_run_done_again_adds_what_failed_and_starts_the_next_dag(bag: Any, run_directory: Path) -> None:
    """Cleared as a whole: what is there stays, what failed is done, and the next stage takes up what is new under a new id."""
    lake, moment = Lake(run_directory / "lake"), MOMENT + timedelta(minutes=3)
    lake.open_for_writing()
    batch = batch_id_of(moment)
    with hold(lake, BatchRef(batch, "pull"), "shard-2-of-4"):
        bag.dags["pull_feeds"].test(run_after=moment)
    for dag_id in ("read_articles", "tag_articles"):
        bag.dags[dag_id].test(run_after=moment)
    before = rows(lake, "visits"), rows(lake, "articles")
    run = again(bag, "pull_feeds", moment)

    assert (run.state, len(rows(lake, "visits"))) == ("success", FEEDS)
    event = events([run])[-1]
    assert event["came_in"] - event["settled before"] == FEEDS and event["partition_key"] > batch, (
        "the read batch of the same id would not look again"
    )
    assert set(before[0]) < set(rows(lake, "visits")) and rows(lake, "articles") == before[1]


def test_a_run_of_a_week_ago_done_again_changes_nothing(
    bag: Any, run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, moment = Settings.from_env(os.environ), MOMENT - timedelta(days=7)
    run_once(settings, lambda _line: None, lambda: moment)
    before = rows(Lake(settings.lake), "visits"), rows(Lake(settings.lake), "articles")
    runs = [bag.dags[dag_id].test(run_after=moment) for dag_id in ("close_day", *EXPECTED)]

    assert [run.state for run in runs] == ["success"] * 4
    assert (rows(Lake(settings.lake), "visits"), rows(Lake(settings.lake), "articles")) == before
    assert "asks for nothing: it is old or was left, and what is due is the next batch's" in capsys.readouterr().out
    pull, read, _ = events(runs[1:])
    assert pull["partition_key"] > batch_id_of(MOMENT) < read["partition_key"], "under an id that may ask again"


def test_days_are_closed_and_announced_once(bag: Any, run_directory: Path) -> None:
    settings, moment = Settings.from_env(os.environ), MOMENT - timedelta(days=2)
    run_once(settings, lambda _line: None, lambda: moment)
    first, second = [bag.dags["close_day"].test(run_after=MOMENT + timedelta(minutes=n)) for n in (4, 5)]

    assert (first.state, second.state, states(second)["announce"]) == ("success", "success", "skipped")
    (event,) = events([first, second])
    day = f"{moment:%Y-%m-%d}"
    assert event["partition_key"] == day and event["rows"][day] > 20
    closed = xcom(first, "close")["closed"]
    assert (list(closed), closed[day]["rows"]) == ([day], event["rows"][day])
    assert xcom(second, "close") == {"closed": {}, "deleted_directories": 0, "deleted_files": 0}


@pytest.mark.usefixtures("at_once")
def test_a_day_that_cannot_be_closed_is_named_and_the_days_before_are_announced(
    bag: Any, run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.from_env(os.environ)
    days = [MOMENT - timedelta(days=n) for n in (3, 2)]
    for moment in days:
        run_once(settings, lambda _line: None, lambda moment=moment: moment)
    (Lake(settings.lake).hot(BatchRef(batch_id_of(days[1]), "pull")) / "visits.parquet").unlink()
    run = bag.dags["close_day"].test(run_after=MOMENT + timedelta(minutes=6))

    assert (run.state, states(run)) == ("failed", {"close": "failed", "announce": "success", "verdict": "upstream_failed"})
    assert [event["partition_key"] for event in events([run])] == [f"{days[0]:%Y-%m-%d}"]
    assert re.search(r"visits: its files hold 0 rows and their batches say \d; nothing was closed", capsys.readouterr().out)


def test_a_sweep_announces_once_what_nobody_was_told_of(
    bag: Any, run_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.run.upkeep.OVERDUE", timedelta(seconds=-5))
    bag.dags["pull_feeds"].test(run_after=MOMENT + timedelta(minutes=7))
    first, second = [bag.dags["sweep"].test(run_after=MOMENT + timedelta(minutes=n)) for n in (8, 9)]

    others = dict.fromkeys(("push", "read", "tag", "subscriptions"), "skipped")
    assert states(first) == {"pull": "success", **others, "verdict": "success"}
    assert (second.state, states(second)["pull"]) == ("success", "skipped")
    (event,) = events([first, second])
    assert event["waiting"] > 5 and event["finished"] == []
    assert f"Announced as {event['partition_key']}" in capsys.readouterr().out


def test_what_is_dropped_is_announced_like_a_pull_and_read(bag: Any, run_directory: Path) -> None:
    (run_directory / "inbox").mkdir()
    (run_directory / "inbox" / "a.push").write_text("url: https://drop.example/a\n\n" + PAGE)
    moments = [MOMENT + timedelta(minutes=n) for n in (11, 12)]
    first, second = [bag.dags["take_inbox"].test(run_after=moment) for moment in moments]
    read = bag.dags["read_articles"].test(run_after=moments[0])

    assert (states(first), states(second), read.state) == ({"take": "success"}, {"take": "skipped"}, "success")
    (event,) = events([first, second])
    assert (event["partition_key"], event["entries new"]) == (batch_id_of(moments[0]), 1)
    with connect(run_directory / "lake") as con:
        assert con.sql("SELECT url FROM articles").fetchall() == [("https://drop.example/a",)]


def test_the_inbox_is_watched_by_a_trigger_that_a_triggerer_can_make(bag: Any, run_directory: Path) -> None:
    (watcher,) = importlib.import_module("take_inbox").INBOX.watchers
    place, known = watcher.trigger.serialize()
    assert Path(known["path"]).is_absolute()
    module, _, name = place.rpartition(".")
    made = getattr(importlib.import_module(module), name)
    trigger = made(**known | {"path": str(run_directory / "inbox"), "poll_s": 0.01})

    async def first_two() -> list[Any]:
        (run_directory / "inbox").mkdir()
        events = trigger.run()
        told = []
        for number in range(2):
            (run_directory / "inbox" / f"{number}.push").write_text("\n<rss/>")
            told.append((await asyncio.wait_for(anext(events), 10)).payload)
        await events.aclose()
        return told

    assert asyncio.run(first_two()) == [{"waiting": 1, "first": "0.push"}, {"waiting": 2, "first": "0.push"}]


def test_a_watch_fails_once_and_names_the_feeds(bag: Any, run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing at all where there is no lake yet; a failure that is not tried again where a feed is blocked."""
    first = bag.dags["watch_health"].test(run_after=MOMENT + timedelta(minutes=10))
    refused = [replace(visit(datetime.now(UTC), "ankerblatt", 2), outcome=VisitCode.REFUSED)]
    add(made(run_directory / "lake"), datetime.now(UTC), "pull", visits=refused)
    second = bag.dags["watch_health"].test(run_after=MOMENT + timedelta(minutes=11))

    assert (states(first), states(second)) == ({"watch": "skipped"}, {"watch": "failed"})
    assert "AirflowFailException: blocked ankerblatt: 2 visits in a row ended in refused" in capsys.readouterr().out


def again(bag: Any, dag_id: str, moment: datetime) -> Any:
    """The run of this moment once more, as when it is cleared as a whole."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_after == moment))
    return bag.dags[dag_id].test(run_after=moment)


def rows(lake: Lake, table: str) -> list[str]:
    with connect(lake.root) as con:
        return [str(row) for row in con.sql(f"SELECT * EXCLUDE (date) FROM lake.{table} ORDER BY ALL").fetchall()]


def states(run: Any) -> dict[str, str]:
    return {task.task_id: str(task.state) for task in run.get_task_instances()}


def xcom(run: Any, task_id: str) -> Any:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = XComModel.get_many(key="return_value", run_id=run.run_id, dag_ids=run.dag_id, task_ids=task_id)
        return XComModel.deserialize_value(session.scalars(query).one())


def events(runs: list[Any]) -> list[dict[str, Any]]:
    """What the runs announced, in order: key and content of each event."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    ids = {(run.dag_id, run.run_id) for run in runs}
    with create_session() as session:
        found = session.scalars(select(AssetEvent).order_by(AssetEvent.id))
        mine = [event for event in found if (event.source_dag_id, event.source_run_id) in ids]
        return [{"partition_key": event.partition_key, **event.extra} for event in mine]
