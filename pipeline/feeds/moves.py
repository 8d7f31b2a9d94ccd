"""Decides at which address a feed is asked: that of the catalogue, or where permanent redirects have led for long. Pure.

The catalogue is its user's and is not written to. A server under repair redirects "permanently" to a page about that, so a new
address counts only where a feed was found at every one of several visits, and only as long as one is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.feeds.due import BROUGHT_SOMETHING
from schemas.feed import Feed, Visit, VisitCode

SIGHTS = 3
LASTING = timedelta(days=7)
#: So long the new address may fail to answer before the catalogue's is asked again.
PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where permanent redirects have led, since when, and at how many visits."""

    to: str | None = None
    since: datetime | None = None
    visits: int = 0


def address_of(feed: Feed, last: Visit | None) -> str:
    """Where to ask for a feed. Its credentials are for the catalogue's address alone: with them no move is followed."""
    adopted = last is not None and last.url == feed.url and not feed.credentials and _is_adopted(last)
    return last.moved_to if last and adopted and last.moved_to else feed.url


def _is_adopted(visit: Visit) -> bool:
    return visit.moved_since is not None and visit.moved_visits >= SIGHTS and visit.visited_at - visit.moved_since >= LASTING


def moved(visit: Visit, asked: str, led_to: str | None, last: Visit | None) -> Moved:
    """What is known of a feed's move after `visit`, which asked `asked` and was led to `led_to` by permanent redirects alone."""
    known = Moved(last.moved_to, last.moved_since, last.moved_visits) if last else Moved()
    directly = known.to is not None and asked == known.to and asked != visit.url
    if visit.outcome not in BROUGHT_SOMETHING:
        return known if _may_mend(visit, directly) else Moved()
    to = led_to or (asked if directly else None)
    if to is None:
        return Moved()
    return Moved(to, known.since, known.visits + 1) if to == known.to else Moved(to, visit.visited_at, 1)


def _may_mend(visit: Visit, directly: bool) -> bool:
    """Whether a failure says nothing against the new address: nobody answered, at the old one or for a short time."""
    if directly:
        failing = visit.visited_at - (visit.failing_since or visit.visited_at)
        hard = visit.outcome in (VisitCode.GONE, VisitCode.NOT_A_FEED) or visit.status == 404
        return not hard and failing < PATIENCE
    return not visit.redirects
