"""### Visit the feeds that are due

Every five minutes (`NEWSMILL_PULL_CRON` changes that) four shards visit the feeds whose time has come, keep the bytes as they
were sent, parse them and note how every entry ended. `announce` then commits the batch to the lake, whole or not at all, says
what came in and how it ended, and its event starts **read_articles**. The event is sent for an empty batch too: pages that failed
earlier may be due again.

A run by hand (the *Trigger* button, no options) visits what is due now. It never visits a feed early.

**When it fails**

- *a `shard_…` is red*: what the other shards found is committed and announced already; the next run takes up the rest.
  Its log says which feed or setting. One broken feed never fails a shard.
- *`announce` is red*: nothing of this batch is committed. Clear it: it goes on with the bytes that were kept and visits nobody
  twice. Where somebody else writes to the lake, the error names who. A `LossError` names what came in and did not end, or ended
  twice, and says what to do.
- *tasks stay grey*: a pool is missing (`airflow pools import config/airflow_pools.json`), or read_articles is visiting.
"""

import os
from datetime import timedelta

from airflow.sdk import DAG, CronPartitionTimetable
from news_stage import RULES, VISITING_POOLS, add_stage

EVERY = CronPartitionTimetable(
    os.environ.get("NEWSMILL_PULL_CRON", "*/5 * * * *"),
    timezone="UTC",
    run_immediately=timedelta(0),  # False, which should mean the same, catches up with the tick before the installation
    key_format="%Y%m%dT%H%M%SZ",  # so that the key of a scheduled run is its batch id
)

with DAG("pull_feeds", schedule=EVERY, doc_md=__doc__, description="Visit the feeds that are due", **RULES):
    add_stage("pull", VISITING_POOLS)
