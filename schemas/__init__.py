"""The contracts: one frozen dataclass per table and per state between the steps. Imports nothing of ours.

`TABLES` names every table of the lake with its row type; `STAMP` is what the commit adds to each row.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pyarrow as pa

from schemas.article import Article, ArticleKey, Relation
from schemas.columns import arrow_schema, col
from schemas.feed import Entry, FeedState, Visit
from schemas.outcome import Forgotten, LateCommit, Outcome, Superseded
from schemas.tag import Company, Mention, Sentiment, Tagging
from schemas.web import Body, HostSeen, Page, RobotsSeen

#: Raised when older code would misread the lake: 2 has closed days in `cold/`, which code of format 1 knows nothing of.
LAKE_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every row of the lake carries beside its own columns."""

    batch_id: str = col("the batch that wrote the row")
    stage: str = col("its stage: pull, read or tag")
    pipeline_version: str = col("version of Newsmill that wrote the row")
    available_at: datetime = col("from when the row could be read: late, never early")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the lake: its row type, the columns its files are sorted by, and what becomes of its closed days.

    The days of a narrow table become one file a month. A snapshot has rows only as of the last closed day. Small tables that
    nearly every question needs are copied into news.duckdb: opening a file a month of each would take longer than answering.
    """

    row: type
    sorted_by: tuple[str, ...]
    narrow: bool = True
    snapshot: bool = False
    copied: bool = False


TABLES: dict[str, Table] = {
    "visits": Table(Visit, ("feed_id",)),
    "entries": Table(Entry, ("feed_id", "position"), narrow=False),
    "pages": Table(Page, ("host", "entry_id")),
    "articles": Table(Article, ("article_id",), narrow=False),
    "article_keys": Table(ArticleKey, ("key",)),
    "relations": Table(Relation, ("version_id",)),
    "taggings": Table(Tagging, ("version_id",)),
    "mentions": Table(Mention, ("company_id", "version_id", "field", "start")),
    "sentiments": Table(Sentiment, ("company_id", "version_id")),
    "outcomes": Table(Outcome, ("entry_id",)),
    "superseded": Table(Superseded, ("id",), copied=True),
    "companies": Table(Company, ("company_id",), copied=True),
    "late_commits": Table(LateCommit, ("late_batch_id",)),
    "forgotten": Table(Forgotten, ("id",), copied=True),
    "hosts": Table(HostSeen, ("host",)),
    "robots": Table(RobotsSeen, ("host", "origin"), narrow=False),
    "feed_state": Table(FeedState, ("feed_id",), narrow=False, snapshot=True),
}


@cache
def table_schema(name: str) -> pa.Schema:
    """The Arrow schema of a table's files: its own columns, then the stamp; the files carry its metadata."""
    said = {"newsmill.table": name, "newsmill.format": str(LAKE_FORMAT)}
    return pa.schema([*arrow_schema(TABLES[name].row), *arrow_schema(Stamp)], metadata=said)


def bodies_schema() -> pa.Schema:
    """The Arrow schema of a pack of raw bytes; packs are kept beside the tables and are not stamped."""
    return arrow_schema(Body)
