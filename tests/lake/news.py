"""Batches of all stages with made-up rows, at moments the test names."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.lake.close import ClosingReport, close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.retire import Rules
from schemas import ids
from schemas.article import Article, ArticleKey
from schemas.columns import to_arrow
from schemas.feed import Entry, KeyBasis, Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode
from schemas.tag import Mention, Tagging
from schemas.web import FetchCode, Page
from tests.opened import opened

DAY = datetime(2026, 10, 30, tzinfo=UTC)
GRACE = timedelta(hours=6)


def new_lake(place: Path) -> Lake:
    return opened(place)


def batch_rows(at: datetime, entries: Iterable[str], feed: str = "f") -> dict[str, dict[str, pa.Table]]:
    """What the three stages of one batch add: an article for each entry of one feed, which names one company."""
    batch = batch_id_of(at)
    of: dict[str, Any] = {"feed_id": feed, "source": feed.upper()}
    names = list(entries)
    keys = {name: ids.entry_id(feed, name) for name in names}
    visit = Visit(
        visit_id=ids.visit_id(batch, feed), url=f"https://{feed}.example/feed", visited_at=at, outcome=VisitCode.PARSED, **of,
        next_due_at=at, due_rule="interval", entries_seen=len(names), entries_new=len(names), etag=f'"{batch}"',
    )  # fmt: skip
    seen = [
        Entry(entry_id=keys[n], revision=f"r_{n}", wording=f"w_{n}", visit_id=visit.visit_id, seen_at=at, position=i, key=n,
              key_basis=KeyBasis.GUID, title=f"Title of {n}", url=f"https://{feed}.example/{n}", **of)
        for i, n in enumerate(names)
    ]  # fmt: skip
    known = [{"article_id": f"a_{n}", "version_id": f"v_{n}"} for n in names]
    ended = [
        Outcome(entry_id=e.entry_id, revision=e.revision, attempt=1, code=OutcomeCode.ARTICLE, kept=True, final=True,
                title=e.title, url=e.url, ended_at=at, **k, **of) for e, k in zip(seen, known, strict=True)
    ]  # fmt: skip
    articles = [
        Article(entry_id=e.entry_id, revision=e.revision, title=e.title, text=f"Text of {e.key}.", seen_at=at, text_hash=e.key,
                url=e.url, extractor="x", **k, **of) for e, k in zip(seen, known, strict=True)
    ]  # fmt: skip
    pages = [
        Page(page_id=f"p_{e.key}", entry_id=e.entry_id, revision=e.revision, attempt=1, host=None, url=e.url or "", fetched_at=at,
             outcome=FetchCode.OK) for e in seen
    ]  # fmt: skip
    taggings = [
        Tagging(tagging_id=f"t_{n}", news_at=at, tagger="x", registry="y", mentions=1, companies=1, article_id=k["article_id"],
                version_id=k["version_id"]) for n, k in zip(names, known, strict=True)
    ]  # fmt: skip
    mentions = [
        Mention(tagging_id=t.tagging_id, version_id=t.version_id, article_id=t.article_id, company_id="sap", name="SAP",
                news_at=at, field="title", start=0, end=3, surface="SAP", alias_kind="name", link_score=1.0, in_ad=False)
        for t in taggings
    ]  # fmt: skip
    article_keys = [ArticleKey(key=e.url or "", article_id=f"a_{e.key}", basis="link", rule="1") for e in seen]
    return {
        "pull": {"visits": to_arrow([visit], Visit), "entries": to_arrow(seen, Entry)},
        "read": {
            "pages": to_arrow(pages, Page),
            "outcomes": to_arrow(ended, Outcome),
            "articles": to_arrow(articles, Article),
            "article_keys": to_arrow(article_keys, ArticleKey),
        },
        "tag": {"taggings": to_arrow(taggings, Tagging), "mentions": to_arrow(mentions, Mention)},
    }


@dataclass
class News:
    """A lake and a clock."""

    lake: Lake
    now: datetime = DAY
    lines: list[str] = field(default_factory=list)

    @property
    def timing(self) -> Timing:
        return Timing(timedelta(0), lambda: self.now)

    def batch(self, at: datetime, *entries: str, feed: str = "f") -> None:
        """Commits what came at this moment; by the real clock, which alone the file system knows."""
        for stage, tables in batch_rows(at, entries, feed).items():
            assert commit(self.lake, Parcel(BatchRef(batch_id_of(at), stage), tables), Timing(timedelta(0)))

    def close(self, now: datetime, raw_days: int | None = None, drain: timedelta = timedelta(0)) -> ClosingReport:
        self.now = now
        return close(self.lake, self.timing, Rules(GRACE, raw_days, drain), self.lines.append)
