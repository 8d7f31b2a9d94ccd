"""Takes an article or a source down: tombstones first, then its words out of every file. I/O."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from pipeline.dedupe import url_key
from pipeline.errors import InputError, LakeBusy
from pipeline.feeds import load_catalogue
from pipeline.lake import connect
from pipeline.lake.commit import Clock, Timing, system_clock
from pipeline.lake.erase import Erased, erase_pending
from pipeline.lake.forget import Going, article_going, bury, described, forgotten, source_going, sources_known
from pipeline.lake.layout import CLOSER, BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold
from pipeline.lake.views import prepare
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """What a user names: an article by an id or address, or a source."""

    name: str
    is_source: bool = False


@dataclass(frozen=True, slots=True)
class Takedown:
    """What goes: the articles as people know them, and how many entries and addresses; what went before is not counted."""

    articles: tuple[dict[str, Any], ...]
    entries: int
    addresses: int
    sources: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.articles or self.entries or self.addresses or self.sources)

    def __str__(self) -> str:
        named = [f"  {a['article_id']}  {a['source']}: {a['title']}" + _copies(a["copies_that_stay"]) for a in self.articles]
        more = [f"  … and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
        counted = {"articles": len(named), "entries": self.entries, "addresses": self.addresses}
        total = ", ".join(f"{n:,} {what}" for what, n in counted.items())
        sources = [f"  source {name}: its feeds are not visited any more" for name in self.sources]
        return "\n".join([f"goes: {total}", *sources, *named[:MOST_NAMED], *more]) if self else "all of it was taken down before"


def _copies(number: int) -> str:
    return f" ({number} with the same text from elsewhere stay)" if number else ""


#: So many articles are named before somebody is asked.
MOST_NAMED = 20


def plan_takedown(settings: Settings, target: Target) -> Takedown:
    """What would go; nothing is written.

    Raises:
        InputError: the lake knows nothing under that name.
    """
    Lake(settings.lake).check()
    with connect(settings.lake) as con:
        going = _going(settings, con, target)
        marks = (going.entries, going.keys | going.places, going.sources)
        entries, addresses, sources = (ids - forgotten(con, ids).keys() for ids in marks)
        return Takedown(tuple(described(con, going)), len(entries), len(addresses), tuple(sorted(sources)))


def take_down(settings: Settings, target: Target, why: str, clock: Clock = system_clock) -> Erased | None:
    """Takes it down, and erases it and whatever an earlier takedown left to be erased; None where there was nothing to do.

    Raises:
        InputError: the lake knows nothing under that name.
        LakeBusy: somebody else is closing or taking down; what this one was to take is in no view any more all the same.
    """
    lake, timing = Lake(settings.lake), Timing(settings.clock_tolerance)
    lake.check()
    lake.open_for_writing()
    prepare(lake)
    with connect(settings.lake) as con:
        # again until nothing is new: what a stage committed while it was looked up goes too
        while bury(lake, con, _going(settings, con, target).tombstones(why), clock(), timing):
            pass
    try:
        with hold(lake, BatchRef(batch_id_of(clock()), CLOSER), "forget", last=True):
            return erase_pending(lake, timing)
    except LakeBusy as busy:
        raise LakeBusy(f"{busy}. No view shows what was taken down; the next `newsmill lake close` erases its bytes") from busy


def _going(settings: Settings, con: duckdb.DuckDBPyConnection, target: Target) -> Going:
    if not target.is_source:
        return article_going(con, target.name, url_key)
    known = sources_known(con)
    if settings.catalogue.exists():
        known |= {name for feed in load_catalogue(settings.catalogue) for name in (feed.feed_id, feed.source)}
    if target.name in known or forgotten(con, [target.name]):
        return source_going(con, target.name, url_key)
    near = get_close_matches(target.name, sorted(known), n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known)[:20]) or 'none'}"
    raise InputError(f"no source or feed {target.name!r} in the lake or the catalogue; {remedy}")
