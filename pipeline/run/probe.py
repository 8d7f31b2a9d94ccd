"""Visits feeds and sites without a lake: what answers there, which feeds a site has, what a feed is worth. I/O."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

from pipeline.dedupe import url_key
from pipeline.errors import InputError, LakeError, WorkerError
from pipeline.feeds import same_address
from pipeline.feeds.discover import Found, announced, usual_places
from pipeline.feeds.sitemaps import MOST, named_in, news_of, usual_sitemaps
from pipeline.feeds.worth import Around, Worth, worth
from pipeline.fetch import host_and_port, may_be_opened
from pipeline.isolate import Workers, attempt
from pipeline.lake import connect
from pipeline.lake.overlap import Known, known_entries
from pipeline.lake.work import last_visits
from pipeline.parse import parse_feed
from pipeline.parse.sitemap import VERSION
from pipeline.read.language import language_of
from pipeline.run.context import exchanges
from pipeline.run.visit import code_of, max_age
from pipeline.settings import Settings
from schemas.article import Unreadable
from schemas.feed import ParsedFeed, VisitCode
from schemas.web import Body, FetchCode, Kind, Request

#: Told what is done, how much of it, and how much there is.
Watch = Callable[[str, int, int], None]
#: Feeds show the same news some days apart.
_AROUND = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an address answered; `feed` is there where `code` is parsed, and `detail` says in words why it is not."""

    body: Body
    code: VisitCode
    detail: str | None
    feed: ParsedFeed | None

    @property
    def why(self) -> str:
        """Why it is no feed, with what to do where something can be done."""
        local = self.code == VisitCode.FORBIDDEN_ADDRESS and not self.body.redirects and may_be_opened(self.detail)
        remedy = "; a feed of your own machine or network: add --local" if local else ""
        return f"{self.code}: {self.detail or 'no reason given'}{remedy}"


def local_too(local: bool, asked: str, found: str) -> bool:
    """Whether what a local address leads to may be local too: at its host and port alone, as no page says what is opened."""
    return local and host_and_port(found) == host_and_port(asked)


def visit(settings: Settings, urls: Mapping[str, bool], watch: Watch) -> dict[str, Answered]:
    """What each address answers, as a feed; `urls` says of each whether it may be local."""
    asked = [_request(url, local) for url, local in urls.items()]
    bodies = _exchange(settings, asked, lambda done: watch("visiting", done, len(asked)))
    return dict(zip(urls, _understood([bodies[url] for url in urls]), strict=True))


def discover(settings: Settings, url: str, answered: Answered, *, local: bool, watch: Watch) -> tuple[Found, ...]:
    """The feeds of the site behind an address that is no feed: those its page names, else those found in usual places."""
    page, at = answered.body.content, answered.body.final_url or url
    may_be_local = partial(local_too, local, url)
    if page:
        with Workers(count=1) as workers:
            (named,) = workers.map(attempt, [(partial(announced, page, at),)])
        if not isinstance(named, WorkerError) and named:
            return named if named[0].announced else _that_are(settings, [f.url for f in named], may_be_local, watch)
    if answered.body.code not in (FetchCode.OK, FetchCode.STATUS):
        return ()
    return _that_are(settings, usual_places(at), may_be_local, watch)


def news_sitemaps(settings: Settings, answered: Answered, *, local: bool, watch: Watch) -> tuple[Found, ...]:
    """The news sitemaps of the site behind an address: those its robots.txt names, in usual places, and in the indexes there.

    It asks for the robots.txt, for the sitemaps it names and the usual ones, and for some of an index: sixteen addresses at most.
    """
    at = answered.body.final_url or answered.body.url
    if answered.body.code not in (FetchCode.OK, FetchCode.STATUS):
        return ()
    may_be_local = partial(local_too, local, answered.body.url)
    robots = urljoin(at, "/robots.txt")
    said = _exchange(settings, [_request(robots, may_be_local(robots))], lambda done: watch("asking", done, 1))[robots]
    named = named_in(said.content or b"", robots) if said.code == FetchCode.OK else ()
    first = visit(settings, {url: may_be_local(url) for url in dict.fromkeys((*named, *usual_sitemaps(at)))}, watch)
    with Workers(count=1) as workers:
        documents = [(partial(news_of, a.body.content, url),) for url, a in first.items() if not a.feed and a.body.content]
        listed = [found for found in workers.map(attempt, documents) if not isinstance(found, WorkerError)]
    inner = [url for url in dict.fromkeys(url for found in listed for url in found) if url not in first][:MOST]
    then = visit(settings, {url: may_be_local(url) for url in inner}, watch) if inner else {}
    kept: dict[str, Found] = {}
    for url, found in (first | then).items():
        if found.feed and found.feed.version == VERSION:
            kept.setdefault(found.body.sha256 or url, Found(url, found.feed.title, url in named, sitemap=True))
    return tuple(kept.values())


def _that_are(settings: Settings, urls: Sequence[str], local: Callable[[str], bool], watch: Watch) -> tuple[Found, ...]:
    """Those of some addresses at which there is a feed; of several that lead to one, the first."""
    found: dict[str, Found] = {}
    for url, answered in visit(settings, {url: local(url) for url in urls}, watch).items():
        if answered.feed:
            found.setdefault(answered.body.sha256 or url, Found(url, answered.feed.title, announced=False))
    return tuple(found.values())


def had_of(lake: Path, url: str, feed: ParsedFeed) -> Known | None:
    """What the lake has of a feed's entries from others; None where there is no lake."""
    since = min((e.published_at for e in feed.entries if e.published_at), default=datetime.now(UTC)) - _AROUND
    try:
        with connect(lake) as con:
            own = {v.feed_id for v in last_visits(con).values() if same_address(v.url) == same_address(url)}
            return known_entries(con, [(url_key(e.url or ""), e.title) for e in feed.entries], own, since.date())
    except LakeError:
        return None


def examine(settings: Settings, url: str, answered: Answered, *, local: bool, watch: Watch, known: Known | None = None) -> Worth:
    """What a feed that answered is worth: asks it once more with its validators, and for the page of its first entry."""
    if answered.feed is None:
        raise InputError(f"{url}: {answered.why}")
    link = next((e.url for e in answered.feed.entries if e.url), None)
    again = replace(_request(url, local), etag=answered.body.header("etag"), last_modified=answered.body.header("last-modified"))
    requests = [again, *([_request(link, local, Kind.PAGE, url)] if link and link != url else [])]
    time.sleep(settings.spacing_s)  # the host was asked just now, in another exchange
    bodies = _exchange(settings, requests, lambda done: watch("asking again", done, len(requests)))
    page = bodies.get(link or "")
    around = Around(
        conditional=_conditional(again, bodies[url]),
        cache_max_age_s=max_age(answered.body.header("cache-control")),
        page=_page_in_words(page) if page else None,
        page_robots=page.robots if page else None,
        languages=_languages(answered.feed),
        known=known.entries if known else None,
        known_from=known.feeds if known else {},
    )
    return worth(answered.feed, around, datetime.now(UTC))


def _request(url: str, local: bool, kind: Kind = Kind.FEED, feed_url: str | None = None) -> Request:
    return Request(kind=kind, owner=url, target=url, url=url, local=host_and_port(feed_url or url) if local else None)


def _exchange(settings: Settings, requests: list[Request], tell: Callable[[int], None]) -> dict[str, Body]:
    """One answer per address. The sample wire is no exception here: what is local must be said to be."""

    async def ask_all() -> dict[str, Body]:
        bodies: dict[str, Body] = {}
        async with aclosing(exchanges(replace(settings, wire=None), requests, lambda: datetime.now(UTC))) as answers:
            async for body in answers:
                bodies[body.owner] = body
                tell(len(bodies))
        return bodies

    tell(0)
    return asyncio.run(ask_all())


def _understood(bodies: list[Body]) -> list[Answered]:
    readable = [body for body in bodies if body.code == FetchCode.OK and body.content]
    with Workers() as workers:
        parsed = dict(zip((b.owner for b in readable), workers.map(attempt, map(_parsing, readable)), strict=True))
    answers = []
    for body in bodies:
        read = parsed.get(body.owner)
        code, detail = code_of(body, read, None)
        answers.append(Answered(body, code, detail, read if isinstance(read, ParsedFeed) else None))
    return answers


def _parsing(body: Body) -> tuple[Callable[[], ParsedFeed | Unreadable]]:
    kind, url = body.header("content-type"), body.final_url or body.url
    return (partial(parse_feed, body.content or b"", url, content_type=kind, received_at=body.asked_at),)


def _conditional(asked: Request, answered: Body) -> str:
    """Whether the second request, with the validators of the first answer, was spared the document."""
    if not (asked.etag or asked.last_modified):
        return "the server names neither ETag nor Last-Modified"
    return "304" if answered.code == FetchCode.NOT_MODIFIED else f"the server ignores its own validators ({answered.code})"


def _page_in_words(page: Body) -> str:
    return str(page.code) if page.code == FetchCode.OK else f"{page.code} ({page.detail or f'status {page.status}'})"


def _languages(feed: ParsedFeed) -> dict[str, int]:
    """In how many entries each language is read, by their words, else as the feed claims."""
    texts = (f"{e.title}\n{e.summary or ''}" for e in feed.entries)
    return dict(Counter(language_of(text, feed.language) or "unknown" for text in texts).most_common())
