"""The contracts: one frozen dataclass per table and per state between the steps. Imports nothing of ours.

`TABLES` names every table of the lake with its row type; `STAMP` is what the commit adds to each row.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pyarrow as pa

from schemas.article import Article, ArticleKey, Relation
from schemas.columns import arrow_schema, col
from schemas.feed import Entry, Visit
from schemas.outcome import LateCommit, Outcome, Superseded
from schemas.tag import Company, Mention, Sentiment, Tagging
from schemas.web import Body, Page

#: Raised when rows already written can no longer be read as they are.
LAKE_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every row of the lake carries beside its own columns."""

    batch_id: str = col("the batch that wrote the row")
    stage: str = col("its stage: pull, read or tag")
    pipeline_version: str = col("version of Newsmill that wrote the row")
    available_at: datetime = col("from when the row could be read: late, never early")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the lake: its row type and the columns its files are sorted by."""

    row: type
    sorted_by: tuple[str, ...]


TABLES: dict[str, Table] = {
    "visits": Table(Visit, ("feed_id",)),
    "entries": Table(Entry, ("feed_id", "position")),
    "pages": Table(Page, ("host", "entry_id")),
    "articles": Table(Article, ("article_id",)),
    "article_keys": Table(ArticleKey, ("key",)),
    "relations": Table(Relation, ("version_id",)),
    "taggings": Table(Tagging, ("version_id",)),
    "mentions": Table(Mention, ("company_id", "version_id", "field", "start")),
    "sentiments": Table(Sentiment, ("company_id", "version_id")),
    "outcomes": Table(Outcome, ("entry_id",)),
    "superseded": Table(Superseded, ("id",)),
    "companies": Table(Company, ("company_id",)),
    "late_commits": Table(LateCommit, ("late_batch_id",)),
}


@cache
def table_schema(name: str) -> pa.Schema:
    """The Arrow schema of a table's files: its own columns, then the stamp."""
    return pa.schema([*arrow_schema(TABLES[name].row), *arrow_schema(Stamp)])


def bodies_schema() -> pa.Schema:
    """The Arrow schema of a pack of raw bytes; packs are kept beside the tables and are not stamped."""
    return arrow_schema(Body)
