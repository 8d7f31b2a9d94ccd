"""A small lake that holds together: days with batches of every stage, their raw bytes, and closings at moments the test names."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.retire import Rules
from pipeline.lake.staging import keep
from schemas import TABLES, ids
from schemas.article import Article, ArticleKey, Relation
from schemas.columns import to_arrow
from schemas.feed import Entry, KeyBasis, Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode, Superseded
from schemas.tag import Company, Mention, Sentiment, Tagging
from schemas.web import Body, FetchCode, Kind, Page
from tests.opened import opened

RULES = Rules(timedelta(hours=6))
FEED = {"feed_id": "t", "source": "T"}


def made(root: Path) -> Lake:
    return opened(root)


def add(lake: Lake, at: datetime, stage: str, **tables: list[Any]) -> Path:
    """Commits a batch of these rows, with the raw bytes they name; the directory it makes."""
    ref = BatchRef(batch_id_of(at), stage)
    with keep(lake, ref, "shard-0") as packs:
        for row in [*tables.get("visits", []), *tables.get("pages", [])]:
            packs.add(_body(row, at))
    rows = {name: to_arrow(found, TABLES[name].row) for name, found in tables.items()}
    assert commit(lake, Parcel(ref, rows), Timing(timedelta(0)))
    return lake.hot(ref)


def add_day(lake: Lake, day: date, hour: int = 10) -> None:
    """A pull with two visits and three entries, a read that ends two and tries one again, a second read, and a tag."""
    at = datetime.combine(day, time(hour), UTC)
    entries = [_entry(at, n) for n in range(3)]
    add(lake, at, "pull", visits=[_visit(at, "t"), _visit(at, "u")], entries=entries)
    articles = [_article(e) for e in entries]
    first = [_outcome(entries[0]), _outcome(entries[1], code=OutcomeCode.COPY), _failed(entries[2], at)]
    related = Relation(
        version_id=articles[1].version_id, article_id=articles[1].article_id, other_version_id=articles[0].version_id,
        other_article_id=articles[0].article_id, kind="duplicate_of", method="m", containment=1, lag_s=0, story_id="s",
    )  # fmt: skip
    _read(lake, at, entries, first, articles[:2], relations=[related])
    later = at + timedelta(minutes=10)
    older = [Superseded(what="version", id=articles[0].version_id, replaced_by=articles[2].version_id, why="revised")]
    _read(lake, later, entries[2:], [_outcome(entries[2], attempt=2)], articles[2:], superseded=older)
    add(
        lake,
        at,
        "tag",
        taggings=[_tagging(a, at) for a in articles],
        mentions=[_mention(a, at, start) for a in articles for start in (0, 10)],
        sentiments=[_sentiment(a, at, company) for a in articles for company in ("c", None)],
        companies=[Company(company_id="c", name="C", record_id=f"c {at}")],
    )


def shut(lake: Lake, now: str, rules: Rules = RULES) -> None:
    """What `newsmill lake close` does at a moment."""
    close(lake, Timing(timedelta(0), lambda: moment(now)), rules, lambda _line: None)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _body(row: Visit | Page, at: datetime) -> Body:
    content = f"<html>{row.url} at {at}</html>".encode()
    kind, owner, target = (
        (Kind.FEED, row.visit_id, row.feed_id) if isinstance(row, Visit) else (Kind.PAGE, row.page_id, row.entry_id)
    )
    return Body(
        kind=kind, owner=owner, target=target, url=row.url, asked_at=at, answered_at=at, code=FetchCode.OK, status=200,
        sha256=_sha(row.url, at), content=content,
    )  # fmt: skip


def _sha(url: str, at: datetime) -> str:
    return hashlib.sha256(f"<html>{url} at {at}</html>".encode()).hexdigest()


def _visit(at: datetime, feed: str) -> Visit:
    url = f"https://{feed}.example/feed"
    return Visit(
        visit_id=ids.visit_id(batch_id_of(at), feed), feed_id=feed, source=feed, url=url, visited_at=at,
        outcome=VisitCode.PARSED, body_sha256=_sha(url, at), next_due_at=at, due_rule="interval",
    )  # fmt: skip


def _entry(at: datetime, n: int) -> Entry:
    key = f"https://t.example/{at:%m%d%H}/{n}"
    return Entry(
        entry_id=f"e_{at:%m%d%H}{n}", revision=f"r_{n}", wording=f"w_{n}", visit_id=ids.visit_id(batch_id_of(at), "t"),
        seen_at=at, position=n, key=key, key_basis=KeyBasis.GUID, title=f"Title {n}", url=key, **FEED,
    )  # fmt: skip


def _of(e: Entry) -> dict[str, str]:
    return {"entry_id": e.entry_id, "revision": e.revision, **FEED}


def _article(e: Entry) -> Article:
    name = e.entry_id.removeprefix("e_")
    return Article(
        article_id=f"a_{name}", version_id=f"v_{name}", title=e.title, text="C says.", seen_at=e.seen_at, text_hash=name,
        extractor="x", **_of(e),
    )  # fmt: skip


def _outcome(e: Entry, attempt: int = 1, code: OutcomeCode = OutcomeCode.ARTICLE) -> Outcome:
    a = _article(e)
    return Outcome(
        attempt=attempt, code=code, kept=True, final=True, article_id=a.article_id, version_id=a.version_id, title=e.title,
        url=e.url, ended_at=e.seen_at, **_of(e),
    )  # fmt: skip


def _failed(e: Entry, at: datetime, attempt: int = 1) -> Outcome:
    return Outcome(
        attempt=attempt, code=OutcomeCode.HTTP_ERROR, kept=False, final=False, due_at=at + timedelta(minutes=5), title=e.title,
        url=e.url, detail="status 503", ended_at=at, **_of(e),
    )  # fmt: skip


def _read(lake: Lake, at: datetime, entries: list[Entry], outcomes: list[Outcome], articles: list[Article], **more: Any) -> None:
    pages = [
        Page(
            page_id=f"p_{at:%m%d%H%M}{n}", entry_id=e.entry_id, revision=e.revision, attempt=1, host="t.example", url=e.url or "",
            fetched_at=at, outcome=FetchCode.OK, status=200, body_sha256=_sha(e.url or "", at),
        )
        for n, e in enumerate(entries)
    ]  # fmt: skip
    keys = [
        ArticleKey(key=f"https://t.example/{a.version_id}", article_id=a.article_id, basis="link", rule="1") for a in articles
    ]
    add(lake, at, "read", pages=pages, outcomes=outcomes, articles=articles, article_keys=keys, **more)


def _tagging(a: Article, at: datetime) -> Tagging:
    return Tagging(
        tagging_id=f"t_{a.version_id}", version_id=a.version_id, article_id=a.article_id, news_at=at, tagger="x", registry="y",
        mentions=2, companies=1,
    )  # fmt: skip


def _mention(a: Article, at: datetime, start: int) -> Mention:
    return Mention(
        tagging_id=f"t_{a.version_id}", version_id=a.version_id, article_id=a.article_id, company_id="c", name="C", news_at=at,
        field="text", start=start, end=start + 1, surface="C", alias_kind="name", link_score=1, in_ad=False,
    )  # fmt: skip


def _sentiment(a: Article, at: datetime, company: str | None) -> Sentiment:
    return Sentiment(
        tagging_id=f"t_{a.version_id}", version_id=a.version_id, article_id=a.article_id, company_id=company, news_at=at,
        p_negative=0, p_neutral=1, p_positive=0, score=0, sentiment=0,
        news_title=a.title, news_url=a.url, news_source=a.source, news_language=a.language, news_genre=a.genre,
    )  # fmt: skip
