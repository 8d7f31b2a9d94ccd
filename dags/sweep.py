"""### Finish what was left, announce what was missed

Every 15 minutes, in between the pulls (`NEWSMILL_SWEEP_CRON` changes that), stage by stage. Batches that were begun and left,
of which nothing was seen for half an hour, are brought to their end from the bytes they had kept: a sweep asks no server. What
was committed too late for its day is committed again. Then, where entries (or articles) have been waiting for ten minutes, and
no batch of the stage that should take them up is begun or at work, they are announced under a batch id of their own: `push` and
`pull` start **read_articles**, `read` starts **tag_articles**. `push` also takes what has waited in the inbox for ten minutes. A
task that found nothing to announce is skipped; its log says what waits.

`subscriptions` asks WebSub hubs for what they should push, renews what ends soon, and notices where nothing is pushed any more.
It is skipped where `NEWSMILL_PUSH_URL` is not set. Its secret is `NEWSMILL_PUSH_SECRET`, or the password of the connection
`newsmill_push`.

The usual way needs none of this: each pull is followed by a read run. A sweep is for an event that was lost, a task killed
between commit and event, a scheduler that was down. A run by hand does the same, at once.

**When it fails**

- *a task is red*: its log names the batch that cannot be brought to its end and what to do; the other stages were swept.
  The batch stays as it is, and the next sweep tries again.
- *skipped, and "not this time" in the log*: somebody is at work on the stage, which is as it should be.
- *tasks stay grey*: a pool is missing. `airflow pools import config/airflow_pools.json`.
"""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, chain, task
from news_assets import ANNOUNCES
from news_stage import RULES

EVERY = CronTriggerTimetable(
    os.environ.get("NEWSMILL_SWEEP_CRON", "8-59/15 * * * *"), timezone="UTC", run_immediately=timedelta(0)
)


def find_missed(stage: str, outlet_events=None) -> dict:
    from airflow.sdk.exceptions import AirflowSkipException

    from pipeline.run import sweep
    from pipeline.settings import Settings

    swept = sweep(Settings.from_env(os.environ), stage, print)
    if not swept.announce:
        raise AirflowSkipException("nothing to announce")
    event = outlet_events[ANNOUNCES[stage]]
    event.extra = {"waiting": swept.waiting, "finished": [report.batch_id for report in swept.finished]}
    event.add_partitions(list(swept.announce))
    return event.extra


@task
def subscriptions() -> int:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

    from pipeline.run import keep_subscriptions
    from pipeline.settings import Settings

    settings = Settings.from_env(os.environ)
    if not settings.push_url:
        raise AirflowSkipException("NEWSMILL_PUSH_URL is not set")
    if not settings.push_secret:
        with suppress(AirflowNotFoundException):
            settings = replace(settings, push_secret=Connection.get("newsmill_push").password)
    return keep_subscriptions(settings, print)


with DAG("sweep", schedule=EVERY, doc_md=__doc__, description="Finish what was left, announce what was missed", **RULES):
    swept = [
        task(task_id=stage, pool=f"newsmill_commit_{stage}", trigger_rule="all_done", outlets=[asset], multiple_outputs=False)(
            find_missed
        )(stage)
        for stage, asset in ANNOUNCES.items()
    ]
    chain(*swept)
    [*swept, subscriptions()] >> EmptyOperator(task_id="verdict", trigger_rule="none_failed")
