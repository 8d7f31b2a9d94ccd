"""An operator at a real scheduler and API server: a shard that failed is cleared, then an announcement alone."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from embedded.airflow_api import AirflowApi
from embedded.airflow_home import airflow_settings, environment
from embedded.processes import Processes
from embedded.run_directory import RunDirectory, claim
from pipeline.feeds import load_catalogue, shard_of
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.run.context import host_of
from tests.airflow.conftest import CHECKOUT, DAGS
from tests.airflow.ports import free_port

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(300)]
NEVER = "0 0 1 1 *"
LIMIT_S = 120


class Desk:
    """The API of a running Airflow, and the lake its tasks fill."""

    def __init__(self, api: AirflowApi, processes: Processes, lake: Lake) -> None:
        self.api, self.processes, self.lake = api, processes, lake

    def until(self, ask: Callable[[], Any]) -> Any:
        until = time.monotonic() + LIMIT_S
        while not (answer := ask()):
            self.processes.listen()
            assert time.monotonic() < until, ask
            time.sleep(0.3)
        return answer

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.api._call(method, f"/api/v2/dags/{path}", body)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        return self.call("GET", f"{dag}/dagRuns?order_by=run_after")["dag_runs"]

    def all_ended(self, dag: str, count: int) -> list[dict[str, Any]]:
        def ended() -> list[dict[str, Any]]:
            runs = self.runs(dag)
            return runs if len(runs) >= count and all(run["state"] in ("success", "failed") for run in runs) else []

        return self.until(ended)

    def states(self, run: dict[str, Any]) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self.api.tasks(run)}

    def clear(self, run: dict[str, Any], task: str) -> None:
        body = {"dry_run": False, "dag_run_id": run["dag_run_id"], "task_ids": [task], "only_failed": False}
        cleared = self.call("POST", f"{run['dag_id']}/clearTaskInstances", {**body, "include_downstream": True})
        assert task in {one["task_id"] for one in cleared["task_instances"]}

    def rows(self, query: str) -> list[Any]:
        with connect(self.lake.root) as con:
            return con.sql(query).fetchall()


@pytest.fixture
def desk(run_directory: Path) -> Iterator[Desk]:
    place, port = RunDirectory(run_directory), free_port()
    place.prepare()
    newsmill = {name: value for name, value in os.environ.items() if name.startswith("NEWSMILL")}
    newsmill |= {f"NEWSMILL_{name}_CRON": NEVER for name in ("PULL", "CLOSE", "SWEEP")}
    variables = environment(os.environ, airflow_settings(place, DAGS, port, place.read(place.secrets)), newsmill)
    lake = Lake(place.lake)
    lake.open_for_writing()
    with claim(place.root, {}) as lock:
        processes = Processes(place.log, CHECKOUT / "config/airflow_pools.json", [], variables, lock)
        try:
            made = Desk(AirflowApi(f"http://127.0.0.1:{port}", place.read(place.passwords)["admin"]), processes, lake)
            made.until(made.api.log_in)
            yield made
        finally:
            processes.stop()


def test_what_an_operator_clears_is_done_and_reaches_the_end(desk: Desk) -> None:
    feeds = {f.feed_id: shard_of(host_of(f.url), 4) for f in load_catalogue(desk.lake.root.parent / "feeds.toml")}
    failing = min(feeds.values())
    left_out = {feed for feed, shard in feeds.items() if shard == failing}
    moment = datetime.now(UTC).replace(microsecond=0)
    batch, task = batch_id_of(moment), f"shard_{failing}"
    asked = {"logical_date": None, "run_after": moment.isoformat()}

    # one shard of the first run fails; what the others found reaches the end, and the run is red
    with hold(desk.lake, BatchRef(batch, "pull"), f"shard-{failing}-of-4", last=True):
        pull = desk.until(lambda: trigger(desk, asked))
        desk.until(lambda: desk.states(pull).get(task) == "up_for_retry")
        desk.call("PATCH", f"pull_feeds/dagRuns/{pull['dag_run_id']}/taskInstances/{task}", {"new_state": "failed"})
        (pull,) = desk.all_ended("pull_feeds", 1)
    assert pull["state"] == "failed"
    assert {t: s for t, s in desk.states(pull).items() if s != "success"} == {task: "failed", "verdict": "upstream_failed"}
    (tagged,) = desk.all_ended("tag_articles", 1)
    assert (tagged["state"], tagged["partition_key"]) == ("success", batch)
    visited = {feed for (feed,) in desk.rows("SELECT feed_id FROM lake.visits")}
    assert visited == feeds.keys() - left_out

    # the operator clears it: its feeds are visited, and their news reach the end under a new id
    desk.clear(pull, task)
    reads, tags = desk.all_ended("read_articles", 2), desk.all_ended("tag_articles", 2)
    assert [run["state"] for run in (*desk.runs("pull_feeds"), *reads, *tags)] == ["success"] * 5
    assert [run["partition_key"] for run in reads] == [run["partition_key"] for run in tags]
    assert reads[0]["partition_key"] == batch < reads[1]["partition_key"]
    whole(desk, feeds)
    articles = desk.rows("SELECT count(*) FROM lake.articles")

    # the announcement alone: a second event of the same batch starts the next DAG, which finds nothing left
    desk.clear(pull, "announce")
    tags = desk.all_ended("tag_articles", 3)
    assert {run["state"] for run in tags} == {"success"}
    whole(desk, feeds)
    assert desk.rows("SELECT count(*) FROM lake.articles") == articles


def trigger(desk: Desk, asked: dict[str, Any]) -> dict[str, Any] | None:
    """A run by hand, once Airflow knows the DAGs."""
    known = {dag["dag_id"] for dag in desk.api._call("GET", "/api/v2/dags")["dags"]}
    return desk.call("POST", "pull_feeds/dagRuns", asked) if {"pull_feeds", "read_articles", "tag_articles"} <= known else None


def whole(desk: Desk, feeds: dict[str, int]) -> None:
    """Every feed was visited once, every entry has its end and every article its tags, once."""
    assert sorted(feed for (feed,) in desk.rows("SELECT feed_id FROM lake.visits")) == sorted(feeds)
    assert desk.rows("SELECT title FROM outcomes WHERE code = 'waiting'") == []
    for table, key in {"pages": "(entry_id, attempt)", "articles": "version_id", "taggings": "version_id"}.items():
        assert desk.rows(f"SELECT {key} FROM lake.{table} GROUP BY ALL HAVING count(*) > 1") == [], table
    assert desk.rows("SELECT version_id FROM lake.articles ANTI JOIN lake.taggings USING (version_id)") == []
