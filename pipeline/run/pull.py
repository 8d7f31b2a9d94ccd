"""The stage pull: visits the feeds that are due and finds the entries that are new or changed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import duckdb

from pipeline.dedupe import url_key
from pipeline.errors import ConfigError
from pipeline.feeds import address_of, due, load_catalogue, nothing_on
from pipeline.fetch import header_of, host_and_port
from pipeline.isolate import Workers
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef
from pipeline.lake.rows import Tables
from pipeline.lake.work import LastRevision, known_visits, last_revisions, last_visits
from pipeline.parse import parse_feed
from pipeline.run.context import Context, Decided, Say, a_day_before, ask, host_of, is_mine, kept_here, tally
from pipeline.run.hosts import learnt, remembered
from pipeline.run.hubs import with_backup
from pipeline.run.recognise import as_they_are, says_the_same
from pipeline.run.schedule import EXACT_ENOUGH, in_full, said, scheduled
from pipeline.run.takedown import Carried, carried, gone_entries, silenced, wordless_entry
from pipeline.run.visit import is_same, visit_of
from schemas import ids
from schemas.article import Unreadable
from schemas.columns import from_arrow, to_arrow
from schemas.feed import Entry, Feed, KeyBasis, ParsedFeed, PassedOver, Visit
from schemas.outcome import CameIn, Outcome, OutcomeCode
from schemas.web import Body, FetchCode, Header, Kind, Request

Parsing = Callable[[], ParsedFeed | Unreadable]
Feeds = dict[str, Feed]
Visits = dict[str, Visit]

#: An entry that changes at every visit (a counter, a rotating teaser) is taken this often and then left alone.
MOST_REVISIONS = 24
#: What is dropped by hand belongs to no feed of the catalogue.
HANDED_IN = "inbox"
_FEEDS_A_WORKER = 20  # so many are parsed in the time that a worker takes to start


def work(context: Context) -> Tables:
    """Visits this shard's due feeds; visits and candidate entries."""
    with connect(context.lake.root) as con:
        last = last_visits(con)
        catalogue = with_backup(load_catalogue(context.settings.catalogue), context.settings, context.clock())
        feeds = {f.feed_id: f for f in catalogue if is_mine(context, host_of(address_of(f, last.get(f.feed_id))))}
        all_due = due(tuple(feeds.values()), last, context.clock())
        silent = silenced(con, all_due)
        if silent:
            context.say(f"not visited, as they were taken down: {', '.join(sorted(silent))}; take them out of the catalogue")
        now_due = () if context.expired else [f for f in all_due if f.feed_id not in silent]
        if why_idle := nothing_on(context.settings.catalogue):
            context.say(why_idle)
        context.say(f"{len(all_due)} of {len(feeds)} feeds are due" + (", none is visited now" if context.expired else ""))
        requests = [_request(context, feed, last.get(feed.feed_id)) for feed in now_due]
        came_in = [CameIn(id=r.owner, name=r.target) for r in requests]
        came_in += [CameIn(id=body.owner, name=body.target) for body in kept_here(context, content=False)]
        memory = remembered(context, con, requests)
        ask(context, requests, {i: v.body_sha256 for i, v in last.items()}, memory)
        with Workers(min(2, 1 + len(came_in) // _FEEDS_A_WORKER)) as workers:
            found = results(con, kept_here(context), feeds, last, workers, context.say, parse_feed)
    return {"came_in": to_arrow(came_in, CameIn), **learnt(memory), **found}


def results(  # noqa: PLR0913, PLR0917 -- what there is to parse, and what with
    con: duckdb.DuckDBPyConnection,
    bodies: Iterator[Body],
    feeds: Feeds,
    last: Visits,
    workers: Workers,
    say: Say,
    parse: Callable[..., ParsedFeed | Unreadable],
) -> Tables:
    """What these bytes say, without asking anybody: visits, and the entries that the lake of `con` does not have."""
    visits: list[Visit] = []
    waiting: dict[str, Callable[[Visit, list[datetime | None]], Visit]] = {}
    entries: list[Entry] = []
    for body, parsed in workers.attempt_each(_to_parse(bodies, feeds, last, parse)):
        before = _before(body, last)
        feed = feeds.get(body.target) or _feed_of(body, last.get(body.target))
        found, repeated = _entries(feed, body, parsed) if isinstance(parsed, ParsedFeed) else ([], 0)
        before = before if before and body.url in (before.url, before.moved_to) else None
        visit = visit_of(feed, body, parsed, before, repeated)
        # which keys its entries have rests on all visits, also those to another address
        visit = replace(visit, key_policy=visit.key_policy or _policy(last.get(body.target)))
        waiting[visit.visit_id] = partial(scheduled, feed, before, said(body, parsed))
        say(f"{visit.outcome}: {feed.feed_id}, {len(found)} entries" + (f" ({visit.detail})" if visit.detail else ""))
        visits.append(visit)
        entries += found
    fresh, passed = _new_revisions(con, entries)
    new: dict[str, list[datetime | None]] = {}
    for entry in fresh:
        if entry.number == 1:
            new.setdefault(entry.visit_id, []).append(entry.published_at if entry.date_quality in EXACT_ENOUGH else None)
    visits = [waiting[v.visit_id](v, new.get(v.visit_id, [])) for v in visits]
    say(f"feeds: {tally(v.outcome for v in visits)}; entries: {len(entries)} seen, {len(fresh)} new or changed")
    if endless := sum(p.why == "endless" for p in passed):
        say(f"{endless} entries have changed {MOST_REVISIONS} times, their changes are taken no more")
    if absorbed := sum(p.why == "absorbed" for p in passed):
        say(f"{absorbed} entries come under another key than before, they are known")
    return {
        "visits": to_arrow(visits, Visit),
        "entries": to_arrow(fresh, Entry),
        "carried": to_arrow(carried([*entries, *fresh]), Carried),
        "passed_over": to_arrow(passed, PassedOver),
    }


def decide(con: duckdb.DuckDBPyConnection, merged: Tables) -> Decided:
    """What of the shards' visits and entries the lake does not have; entries that lead nowhere end here."""
    # where two shards bring one visit, that which read the document has more to say than that which found it known by then
    visits = {v.visit_id: v for v in sorted(from_arrow(merged["visits"], Visit), key=lambda v: v.entries_seen)}
    over = {(p.visit_id, p.entry_id): p for p in from_arrow(merged["passed_over"], PassedOver)}
    fresh, passed = _new_revisions(con, from_arrow(merged["entries"], Entry), over.values())
    gone = gone_entries(con, fresh)
    fresh = [wordless_entry(e) if e.entry_id in gone else e for e in fresh]
    over |= {(p.visit_id, p.entry_id): p for p in passed}
    ends = Counter([(e.visit_id, "new") for e in fresh] + [(p.visit_id, p.why) for p in over.values()])
    had = known_visits(con, list(visits), a_day_before(v.visited_at for v in visits.values()))
    taken_down = [_ended(e, OutcomeCode.FORGOTTEN) for e in fresh if e.entry_id in gone]
    dead_ends = [_no_link(e) for e in fresh if e.entry_id not in gone and not (e.url or e.content_html or e.summary)]
    tables = {
        "visits": to_arrow([_with_ends(v, ends) for v in visits.values() if v.visit_id not in had], Visit),
        "entries": to_arrow(fresh, Entry),
        "outcomes": to_arrow([*taken_down, *dead_ends], Outcome),
    }
    return Decided(tables, {"without link": len(dead_ends), "taken down": len(taken_down)})


def settled_before(con: duckdb.DuckDBPyConnection, batch: BatchRef, came_in: list[str]) -> set[str]:
    """Which of these visits the lake has."""
    return known_visits(con, came_in, batch.date)


def _with_ends(visit: Visit, ends: Counter[tuple[str, str]]) -> Visit:
    new, known, endless, absorbed = (ends[visit.visit_id, why] for why in ("new", "known", "endless", "absorbed"))
    return replace(visit, entries_new=new, entries_known=known, entries_endless=endless, entries_absorbed=absorbed)


def _new_revisions(
    con: duckdb.DuckDBPyConnection, entries: list[Entry], over: Iterable[PassedOver] | None = None
) -> tuple[list[Entry], list[PassedOver]]:
    """Those of the entries that say something else than the lake's last revision of them, and those passed over.

    `over` were passed over before; without it, the entries are all of their documents.
    """
    last = last_revisions(con, [e.entry_id for e in entries])
    # two shards of a batch can bring one visit; several visits of one feed, as when it was pushed, count one after the other
    entries = list({(e.visit_id, e.entry_id): e for e in entries}.values())
    now = as_they_are(con, entries, last, over)
    last |= last_revisions(con, sorted({e.entry_id for e, _ in now} - {e.entry_id for e in entries}))
    fresh: list[Entry] = []
    passed: list[PassedOver] = []
    for entry, was in now:
        before = last.get(entry.entry_id)
        # bytes of a batch that was broken off may be older than what is known by now
        if before and (before.wording == entry.wording or before.seen_at > entry.seen_at):
            passed.append(PassedOver(entry_id=entry.entry_id, visit_id=entry.visit_id, why="absorbed" if was else "known"))
        elif before and was and says_the_same(entry, was, before):
            passed.append(PassedOver(entry_id=entry.entry_id, visit_id=entry.visit_id, why="absorbed"))
        elif before and before.number >= MOST_REVISIONS:
            passed.append(PassedOver(entry_id=entry.entry_id, visit_id=entry.visit_id, why="endless"))
        else:
            revision, number = (
                ids.revision_id(entry.wording, before.revision if before else None),
                before.number + 1 if before else 1,
            )
            fresh.append(replace(entry, revision=revision, number=number))
            last[entry.entry_id] = LastRevision(revision, entry.wording, entry.seen_at, number)
    return fresh, passed


def _feed_of(body: Body, before: Visit | None) -> Feed:
    """A feed that was asked and has left the catalogue since."""
    return Feed(feed_id=body.target, url=body.url, source=before.source if before else body.target)


def _request(context: Context, feed: Feed, last: Visit | None) -> Request:
    # validators belong to an address: after the catalogue named another one, the old ones would hide its content
    address = address_of(feed, last)
    same = last if last and last.url == feed.url and not in_full(last, context.clock()) else None
    secret, unsent = _secret(context, feed)
    return Request(
        kind=Kind.FEED,
        owner=ids.visit_id(context.batch.root, feed.feed_id),
        target=feed.feed_id,
        url=address,
        etag=same.etag if same else None,
        last_modified=same.last_modified if same else None,
        local=host_and_port(feed.url) if feed.local else None,
        secret=secret,
        unsent=unsent,
    )


def _secret(context: Context, feed: Feed) -> tuple[Header | None, str | None]:
    """The header that carries a feed's credentials, or why it cannot be visited."""
    if feed.credentials is None:
        return None, None
    said = context.settings.secrets(feed.credentials)
    at = f"NEWSMILL_CREDENTIALS_{feed.credentials.upper()}"
    if said is None:
        return (
            None,
            f"nothing is kept under its credentials {feed.credentials!r}: set {at}, or a connection of that name in airflow",
        )
    try:
        return header_of(said), None
    except ConfigError as error:
        return None, f"{at}, or the connection {feed.credentials!r} of airflow: {error}"


def _to_parse(
    bodies: Iterator[Body], feeds: Feeds, last: Visits, parse: Callable[..., ParsedFeed | Unreadable]
) -> Iterator[tuple[Body, Parsing | None]]:
    """Every body with the call that parses it; None where there is nothing to parse."""
    for body in bodies:
        new = body.code == FetchCode.OK and body.content is not None and not is_same(body, _before(body, last))
        policy = _policy(last.get(body.target)) or KeyBasis.GUID
        yield body, parsing(body, feeds.get(body.target), parse, policy) if new else None


def _policy(last: Visit | None) -> KeyBasis | None:
    return last.key_policy if last else None


def parsing(
    body: Body, feed: Feed | None, parse: Callable[..., ParsedFeed | Unreadable], policy: KeyBasis = KeyBasis.GUID
) -> Parsing:
    """The call that parses what a feed answered with, or what was handed in for it."""
    return partial(
        parse,
        body.content or b"",
        body.final_url or body.url,
        content_type=body.header("content-type"),
        language=feed.language if feed else None,
        received_at=body.asked_at,
        policy=policy,
    )


def _before(body: Body, last: dict[str, Visit]) -> Visit | None:
    """The visit before the one that brought these bytes, where the last is one: bytes of a batch done again may be older."""
    visit = last.get(body.target)
    return visit if visit and visit.visited_at < body.asked_at else None


def _entries(feed: Feed, body: Body, parsed: ParsedFeed) -> tuple[list[Entry], int]:
    """The entries of one feed; of several with one key the first, as feeds list the newest first, and how many were left out."""
    entries: dict[str, Entry] = {}
    for position, e in enumerate(parsed.entries):
        wording = ids.wording_of(e.title, e.summary, url_key(e.url) if e.url else None, e.content_html)
        # of what is handed in by several publishers each has its own "1"
        own = feed.feed_id == HANDED_IN and e.source and e.key_basis in (KeyBasis.GUID, KeyBasis.TITLE)
        key = f"{e.source} {e.key}" if own else e.key
        entry = Entry(
            entry_id=ids.entry_id(feed.feed_id, key),
            revision=ids.revision_id(wording, None),
            wording=wording,
            feed_id=feed.feed_id,
            source=e.source or feed.source,
            visit_id=body.owner,
            seen_at=body.asked_at,
            position=position,
            key=key,
            key_basis=e.key_basis,
            url=e.url,
            raw_url=e.raw_url,
            title=e.title,
            summary=e.summary,
            content_html=e.content_html,
            authors=e.authors,
            language=feed.language or (e.language or parsed.language or "")[:2].lower() or None,
            # who may push for a feed cannot say what stands on other people's pages
            whole=e.whole and feed.feed_id == HANDED_IN,
            published_raw=e.published_raw,
            published_at=e.published_at,
            date_quality=e.date_quality,
        )
        entries.setdefault(entry.entry_id, entry)
    return list(entries.values()), len(parsed.entries) - len(entries)


def _ended(entry: Entry, code: OutcomeCode, detail: str | None = None) -> Outcome:
    """An entry that ends here, without a page."""
    return Outcome(
        entry_id=entry.entry_id,
        revision=entry.revision,
        feed_id=entry.feed_id,
        source=entry.source,
        attempt=1,
        code=code,
        kept=False,
        final=True,
        title=entry.title,
        detail=detail,
        ended_at=entry.seen_at,
    )


def _no_link(entry: Entry) -> Outcome:
    detail = f"neither a usable link ({entry.raw_url or 'none given'}) nor content of its own"
    return _ended(entry, OutcomeCode.NO_LINK, detail)
