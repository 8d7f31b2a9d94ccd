"""Which feeds are visited, and when. Reading a catalogue is I/O, all else is pure.

`discover` and `opml` need lxml, so they are not loaded with the package.
"""

from pipeline.feeds.catalogue import load_catalogue, new_feed, nothing_on, offered, read_catalogue, same_address
from pipeline.feeds.due import NextVisit, Wishes, due, grade, next_visit
from pipeline.feeds.moves import Moved, address_of, moved
from pipeline.feeds.own import switched_on, with_feeds, without
from pipeline.feeds.rhythm import expected, first_pace, mean_pace, next_pace, next_span
from pipeline.feeds.shards import shard_of

__all__ = [
    "Moved",
    "NextVisit",
    "Wishes",
    "address_of",
    "due",
    "expected",
    "first_pace",
    "grade",
    "load_catalogue",
    "mean_pace",
    "moved",
    "new_feed",
    "next_pace",
    "next_span",
    "next_visit",
    "nothing_on",
    "offered",
    "read_catalogue",
    "same_address",
    "shard_of",
    "switched_on",
    "with_feeds",
    "without",
]
