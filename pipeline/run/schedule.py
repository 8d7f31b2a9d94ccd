"""What a visit means for the next ones: when the feed is due again and where, and whether its server's word is taken. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.feeds import Wishes, address_of, expected, first_pace, grade, mean_pace, moved, next_pace, next_span, next_visit
from pipeline.feeds.due import BROUGHT_SOMETHING
from pipeline.feeds.rhythm import HOUR
from pipeline.fetch import http_date
from pipeline.run.visit import Parsed, max_age
from schemas.feed import DateQuality, Feed, ParsedFeed, Visit, VisitCode
from schemas.web import Body

#: A document that has not come for so long is asked for without validators.
VERIFIED_FOR, VERIFIED_AT_FIRST = timedelta(hours=24), timedelta(hours=1)
TRUSTED_AFTER = timedelta(hours=24)
#: So long no validators are sent where a 304 hid entries.
DISTRUSTED_FOR = timedelta(days=7)
#: So many entries that should have come since are a reason too.
OVERDUE = 4

#: An entry may come into a document so long after its date.
LAG = timedelta(minutes=10)
#: Dates with a time in them.
EXACT_ENOUGH = frozenset({DateQuality.EXACT, DateQuality.ASSUMED_ZONE})
#: What a visit says of all those before it.
_CARRIED = (
    *("failures", "failure_grade", "failing_since", "pace", "span_s", "rhythm_s", "wish_s"),
    *("verified_at", "trusted_since", "moved_to", "moved_since", "moved_visits"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer says about the next visit: wishes, where it was found, and when the document's entries are dated."""

    wishes: Wishes
    wish_s: float | None
    asked: str
    moved_to: str | None
    times: tuple[datetime, ...]


def said(body: Body, parsed: Parsed) -> Said:
    """What is needed of an answer once its document has been read and can be dropped."""
    feed = parsed if isinstance(parsed, ParsedFeed) else None
    wish_s = max((feed.ttl_minutes or 0) * 60.0, feed.update_s or 0.0) if feed else 0.0
    max_age_s = max_age(body.header("cache-control"))
    wishes = Wishes(
        max_age_s=max_age_s,
        expires_s=expires_s(body) if max_age_s is None else None,
        retry_after_s=body.retry_after_s,
    )
    times = tuple(e.published_at for e in feed.entries if e.published_at and e.date_quality in EXACT_ENOUGH) if feed else ()
    return Said(wishes=wishes, wish_s=wish_s or None, asked=body.url, moved_to=body.moved_to, times=times)


def scheduled(feed: Feed, last: Visit | None, answer: Said, visit: Visit, new: Sequence[datetime | None]) -> Visit:
    """The visit with all that rests on the ones before it, and when the feed is due again.

    `new` are the entries that the lake had not seen, by their claimed times; `last` is the visit before to the same address.
    """
    at = visit.visited_at
    if visit.outcome == VisitCode.DEFERRED:  # nobody was asked, so all is as it was
        was = {name: getattr(last, name) for name in _CARRIED} if last else {}
        due_at = at + timedelta(seconds=answer.wishes.retry_after_s or 0.0)
        return replace(visit, **was, next_due_at=due_at, due_rule="host closed")
    brought = grade(visit.outcome, visit.detail)
    carried: dict[str, Any] = {
        "failures": last.failures + 1 if last and brought else int(brought > 0),
        "failure_grade": brought + (last.failure_grade if last and brought else 0.0),
        "failing_since": ((last and last.failing_since) or at) if brought else None,
    }
    carried["wish_s"] = last.wish_s if last and visit.outcome != VisitCode.PARSED else answer.wish_s
    visit = replace(visit, **carried, **_rhythm(visit, last, answer, new), **_trust(visit, last, new))
    now = moved(visit, answer.asked, answer.moved_to, last)
    visit = replace(visit, moved_to=now.to, moved_since=now.since, moved_visits=now.visits)
    if address_of(replace(feed, url=visit.url), visit) != answer.asked:  # validators belong to an address
        visit = replace(visit, etag=None, last_modified=None)
    lately = sum(at - HOUR <= t <= at for t in answer.times)
    upcoming = next_visit(feed, visit, answer.wishes, last, float(lately))
    return replace(visit, next_due_at=upcoming.at, due_rule=upcoming.rule)


def _rhythm(visit: Visit, last: Visit | None, answer: Said, new: Sequence[datetime | None]) -> dict[str, Any]:
    """The feed's pace and the span of its document, as they are after this visit; a visit that failed teaches nothing."""
    if last is not None and visit.outcome not in BROUGHT_SOMETHING:
        return {"pace": last.pace, "span_s": last.span_s, "rhythm_s": last.rhythm_s}
    if visit.outcome == VisitCode.PARSED and (last is None or not last.pace):
        pace = first_pace(answer.times, visit.visited_at)
    elif last is not None and last.pace:
        pace = next_pace(last.pace, last.failing_since or last.visited_at, visit.visited_at, [t or visit.visited_at for t in new])
    else:
        return {}
    mean = mean_pace(pace)
    before = (last.span_s, last.visited_at) if last else (None, None)
    share = len(new) / visit.entries_seen if visit.entries_seen else 0.0
    span_s = next_span(before, visit.visited_at, answer.times, share)
    return {"pace": pace, "span_s": span_s, "rhythm_s": 3600 / mean if mean else None}


def in_full(last: Visit, now: datetime) -> bool:
    """Whether to ask without validators, as some servers answer 304 whatever has become of the document.

    That is so once a day, as soon as several entries should have come by the feed's pace, and, where the server's validators have
    not been seen to change with the document for a day, after a 304 that has been the answer for an hour.
    """
    trusted_since = last.trusted_since or now
    if last.verified_at is None or trusted_since > now:
        return True
    doubted = last.status == 304 and now - trusted_since < TRUSTED_AFTER
    verified_for = VERIFIED_AT_FIRST if doubted else VERIFIED_FOR
    return now - last.verified_at >= verified_for or expected(last.pace, last.verified_at, now) >= OVERDUE


def _trust(visit: Visit, last: Visit | None, new: Sequence[datetime | None]) -> dict[str, Any]:
    """When the document itself last came, and whether it held what a 304 had hidden."""
    came = visit.status == 200 and visit.outcome in BROUGHT_SOMETHING
    trust: dict[str, Any] = {"verified_at": last.verified_at, "trusted_since": last.trusted_since} if last else {}
    if came:
        trust["verified_at"] = visit.visited_at
    if not last or not came or not new:
        return trust
    if not in_full(last, visit.visited_at):
        return trust | {"trusted_since": last.trusted_since or (visit.visited_at if last.etag or last.last_modified else None)}
    if last.status == 304 and _were_hidden(last, visit.visited_at, new):
        told = "it answered 304 though there was something new: for a week it is read in full"
        return trust | {
            "trusted_since": visit.visited_at + DISTRUSTED_FOR,
            "detail": "; ".join(filter(None, (visit.detail, told))),
        }
    return trust


def _were_hidden(last: Visit, now: datetime, new: Sequence[datetime | None]) -> bool:
    """Whether most of what is new was there when the visit before was told that nothing had changed.

    Where nothing has a date: whether all of it would have had to come in the last eighth of the time that only 304 came.
    """
    dated = [t for t in new if t]
    if dated:
        return 2 * sum(t < last.visited_at - LAG for t in dated) > len(dated)
    return last.verified_at is not None and now - last.visited_at < (last.visited_at - last.verified_at) / 8


def expires_s(body: Body) -> float | None:
    """Seconds that an Expires allows an answer to be kept, by the server's own clock where it tells it; None without one."""
    until, asked = http_date(body.header("expires") or ""), http_date(body.header("date") or "") or body.asked_at
    return (until - asked).total_seconds() if until else None
