"""How long what a feed says of its entries may be: what is longer is cut, and the feed's problem says so. Pure.

Whole content is not cut here, it is bounded by the size of the document.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from schemas.feed import ParsedEntry, ParsedFeed
from schemas.ids import content_hash

#: In characters.
LONGEST = {"title": 1_000, "summary": 50_000, "raw_url": 4_096, "published_raw": 200}  # a longer link leads nowhere
LONGEST_KEY, LONGEST_NAME, MOST_NAMES = 4_096, 200, 100


def capped(feed: ParsedFeed) -> ParsedFeed:
    """The feed with nothing longer than it may be; a key that is too long stays one, as its hash."""
    cut: Counter[str] = Counter()
    entries = tuple(_capped(entry, cut) for entry in feed.entries)
    title = feed.title[: LONGEST["title"]] if feed.title else feed.title
    if not cut and title == feed.title:
        return feed
    told = f"too long, cut: {', '.join(f'{name} of {n}' for name, n in sorted(cut.items()))} entries" if cut else None
    problem = "; ".join(filter(None, (feed.problem, told, None if title == feed.title else "title of the feed cut")))
    return replace(feed, entries=entries, title=title, problem=problem)


def _capped(entry: ParsedEntry, cut: Counter[str]) -> ParsedEntry:
    changed: dict[str, Any] = {}
    for name, longest in LONGEST.items():
        value = getattr(entry, name)
        if value is not None and len(value) > longest:
            changed[name] = value[:longest]
    for name in ("authors", "keywords"):
        values: tuple[str, ...] = getattr(entry, name)
        if len(values) > MOST_NAMES or any(len(value) > LONGEST_NAME for value in values):
            changed[name] = tuple(dict.fromkeys(value[:LONGEST_NAME] for value in values[:MOST_NAMES]))
    if len(entry.key) > LONGEST_KEY:
        changed["key"] = content_hash(entry.key)
    cut.update(changed.keys())
    return replace(entry, **changed) if changed else entry
