"""The stage read: fetches the pages behind new entries, reads them, and finds what is known already.

The shards fetch and read; what an attempt adds to the lake is decided once per batch, in order of arrival.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import escape

import duckdb

from pipeline.isolate import Workers
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef
from pipeline.lake.rows import Tables
from pipeline.lake.work import (
    DueEntry,
    current_versions,
    due_entries,
    entries_by_id,
    known_keys,
    known_pages,
    last_attempts,
    readable_from,
)
from pipeline.lake.young import due_rereads
from pipeline.read import EXTRACTOR, read_page
from pipeline.run.account import attempt_key
from pipeline.run.attempt import attempt_of, key_of, page_of
from pipeline.run.context import Context, Decided, Say, a_day_before, ask, host_of, is_mine, kept_here, local_feeds, tally
from pipeline.run.hosts import learnt, remembered
from pipeline.run.ledger import Ledger, load_memory
from pipeline.run.takedown import gone_attempts, gone_entries, tombstones, without_words, wordless_pages
from schemas import ids
from schemas.article import Article, Attempt, Reading, Relation, Unreadable
from schemas.columns import from_arrow, to_arrow
from schemas.feed import Entry
from schemas.outcome import CameIn, OutcomeCode
from schemas.web import Body, FetchCode, Kind, Page, Request

Call = Callable[[], Reading | Unreadable]
HTML = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")


def work(context: Context) -> Tables:
    """Fetches and reads what of this shard is due; pages and attempts."""
    with connect(context.lake.root) as con:
        waiting = [] if context.expired else due_entries(con, context.clock())
        due = [d for d in waiting if is_mine(context, host_of(d.entry.url))]
        gone = gone_entries(con, [d.entry for d in due])
        again = [] if context.expired else _again(context, con, due)
        context.say(f"{len(due)} entries are due, {len(again)} pages of young articles are to be read again")
        came_in = _came_in([*due, *again], kept_here(context, content=False))
        left = [d for d in due if d.entry.entry_id not in gone]
        settled, requests = _plan(context, con, [d for d in left if not is_carried(d.entry)])
        settled += [attempt_of(d.entry, d.attempt, context.clock(), code="forgotten") for d in due if d.entry.entry_id in gone]
        in_feed = [d for d in left if is_carried(d.entry)]
        context.say(f"{len(settled) + len(in_feed)} need no fetch, {len(requests)} pages to fetch")
        # a host is asked in this order: what is new comes first
        requests += _requests(context, again)
        memory = remembered(context, con, requests)
        ask(context, requests, {}, memory)
        entries = {(d.entry.entry_id, d.entry.revision): d.entry for d in (*due, *again)}
        kept = {(b.target, b.revision or "") for b in kept_here(context, content=False)}
        entries |= entries_by_id(con, sorted(kept - entries.keys()))
    with Workers() as workers:
        found = results(Reads(settled, in_feed, kept_here(context), entries), workers, context.say, lambda _due: context.clock())
    return {"came_in": to_arrow(came_in, CameIn), **learnt(memory), **found}


@dataclass(frozen=True, slots=True)
class Reads:
    """What there is to read: attempts ended without it, entries that carry their article, and answers, with their entries."""

    settled: list[Attempt]
    in_feed: list[DueEntry]
    bodies: Iterator[Body]
    entries: dict[tuple[str, str], Entry]


def results(reads: Reads, workers: Workers, say: Say, ended: Callable[[DueEntry], datetime]) -> Tables:
    """What was read, without asking anybody: pages and attempts; `ended` says when an attempt without an answer ended."""
    pages: list[Page] = []
    codes: Counter[str] = Counter()

    def attempts() -> Iterator[Attempt]:
        yield from reads.settled
        # what strangers wrote is read in processes that can be killed
        for d, read in workers.attempt_each((d, _in_feed(d.entry)) for d in reads.in_feed):
            yield attempt_of(d.entry, d.attempt, ended(d), read=read)
        for body, read in workers.attempt_each(_to_read(reads.bodies, reads.entries)):
            entry = reads.entries[body.target, body.revision or ""]
            one = attempt_of(entry, body.attempt, body.answered_at, body=body, read=read)
            say(f"{one.code or 'read'}: {entry.url}" + (f" ({one.detail})" if one.detail else ""))
            pages.append(page_of(body, read))
            yield one

    def counted() -> Iterator[Attempt]:
        for one in attempts():
            codes[one.code or "read"] += 1
            yield one

    # as they come, so that the texts of a large batch are in memory as columns alone
    table = to_arrow(counted(), Attempt)
    say(f"attempts: {tally(codes.elements())}")
    return {"pages": to_arrow(pages, Page), "attempts": table}


def decide(con: duckdb.DuckDBPyConnection, merged: Tables, related: Mapping[str, Relation] | None = None) -> Decided:
    """What the attempts add to the lake: one outcome each, articles, keys and relations where there is news.

    `related` are relations, by version_id, to what was taken down since, so that nothing but they tell of it any more.
    """
    attempts = sorted(from_arrow(merged["attempts"], Attempt), key=lambda a: (a.seen_at, a.feed_id, a.position, a.entry_id))
    gone = gone_attempts(con, attempts)
    attempts = without_words(attempts, gone)
    memory = replace(load_memory(con, attempts), related=related or {})
    ledger = Ledger(memory)
    for one in sorted(attempts, key=lambda a: (a.entry_id, a.revision) in memory.read):  # what is read again arrives now
        ledger.enter(one)
    made = from_arrow(merged["pages"], Page)
    had = known_pages(con, [p.page_id for p in made], a_day_before(p.fetched_at for p in made))
    # a page whose attempt was settled by another batch meanwhile is still a fetch that was made
    pages = {p.page_id: p for p in wordless_pages(made, gone) if p.page_id not in had}
    latest = readable_from(con, [a.entry_id for a in attempts])
    tables = {"pages": to_arrow(pages.values(), Page), **ledger.tables(), "forgotten": tombstones(con, gone)}
    return Decided(tables, {"due again": ledger.due_again()}, latest)


def settled_before(con: duckdb.DuckDBPyConnection, _batch: BatchRef, came_in: list[str]) -> set[str]:
    """Which of these attempts the lake has the outcome of."""
    split = {key: key.split(" ") for key in came_in}
    last = last_attempts(con, [entry for entry, _, _ in split.values()])
    return {key for key, (entry, revision, number) in split.items() if last.get((entry, revision), 0) >= int(number)}


def _came_in(due: list[DueEntry], kept: Iterable[Body]) -> list[CameIn]:
    """The attempts to be made, and those of which an earlier try at this batch has kept the bytes."""
    attempts = [(d.entry.entry_id, d.entry.revision, d.attempt, d.entry.url or d.entry.title) for d in due]
    attempts += [(b.target, b.revision or "", b.attempt, b.url) for b in kept]
    return [CameIn(id=attempt_key(entry, revision, n), name=f"{entry} {told}") for entry, revision, n, told in attempts]


def _plan(context: Context, con: duckdb.DuckDBPyConnection, due: list[DueEntry]) -> tuple[list[Attempt], list[Request]]:
    """Splits what is due into attempts that end without a fetch, and requests; one address is asked once."""
    known = known_keys(con, [key_of(d.entry) for d in due])
    current = current_versions(con, list(known.values()))
    opens_to = local_feeds(context.settings) if due else {}
    settled: list[Attempt] = []
    requests: list[Request] = []
    asked: set[tuple[str, str | None]] = set()
    for d in due:
        key, now, opens = key_of(d.entry), context.clock(), opens_to.get(d.entry.feed_id)
        article = known.get(key)
        if (key, opens) in asked or _is_known(d.entry, article, current):
            settled.append(_unasked(d, article, current, now))
        else:
            asked.add((key, opens))
            requests.append(_request(context, d, opens))
    return settled, requests


def _again(context: Context, con: duckdb.DuckDBPyConnection, due: list[DueEntry]) -> list[DueEntry]:
    """The pages of young articles to be read again, but for those that are asked for anyway or were taken down."""
    found = due_rereads(con, context.clock(), context.settings.reread_h, EXTRACTOR)
    asked, gone = {key_of(d.entry) for d in due}, gone_entries(con, [d.entry for d in found])
    mine = (d for d in found if is_mine(context, host_of(d.entry.url)))
    return [d for d in mine if key_of(d.entry) not in asked and d.entry.entry_id not in gone]


def _requests(context: Context, again: list[DueEntry]) -> list[Request]:
    opens_to = local_feeds(context.settings) if again else {}
    return [_request(context, d, opens_to.get(d.entry.feed_id)) for d in again]


def unasked(con: duckdb.DuckDBPyConnection, due: list[DueEntry], ended: Callable[[DueEntry], datetime]) -> list[Attempt]:
    """The ends of attempts for which nothing was asked: their article was known, or another entry led to the same address."""
    known = known_keys(con, [key_of(d.entry) for d in due])
    current = current_versions(con, list(known.values()))
    return [_unasked(d, known.get(key_of(d.entry)), current, ended(d)) for d in due]


def _unasked(due: DueEntry, article: str | None, current: dict[str, Article], now: datetime) -> Attempt:
    if _is_known(due.entry, article, current):
        return attempt_of(due.entry, due.attempt, now, code=OutcomeCode.KNOWN_ARTICLE, article_id=article)
    return attempt_of(due.entry, due.attempt, now)


def _is_known(entry: Entry, article: str | None, current: dict[str, Article]) -> bool:
    return article is not None and not _may_be_news(entry, current.get(article))


def _may_be_news(entry: Entry, current: Article | None) -> bool:
    """Whether an entry whose address is known may show a change: it is the article's own, or its feed names it anew."""
    if current is None or current.entry_id == entry.entry_id:
        return True
    return current.feed_id == entry.feed_id and entry.title != current.title and entry.seen_at > current.seen_at


def _request(context: Context, due: DueEntry, local: str | None) -> Request:
    e = due.entry
    page = ids.page_id(context.batch.root, e.entry_id, e.revision, due.attempt)
    asked = Request(kind=Kind.PAGE, owner=page, target=e.entry_id, url=e.url or "", revision=e.revision, attempt=due.attempt)
    return replace(asked, local=local, etag=due.etag, last_modified=due.last_modified)


def is_carried(entry: Entry) -> bool:
    """Whether an entry's article is what the entry itself carries, as it leads nowhere or was handed in whole."""
    return not entry.url or entry.whole


def _in_feed(entry: Entry) -> Call:
    """Reads an entry from what it carries itself: a page that was handed in, or the article alone."""
    if entry.whole and (entry.content_html or "")[:200].lstrip().lower().startswith(("<html", "<!doctype")):
        page = (entry.content_html or "").encode("utf-8", "replace")
        return partial(read_page, page, entry.url or "", content_type="text/html; charset=utf-8", language=entry.language)
    lines = "".join(f"<p>{escape(line)}</p>" for line in (entry.summary or "").splitlines())
    # without a title of its own, the document's first subheading would be taken for one
    head = f'<head><meta property="og:title" content="{escape(entry.title or "")}"></head>'
    content = f"<html>{head}<body><article>{entry.content_html or lines}</article></body></html>".encode("utf-8", "replace")
    return partial(read_page, content, "", content_type="text/html; charset=utf-8", language=entry.language)


def _to_read(bodies: Iterator[Body], entries: dict[tuple[str, str], Entry]) -> Iterator[tuple[Body, Call | None]]:
    """Every exchange with the call that reads it; None where there is nothing to read."""
    for body in bodies:
        yield body, _reading(entries[body.target, body.revision or ""], body) if _is_readable(body) else None


def _reading(entry: Entry, body: Body) -> Call:
    url = body.final_url or body.url
    return partial(read_page, body.content or b"", url, content_type=body.header("content-type"), language=entry.language)


def _is_readable(body: Body) -> bool:
    kind = (body.header("content-type") or "text/html").partition(";")[0].strip().lower()
    return body.code == FetchCode.OK and bool(body.content) and kind in HTML
