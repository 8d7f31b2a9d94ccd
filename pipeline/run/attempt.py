"""One attempt at an entry as far as a shard can tell: the fetch of its page, what was read of it, or why nothing was. Pure."""

from datetime import datetime
from urllib.parse import urlsplit

from pipeline.dedupe import text_hash, url_key
from pipeline.errors import WorkerError
from pipeline.read import EXTRACTOR
from pipeline.read.optout import opt_outs_sent
from pipeline.run.context import host_of
from pipeline.run.failure import failure
from pipeline.run.published import published_at
from schemas import ids
from schemas.article import Article, Attempt, Reading, Unreadable
from schemas.feed import Entry
from schemas.web import Body, Page

Read = Reading | Unreadable | WorkerError


def key_of(entry: Entry) -> str:
    """What the article behind an entry is known by: its link's key, or without a link the entry itself."""
    return (url_key(entry.url) if entry.url else "") or entry.entry_id


def page_of(body: Body, read: Read | None) -> Page:
    return Page(
        page_id=body.owner,
        entry_id=body.target,
        revision=body.revision or "",
        attempt=body.attempt,
        host=host_of(body.final_url or body.url) or None,
        url=body.url,
        final_url=body.final_url,
        redirects=body.redirects,
        fetched_at=body.asked_at,
        outcome=body.code,
        status=body.status,
        content_type=body.header("content-type"),
        robots=body.robots,
        opt_out=tuple(dict.fromkeys((*opt_outs_sent(body.headers), *(read.opt_out if isinstance(read, Reading) else ())))),
        body_sha256=body.sha256,
        body_bytes=len(body.content or b""),
        detail=body.detail,
        etag=body.header("etag"),
        last_modified=body.header("last-modified"),
    )


def attempt_of(
    entry: Entry,
    number: int,
    ended_at: datetime,
    *,
    body: Body | None = None,
    read: Read | None = None,
    **known: str | None,
) -> Attempt:
    """One attempt as far as a shard can tell: what was read, or why nothing was."""
    key = key_of(entry)
    final = _telling(body.final_url if body else None)
    canonical = _telling(read.canonical_url if isinstance(read, Reading) else None)
    code, detail = failure(body, read)
    return Attempt(
        entry_id=entry.entry_id,
        revision=entry.revision,
        feed_id=entry.feed_id,
        source=entry.source,
        attempt=number,
        seen_at=entry.seen_at,
        position=entry.position,
        title=entry.title,
        url=entry.url,
        link_key=key,
        final_key=final,
        # a canonical link to another host never decides identity: it is the publisher's claim about somebody else
        canonical_key=canonical if canonical and _host(canonical) == _host(final or key) else None,
        code=known.get("code") or code,
        article_id=known.get("article_id"),
        detail=detail,
        retry_after_s=body.retry_after_s if body else None,
        ended_at=ended_at,
        shown_by=body.owner if body else entry.visit_id,
        article=_article(entry, body, read) if isinstance(read, Reading) and not code else None,
    )


def _telling(url: str | None) -> str | None:
    """The key of an address that can tell articles apart; None for a host's front page, which many sites name or lead to."""
    key = url_key(url) if url else ""
    parts = urlsplit(key)
    return key if parts.path.strip("/") or parts.query else None


def _host(key: str) -> str:
    return urlsplit(key).netloc


def _article(entry: Entry, body: Body | None, read: Reading) -> Article:
    """The article as read, under provisional ids: the batch decides whether it is new."""
    article = ids.article_id(key_of(entry))
    taken_out = sum(len(p.text) for p in read.promo)
    published = published_at(entry, read, body.asked_at if body else entry.seen_at)
    url = (body.final_url or body.url) if body else entry.url
    return Article(
        article_id=article,
        version_id=ids.version_id(article, body.owner if body else entry.visit_id),
        entry_id=entry.entry_id,
        revision=entry.revision,
        feed_id=entry.feed_id,
        source=entry.source,
        host=host_of(url) or None,
        url=url,
        canonical_url=read.canonical_url,
        title=read.title or entry.title,
        text=read.text,
        blocks=read.blocks,
        promo=read.promo,
        promo_share=taken_out / max(1, taken_out + len(read.text)),
        language=read.language or entry.language,
        authors=read.authors or entry.authors,
        published_at=published[0],
        published_precision=published[1],
        published_basis=published[2],
        seen_at=entry.seen_at,
        access=read.access,
        genre=read.genre,
        text_hash=text_hash(read.title or entry.title, read.text),
        body_sha256=body.sha256 if body else None,
        extractor=EXTRACTOR,
    )
