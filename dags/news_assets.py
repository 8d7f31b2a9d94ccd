"""The assets by which one DAG starts the next: each announces that one batch of one stage is committed in the lake.

Events are partitioned and carry references and counts, never articles: the partition key is the batch's id.
"""

from airflow.sdk import Asset

VISITS = Asset("newsmill_visits", uri="newsmill://lake/visits")
ARTICLES = Asset("newsmill_articles", uri="newsmill://lake/articles")
TAGS = Asset("newsmill_tags", uri="newsmill://lake/tags")
#: A day was closed; the partition key is the day, such as 2026-11-23.
DAYS = Asset("newsmill_days", uri="newsmill://lake/days")

ANNOUNCES = {"pull": VISITS, "push": VISITS, "read": ARTICLES, "tag": TAGS}
