"""### Close the days that are over

Every hour (`NEWSMILL_CLOSE_CRON` changes that) `close` makes one file a table out of the many small ones of each day that is
over, from 06:00 UTC of the next day on, and one a month where a month is over. What was moved is deleted after twice the grace
period (`NEWSMILL_GRACE_H`), raw bytes after theirs (`NEWSMILL_RAW_DAYS`). Its log says what was closed and deleted, mostly
nothing.

`announce` then sends an event of the asset **newsmill_days** for each closed day that was not announced yet, also where it was
closed by hand, with the day as partition key. Hang a DAG of
your own behind it: `PartitionedAssetTimetable(assets=Asset("newsmill_days", uri="newsmill://lake/days"))`. Where no day was
closed it is skipped. A run by hand does the same, at once.

**When it fails**

- *`close` waits for a retry*: somebody else closes, by hand or here; the log says who. It tries for half an hour.
- *`close` is red*: the day it names stays open and readable; days before it are closed and announced. Do what the error says;
  the next hour tries again.
- *tasks stay grey*: a pool is missing. `airflow pools import config/airflow_pools.json`.
"""

import os
from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, task
from news_assets import DAYS
from news_stage import BUSY, RULES

EVERY = CronTriggerTimetable(os.environ.get("NEWSMILL_CLOSE_CRON", "12 * * * *"), timezone="UTC", run_immediately=timedelta(0))


WAIT = RetryRule(BUSY, retry_delay=timedelta(minutes=5), reason="somebody else is closing")
DAMAGED = RetryRule("pipeline.errors.LossError", action=RetryAction.FAIL, reason="files do not come back by themselves")


@task(pool="newsmill_close", retries=6, retry_policy=ExceptionRetryPolicy([WAIT, DAMAGED]), execution_timeout=timedelta(hours=3))
def close() -> dict:
    from pipeline.run import close_days
    from pipeline.settings import Settings

    report = close_days(Settings.from_env(os.environ), print)
    closed = {c.period: {"rows": c.rows, "files": c.files, "files_before": c.files_before} for c in report.closed}
    return {"closed": closed, "deleted_directories": report.retired.directories, "deleted_files": report.retired.files}


@task(outlets=[DAYS], trigger_rule="all_done", multiple_outputs=False)
def announce(outlet_events=None) -> list[str]:
    from airflow.sdk.exceptions import AirflowSkipException

    from pipeline.run import days_to_announce, note_announced
    from pipeline.settings import Settings

    settings = Settings.from_env(os.environ)
    closed = days_to_announce(settings)
    if not closed:
        raise AirflowSkipException("no day was closed")
    outlet_events[DAYS].extra = {"rows": closed}
    outlet_events[DAYS].add_partitions(list(closed))
    note_announced(settings, closed)
    return list(closed)


with DAG("close_day", schedule=EVERY, doc_md=__doc__, description="Close the days that are over", **RULES):
    closing, announced = close(), announce()
    closing >> announced
    [closing, announced] >> EmptyOperator(task_id="verdict", trigger_rule="none_failed")
