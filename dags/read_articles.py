"""### Fetch and read the articles behind the feeds

Started by **pull_feeds** for each batch it commits. Four shards, by host, fetch the pages that are new, changed or due again,
and read text, date, authors and language out of them. `announce` then finds copies and updates in order of arrival, commits the
batch to the lake, whole or not at all, and its event starts **tag_articles**; an empty batch sends it too, so that every batch
can be followed to its end.

A run by hand (the *Trigger* button, no options) reads whatever is waiting: work is found in the lake, not in the event.

**When it fails**

- *a `shard_…` is red*: the pages of the other shards are committed and announced already; the next run takes up the rest.
  A page that cannot be had never fails a shard: it ends in a named outcome (`newsmill show` counts them).
- *`announce` is red*: nothing of this batch is committed. Clear it: it goes on with the pages that were kept and fetches
  nothing twice. A `LossError` names what came in and did not end, or ended twice, and says what to do.
- *tasks stay grey*: a pool is missing (`airflow pools import config/airflow_pools.json`), or pull_feeds is visiting: both
  share one pool per shard, so that no host sees two of us at once.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable
from news_assets import VISITS
from news_stage import RULES, VISITING_POOLS, add_stage

AFTER = PartitionedAssetTimetable(assets=VISITS)

with DAG("read_articles", schedule=AFTER, doc_md=__doc__, description="Fetch and read the articles behind the feeds", **RULES):
    add_stage("read", VISITING_POOLS)
