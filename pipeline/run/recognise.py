"""Which entries of a feed's document are known ones that come under another key. Pure but for `as_they_are`.

A title alone recognises nothing: columns ("Aktie im Fokus: SAP") have the same every day. Two of title, link and time must agree
(of an entry that goes by its link, the link; at another link of the same host title and time do not suffice, nor where several
have both), and what stands in the document under its own key is nobody else. Where most of a document comes under new keys at
once, a storm, less suffices. No two entries of a document are one known entry.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from urllib.parse import urlsplit

import duckdb

from pipeline.dedupe import url_key
from pipeline.lake.forget import forgotten
from pipeline.lake.work import LastRevision, look_alikes
from schemas import ids
from schemas.feed import DateQuality, Entry, KeyBasis, PassedOver

#: What has the title and the link of something published so long before is the next one of its column.
ANOTHER_ISSUE = timedelta(hours=20)
STORM_LEAST, STORM_SHARE = 3, 0.5
_MIDNIGHT = re.compile("[T ]00:00")
_MOST_ALIKE = 50  # known entries with one title or one link, the newest, that are compared


class _Likeness(IntEnum):
    STORM = 1  # suffices where most of a document looks like what is known
    TWO = 2  # of title, link and time
    ALL = 3


@dataclass(frozen=True, slots=True)
class _Look:
    """What an entry looks like, whatever its key; link and time are empty where they say too little."""

    entry: Entry
    link: str
    time: datetime | None


def as_they_are(
    con: duckdb.DuckDBPyConnection,
    entries: Sequence[Entry],
    last: Mapping[str, LastRevision],
    over: Iterable[PassedOver] | None,
) -> list[tuple[Entry, Entry | None]]:
    """Each entry under the id that it has in the lake, and the known one it was recognised as where its key names another.

    `last` holds their last revisions, `over` what of their documents was passed over before; None where nothing was, so that
    the entries are all of them. The lake is asked for look-alikes of what it does not have as it is, and of nothing else.
    """
    new, taken = dict[str, dict[str, Entry]](), defaultdict[str, set[str]](set)
    for one in over or ():
        taken[one.visit_id].add(one.entry_id)
    for e in entries:
        if e.entry_id in last and last[e.entry_id].wording == e.wording:
            taken[e.visit_id].add(e.entry_id)
        else:
            new.setdefault(e.visit_id, {})[e.entry_id] = e
    # the lake has no words left by which what was taken down would be known as itself: it would be taken for another
    gone = forgotten(con, {entry for of_visit in new.values() for entry in of_visit})
    for visit, of_visit in new.items():
        taken[visit] |= of_visit.keys() & gone.keys()
        new[visit] = {entry: e for entry, e in of_visit.items() if entry not in gone}
    asked = [e for of_visit in new.values() for e in of_visit.values()]
    known = defaultdict[str, list[Entry]](list)
    for k in look_alikes(con, asked, [_time(e) for e in asked]) if asked else []:
        known[k.feed_id].append(k)
    found: dict[tuple[str, str], Entry] = {}
    for visit, of_visit in new.items():
        if its := list(of_visit.values()):
            as_known = recognise(its, known[its[0].feed_id], last, taken[visit], whole=over is None)
            found |= {(visit, entry_id): k for entry_id, k in as_known.items()}
    theirs = {(visit, k.entry_id) for (visit, _), k in found.items()}
    return [_as_it_is(e, found.get((e.visit_id, e.entry_id)), (e.visit_id, e.entry_id) in theirs) for e in entries]


def _as_it_is(entry: Entry, known: Entry | None, is_theirs: bool) -> tuple[Entry, Entry | None]:
    if known:
        return replace(entry, entry_id=known.entry_id, key=known.key, key_basis=known.key_basis), known
    if is_theirs:  # its key was another entry's before, which is in the document too
        key = f"{entry.key} {entry.url or entry.title}"
        return replace(entry, entry_id=ids.entry_id(entry.feed_id, key), key=key), None
    return entry, None


def recognise(
    entries: Sequence[Entry], known: Iterable[Entry], last: Mapping[str, LastRevision], taken: Set[str], *, whole: bool
) -> dict[str, Entry]:
    """The known entry that each of these is, by the id that its key gives it, where that is another one.

    `entries` are those of one document that the lake does not have as they are, `taken` the ids of the others in it; `known`
    what the lake has of the feed and looks like one of them, in any revision; `last` the last revision by id. `whole`: the
    two are all of the document, so that a storm can be told.
    """
    pairs = list(_pairs(entries, known))
    own = {new for like, new, old in pairs if like > _Likeness.STORM and old.entry_id == entries[new].entry_id}
    gone = set(taken) | {entries[new].entry_id for new in own}
    found: dict[int, Entry] = {}
    _assign(found, gone, [(new, old) for like, new, old in pairs if like > _Likeness.STORM and new not in own])
    strange = {n for n, e in enumerate(entries) if e.entry_id not in last}
    rest = [(new, old) for _, new, old in pairs if new in strange and new not in found]
    moved = len(strange & found.keys() | {new for new, _ in rest})
    if whole and moved >= STORM_LEAST and moved > STORM_SHARE * (len(entries) + len(taken)):
        _assign(found, gone, rest)
    return {entries[new].entry_id: old for new, old in found.items()}


def says_the_same(entry: Entry, known: Entry, last: LastRevision) -> bool:
    """Whether a recognised entry says what it said before, be it at another address."""
    there = ids.wording_of(entry.title, entry.summary, url_key(known.url) if known.url else None, entry.content_html)
    return last.wording in (entry.wording, there)


def _assign(found: dict[int, Entry], gone: set[str], pairs: Iterable[tuple[int, Entry]]) -> None:
    for new, old in pairs:
        if new not in found and old.entry_id not in gone:
            found[new] = old
            gone.add(old.entry_id)


def _pairs(entries: Sequence[Entry], known: Iterable[Entry]) -> Iterator[tuple[_Likeness, int, Entry]]:
    """Each entry with each known one it looks like, the most alike first, then in the document's order and the newest first."""
    looks = [_look(e) for e in entries]
    by: dict[tuple[str, str], list[_Look]] = defaultdict(list)
    rivals = defaultdict[tuple[str, datetime | None], set[str]](set)
    for k in sorted(known, key=lambda k: (k.seen_at, k.number, k.entry_id), reverse=True):
        look = _look(k)
        rivals[k.title, look.time].add(k.entry_id)
        for mark in (("title", k.title), ("link", look.link)):
            if mark[1] and len(by[mark]) < _MOST_ALIKE:
                by[mark].append(look)
    titles, links = Counter(e.title for e in entries), Counter(look.link for look in looks)
    found = []
    for new, look in enumerate(looks):
        # a link of several entries, such as a live ticker's, tells none of them apart
        mine = look if links[look.link] == 1 else replace(look, link="")
        for old in (*by["title", look.entry.title], *by["link", mine.link]):
            if like := _likeness(mine, old, alone=titles[look.entry.title] == 1, rivals=rivals[old.entry.title, old.time]):
                found.append((like, new, old.entry))
    return iter(sorted(found, key=lambda pair: (-pair[0], pair[1])))


def _look(entry: Entry) -> _Look:
    key = url_key(entry.url or "")
    parts = urlsplit(key)
    # many sites link all they have to their front page
    return _Look(entry, key if parts.path.strip("/") or parts.query else "", _time(entry))


def _likeness(new: _Look, old: _Look, *, alone: bool, rivals: Set[str]) -> _Likeness | None:
    """`alone`: no other entry of the document has the title; `rivals` are the known ones with the title and time of `old`."""
    if new.entry.source != old.entry.source:  # of what is handed in: two publishers can have one agency's words
        return None
    title = bool(new.entry.title) and new.entry.title == old.entry.title
    link, time = bool(new.link) and new.link == old.link, new.time is not None and new.time == old.time
    if title and time and not link and new.link and old.link:  # as of announcements, dozens of which are published at seven sharp
        if not alone or len(rivals) > 1:
            return None
        return _Likeness.STORM if _host(new.link) == _host(old.link) else _Likeness.TWO
    if title + link + time > 1:
        by_link = new.entry.key_basis == KeyBasis.LINK
        if title and link and not (time or by_link) and _another_issue(new.entry, old.entry):
            return _Likeness.STORM
        return _Likeness(title + link + time)
    if link and new.entry.key_basis == KeyBasis.LINK:  # as its key would say, had the other had the same kind of key
        return _Likeness.TWO
    same_day = new.entry.published_at is not None and new.entry.published_at == old.entry.published_at
    return _Likeness.STORM if title and same_day and alone else None


def _host(link: str) -> str:
    return urlsplit(link).netloc


def _another_issue(new: Entry, old: Entry) -> bool:
    one, other = new.published_at, old.published_at
    return one is not None and other is not None and abs(one - other) >= ANOTHER_ISSUE


def _time(entry: Entry) -> datetime | None:
    """When an entry was published, where it says more than a day; midnight is how many say no more than that."""
    told = entry.date_quality in (DateQuality.EXACT, DateQuality.ASSUMED_ZONE)
    return entry.published_at if told and not _MIDNIGHT.search(entry.published_raw or "") else None
