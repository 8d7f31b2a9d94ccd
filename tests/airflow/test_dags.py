"""The DAGs as an operator meets them: they load, they are wired as documented, and they bring news into the lake."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold
from tests.airflow.conftest import CHECKOUT

pytestmark = pytest.mark.airflow

VISITING = [f"newsmill_shard_{shard}" for shard in range(4)]
EXPECTED = {
    "pull_feeds": ("pull", VISITING, "newsmill_visits"),
    "read_articles": ("read", VISITING, "newsmill_articles"),
    "tag_articles": ("tag", ["default_pool"] * 4, "newsmill_tags"),
}
MOMENT = datetime(2026, 11, 23, 1, 42, 0, 123000, tzinfo=UTC)


def test_all_dags_load(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == set(EXPECTED)


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


@pytest.mark.parametrize("dag_id", EXPECTED)
def test_one_run_at_a_time_and_a_page_for_the_operator(bag: Any, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert (dag.max_active_runs, dag.catchup, dag.tags) == (1, False, {"newsmill"})
    assert "**When it fails**" in dag.doc_md
    assert {(task.retries, task.execution_timeout is not None) for task in dag.tasks} == {(2, True)}


def test_pools_of_the_dags_are_the_pools_to_import(bag: Any) -> None:
    used = {task.pool for dag in bag.dags.values() for task in dag.tasks} - {"default_pool"}
    pools = json.loads((CHECKOUT / "config/airflow_pools.json").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == dict.fromkeys(used, 1)


def test_key_of_a_scheduled_run_is_a_batch_id(bag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    timetable = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["pull_feeds"])).timetable
    run = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=TimeRestriction(None, None, False))
    assert run.run_after > datetime.now(UTC)
    assert BatchRef(run.partition_key, "pull").batch_id == run.run_after.strftime("%Y%m%dT%H%M00Z")


def test_news_go_from_the_wire_into_the_lake(bag: Any, run_directory: Path) -> None:
    runs = [bag.dags[dag_id].test(run_after=MOMENT) for dag_id in EXPECTED]

    assert [run.state for run in runs] == ["success"] * 3
    with connect(run_directory / "lake") as con:
        [(articles, feeds, tagged)] = con.sql(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(DISTINCT feed_id) FROM lake.visits),"
            " (SELECT count(*) FROM lake.taggings)"
        ).fetchall()
    assert (articles > 5, feeds, tagged) == (True, 3, articles)
    assert [(event["partition_key"], event["batch_id"]) for event in events(runs)] == [("20261123T014200123Z",) * 2] * 3


def test_failed_shard_fails_the_run_after_the_rest_is_committed(bag: Any, run_directory: Path) -> None:
    lake = Lake(run_directory / "lake")
    lake.open_for_writing()
    dag = bag.dags["pull_feeds"]
    for task in dag.tasks:
        task.retries = 0
    with hold(lake, BatchRef("20261123T020000000Z", "pull"), "shard-2-of-4"):
        run = dag.test(run_after=MOMENT.replace(hour=2, minute=0, microsecond=0))

    states = {task.task_id: task.state for task in run.get_task_instances()}
    assert run.state == "failed"
    assert states == {
        **dict.fromkeys(("shard_0", "shard_1", "shard_3", "announce"), "success"),
        "shard_2": "failed",
        "verdict": "upstream_failed",
    }
    with connect(lake.root) as con:
        visited = {feed for (feed,) in con.sql("SELECT DISTINCT feed_id FROM lake.visits").fetchall()}
    assert visited
    [event] = events([run])
    assert (event["came_in"], event["missing"], event["shards missing"]) == (len(visited), 0, 1)
    assert len(visited) < 3


def events(runs: list[Any]) -> list[dict[str, Any]]:
    """What the runs announced, in order: key and content of each event."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent).where(AssetEvent.source_run_id.in_([run.run_id for run in runs])).order_by(AssetEvent.id)
        return [{"partition_key": event.partition_key, **event.extra} for event in session.scalars(query)]
