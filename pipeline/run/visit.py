"""One visit to a feed as it ended: what the answer and its parsing mean for the feed. Pure."""

import re
from dataclasses import replace

from pipeline.errors import WorkerError
from pipeline.fetch import may_be_opened
from pipeline.push.websub import announced
from pipeline.run.wall import wall_of
from schemas.article import Unreadable
from schemas.feed import Feed, ParsedFeed, Visit, VisitCode
from schemas.web import Body, FetchCode

Parsed = ParsedFeed | Unreadable | WorkerError | None


def visit_of(feed: Feed, body: Body, parsed: Parsed, last: Visit | None, repeated: int) -> Visit:
    """The visit as it ended, but for when the feed is due again, which `scheduled` knows; `last` is the one before to the same
    address. Its key policy is that of the document alone."""
    code, detail = code_of(body, parsed, last)
    if code == VisitCode.FORBIDDEN_ADDRESS and not (feed.local or body.redirects) and may_be_opened(detail):
        detail = f"{detail}; where it is your own, set local = true for this feed in the catalogue"
    # asked where it has moved to, it is still the catalogue's feed
    url = last.url if last and body.url not in (feed.url, last.url) else body.url
    if url != body.url:
        told = f"asked at {body.url}, where it moved for good: put that address into the catalogue"
        detail = "; ".join(filter(None, (detail, told)))
    if repeated:
        detail = "; ".join(filter(None, (detail, f"{repeated} entries repeat the key of another and were left out")))
    hub, topic = _pushed_by(body, parsed, last)
    # a body's hash and validators are kept once it was understood: a feed that turned into a web page must not look unchanged
    return Visit(
        visit_id=body.owner,
        feed_id=feed.feed_id,
        source=feed.source,
        url=url,
        final_url=body.final_url,
        redirects=body.redirects,
        visited_at=body.asked_at,
        outcome=code,
        status=body.status,
        etag=_kept(body.header("etag"), last.etag if last else None, code),
        last_modified=_kept(body.header("last-modified"), last.last_modified if last else None, code),
        body_sha256=body.sha256 if code == VisitCode.PARSED else (last.body_sha256 if last else None),
        body_bytes=len(body.content or b""),
        entries_seen=len(parsed.entries) + parsed.dropped if isinstance(parsed, ParsedFeed) else 0,
        entries_repeated=repeated,
        entries_dropped=parsed.dropped if isinstance(parsed, ParsedFeed) else 0,
        key_policy=parsed.key_policy if isinstance(parsed, ParsedFeed) else None,
        retry_after_s=body.retry_after_s,
        next_due_at=body.asked_at,
        due_rule="",
        detail=detail,
        hub=hub,
        topic=topic,
    )


def _pushed_by(body: Body, parsed: Parsed, last: Visit | None) -> tuple[str | None, str | None]:
    """The hub and topic that a document or its server names; as before where no document came."""
    if isinstance(parsed, ParsedFeed):
        return announced(body.header("link"), {"hub": parsed.hub, "self": parsed.topic}, body.final_url or body.url)
    return (last.hub, last.topic) if last else (None, None)


def as_pushed(visit: Visit, polled: Visit | None) -> Visit:
    """What a visit is where nobody was asked: it says nothing of when to ask again, which stays as the last poll has it."""
    at = polled.next_due_at if polled else visit.visited_at
    return replace(visit, next_due_at=at, due_rule="pushed", failures=0)


def _kept(offered: str | None, before: str | None, code: VisitCode) -> str | None:
    if code == VisitCode.PARSED:
        return offered
    return (offered or before) if code == VisitCode.UNCHANGED else before


def max_age(cache_control: str | None) -> float | None:
    """Seconds that a Cache-Control allows an answer to be kept, or None."""
    found = re.search(r"max-age=(\d{1,9})", cache_control or "")
    return float(found[1]) if found else None


_OF_FETCH = {
    FetchCode.NOT_MODIFIED: VisitCode.UNCHANGED,
    FetchCode.UNREACHABLE: VisitCode.UNREACHABLE,
    FetchCode.TOO_LARGE: VisitCode.TOO_LARGE,
    FetchCode.TOO_MANY_REDIRECTS: VisitCode.HTTP_ERROR,
    FetchCode.FORBIDDEN_ADDRESS: VisitCode.FORBIDDEN_ADDRESS,
    FetchCode.DISALLOWED: VisitCode.DISALLOWED,
    FetchCode.DEFERRED: VisitCode.DEFERRED,
    FetchCode.NO_CREDENTIALS: VisitCode.REFUSED,
}
_OF_STATUS = {410: VisitCode.GONE, 401: VisitCode.REFUSED, 403: VisitCode.REFUSED, 451: VisitCode.REFUSED, 429: VisitCode.BUSY}


def code_of(body: Body, parsed: Parsed, last: Visit | None) -> tuple[VisitCode, str | None]:
    """How a visit ended, and why in words."""
    if not isinstance(parsed, ParsedFeed) and not is_same(body, last) and (wall := wall_of(body)):
        return VisitCode(wall.code), wall.sign
    match parsed:
        case ParsedFeed():
            return VisitCode.PARSED, parsed.problem
        case Unreadable():
            return VisitCode(parsed.code), parsed.detail
        case WorkerError():
            return VisitCode.UNPARSABLE, str(parsed)
    if body.code == FetchCode.OK:
        # bytes that were known when they came are not kept again: content is null then, and the hash is there
        known = body.content is None and body.sha256 is not None
        return (VisitCode.UNCHANGED, None) if known or is_same(body, last) else (VisitCode.NOT_A_FEED, "the body is empty")
    if body.code == FetchCode.STATUS:
        busy = body.status == 503 and body.retry_after_s is not None
        code = VisitCode.BUSY if busy else _OF_STATUS.get(body.status or 0, VisitCode.HTTP_ERROR)
        return code, body.detail or f"status {body.status}"
    return _OF_FETCH[body.code], body.detail


def is_same(body: Body, last: Visit | None) -> bool:
    return last is not None and body.sha256 is not None and body.sha256 == last.body_sha256
