"""What the three DAGs have in common: four shards side by side, one commit and announcement, one verdict.

Needs its pools: `make run` creates them; elsewhere `airflow pools import config/airflow_pools.json`.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import ExceptionRetryPolicy, RetryRule, task
from news_assets import ANNOUNCES

from pipeline.settings import SHARDS

#: Shared by pull and read: a host is visited by one task at a time.
VISITING_POOLS = [f"newsmill_shard_{shard}" for shard in range(SHARDS)]
TAGGING_POOLS = ["default_pool"] * SHARDS

BUSY = "pipeline.errors.LakeBusy"
#: A stage stays for 90 seconds with a batch whose Airflow was stopped between two tasks: two such waits outlast that.
PATIENT = ExceptionRetryPolicy(rules=[RetryRule(BUSY, retry_delay=timedelta(seconds=50), reason="somebody else is writing")])

RULES = {
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["newsmill"],
    "default_args": {
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_policy": PATIENT,
        "execution_timeout": timedelta(minutes=30),
    },
}


def batch_of(dag_run) -> str:
    """The run's batch: its partition key, or for a run by hand the moment it was asked for, which retries do not change."""
    from pipeline.run import batch_id_of

    return dag_run.partition_key or batch_id_of(dag_run.run_after)


def connection(name: str) -> str | None:
    """The connection of this name, wherever Airflow keeps it, as JSON; its log masks what is secret in it."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(name).as_json()
    except AirflowNotFoundException:
        return None


def work(stage: str, shard: int, dag_run=None) -> None:
    import os
    from dataclasses import replace

    from pipeline.run import work_shard
    from pipeline.settings import Settings

    settings = Settings.from_env(os.environ)
    secrets = settings.secrets
    settings = replace(settings, secrets=lambda name: secrets(name) or connection(name))
    work_shard(settings, stage, batch_of(dag_run), shard, print)


def commit_and_announce(stage: str, dag_run=None, outlet_events=None) -> dict:
    import os

    from pipeline.run import follow_up, settle
    from pipeline.settings import Settings

    settings = Settings.from_env(os.environ)
    report = settle(settings, stage, batch_of(dag_run), print)
    key = follow_up(settings, stage, report.batch_id)
    print(f"announced as {key}: {ANNOUNCES[stage].name}")
    event = outlet_events[ANNOUNCES[stage]]
    event.extra = {"batch_id": report.batch_id, **report.counts}
    if key != dag_run.partition_key:  # a run by hand has none, and an event without a key would start nothing
        event.add_partitions([key])
    return {"announced_as": key, **event.extra}


def add_stage(stage: str, pools: list[str]) -> None:
    """Adds the stage's tasks to the DAG under construction.

    The verdict costs no process: the scheduler ends it by itself, and a failed shard fails it, and so the run, after the commit.
    """
    shards = [task(task_id=f"shard_{shard}", pool=pool)(work)(stage, shard) for shard, pool in enumerate(pools)]
    commit = {"pool": f"newsmill_commit_{stage}", "outlets": [ANNOUNCES[stage]], "multiple_outputs": False}
    announced = task(task_id="announce", trigger_rule="all_done", **commit)(commit_and_announce)(stage)
    shards >> announced
    [*shards, announced] >> EmptyOperator(task_id="verdict")
