"""### Find the companies in each article, and what is said about them

Started by **read_articles** for each batch it commits. Four shards tag every version of an article that the current taggers
have not seen: companies with the words that name them, and sentiment with its evidence. `announce` then commits the batch to
the lake, whole or not at all. `newsmill show` prints the newest.

A run by hand (the *Trigger* button, no options) tags whatever is waiting in the lake. No task of this DAG visits the web.

**When it fails**

- *a `shard_…` is red*: what the other shards tagged is committed already; the next run takes up the rest. Its log says why.
- *`announce` is red*: nothing of this batch is committed. Clear it. A `LossError` names what came in and did not end, or
  ended twice, and says what to do.
- *tasks stay grey*: a pool is missing. `airflow pools import config/airflow_pools.json`.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable
from news_assets import ARTICLES
from news_stage import RULES, TAGGING_POOLS, add_stage

AFTER = PartitionedAssetTimetable(assets=ARTICLES)

with DAG("tag_articles", schedule=AFTER, doc_md=__doc__, description="Companies and sentiment of each article", **RULES):
    add_stage("tag", TAGGING_POOLS)
