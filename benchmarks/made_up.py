"""Rows as batches have them, made up: articles of about 2,800 characters, with all that hangs on them."""

import random
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.lake.layout import batch_id_of
from schemas import ids
from schemas.article import Article, ArticleKey, Block, Promo
from schemas.columns import to_arrow
from schemas.feed import Entry, KeyBasis, Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode
from schemas.tag import Mention, Sentiment, Span, Tagging
from schemas.web import FetchCode, Page

_DICE = random.Random(1)
WORDS = ["".join(_DICE.choice("etaoinshrdlucmfw") for _ in range(_DICE.randint(2, 10))) for _ in range(20_000)]
#: Common words are common: the n-th is met 1/n as often as the first, as in any language.
_SHARES = [1 / (n + 1) for n in range(len(WORDS))]
_STREAM = _DICE.choices(WORDS, _SHARES, k=3_000_000)


def text(words: int) -> str:
    """So many words of a stream too long to meet the same ones soon again."""
    start = _DICE.randrange(len(_STREAM) - words)
    return " ".join(_STREAM[start : start + words])


def company() -> str:
    return f"company-{_DICE.randrange(400)}"


def batch(at: datetime, articles: int, feeds: int = 50) -> dict[str, dict[str, pa.Table]]:
    """What the three stages of one batch add, by stage and table: visits to all feeds, and their articles."""
    name = batch_id_of(at)
    of: dict[str, Any] = {"feed_id": "feed-1", "source": "Source"}
    keys = [ids.entry_id(name, str(n)) for n in range(articles)]
    titles = [text(9) for _ in keys]
    urls = [f"https://source.example/news/{key}" for key in keys]
    known = [{"article_id": f"a{key[1:]}", "version_id": f"v{key[1:]}"} for key in keys]
    seen = {"seen_at": at, **of}
    visits = [
        Visit(visit_id=ids.visit_id(name, str(n)), feed_id=f"feed-{n}", source="Source", url=f"https://source.example/{n}",
              visited_at=at, outcome=VisitCode.PARSED, next_due_at=at, due_rule="interval", entries_seen=30,
              etag=ids.content_hash(f"{name}{n}"))
        for n in range(feeds)
    ]  # fmt: skip
    entries = [
        Entry(entry_id=k, revision=f"r{k[1:]}", wording=f"w{k[1:]}", visit_id=visits[0].visit_id, position=n, key=urls[n],
              key_basis=KeyBasis.GUID, title=titles[n], summary=text(40), url=urls[n], **seen) for n, k in enumerate(keys)
    ]  # fmt: skip
    pages = [
        Page(page_id=f"p{e.entry_id[1:]}", entry_id=e.entry_id, revision=e.revision, attempt=1, host="source.example",
             url=e.url or "", fetched_at=at, outcome=FetchCode.OK, status=200, body_bytes=60_000,
             body_sha256=ids.content_hash(e.entry_id)) for e in entries
    ]  # fmt: skip
    outcomes = [
        Outcome(entry_id=e.entry_id, revision=e.revision, attempt=1, code=OutcomeCode.ARTICLE, kept=True, final=True,
                title=e.title, url=e.url, ended_at=at, **k, **of) for e, k in zip(entries, known, strict=True)
    ]  # fmt: skip
    rows: dict[str, dict[str, tuple[list[Any], type]]] = {
        "pull": {"visits": (visits, Visit), "entries": (entries, Entry)},
        "read": {
            "pages": (pages, Page),
            "outcomes": (outcomes, Outcome),
            "articles": ([_article(e, k) for e, k in zip(entries, known, strict=True)], Article),
            "article_keys": (
                [
                    ArticleKey(key=key, article_id=k["article_id"], basis=basis, rule="1")
                    for e, k in zip(entries, known, strict=True)
                    for basis, key in (("link", e.url or ""), ("entry", e.entry_id))
                ],
                ArticleKey,
            ),
        },
        "tag": _tags(at, known),
    }
    return {stage: {table: to_arrow(*made) for table, made in tables.items()} for stage, tables in rows.items()}


def _article(e: Entry, known: dict[str, str]) -> Article:
    lines = [text(50) for _ in range(9)]
    blocks, start = [], 0
    for line in lines:
        blocks.append(Block(kind="paragraph", start=start, end=start + len(line)))
        start += len(line) + 1
    body = "\n".join(lines)
    return Article(
        entry_id=e.entry_id, revision=e.revision, feed_id=e.feed_id, source=e.source, title=e.title, text=body,
        blocks=tuple(blocks), promo=(Promo(kind="promotion", text=text(25), at=0),), seen_at=e.seen_at,
        text_hash=ids.content_hash(body), extractor="x",
        url=e.url, host="source.example", language="en", body_sha256=ids.content_hash(e.entry_id), **known,
    )  # fmt: skip


def _tags(at: datetime, known: list[dict[str, Any]]) -> dict[str, tuple[list[Any], type]]:
    taggings = [
        Tagging(tagging_id=f"t{k['version_id'][1:]}", news_at=at, tagger="x", registry="y", mentions=6, companies=2, **k)
        for k in known
    ]
    of: list[dict[str, Any]] = [{"tagging_id": t.tagging_id, "news_at": at, **k} for t, k in zip(taggings, known, strict=True)]
    mentions = [
        Mention(company_id=company(), name="Company", field="text", start=(start := _DICE.randrange(2500)), end=start + 7,
                surface="Company", alias_kind="name", link_score=0.9, in_ad=False, **one) for one in of for _ in range(6)
    ]  # fmt: skip
    sentiments = [
        Sentiment(company_id=company(), p_negative=0.2, p_neutral=0.3, p_positive=0.5, score=_DICE.uniform(-1, 1), sentiment=1,
                  evidence=(Span(field="text", start=3, end=9),), **one) for one in of for _ in range(2)
    ]  # fmt: skip
    return {"taggings": (taggings, Tagging), "mentions": (mentions, Mention), "sentiments": (sentiments, Sentiment)}
