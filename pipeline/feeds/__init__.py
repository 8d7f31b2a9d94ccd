"""Which feeds are visited, and when. Reading a catalogue is I/O, all else is pure.

`discover` and `opml` need lxml, so they are not loaded with the package.
"""

from pipeline.feeds.catalogue import load_catalogue, new_feed, nothing_on, offered, read_catalogue, same_address
from pipeline.feeds.due import LastVisit, NextVisit, due, next_visit
from pipeline.feeds.own import switched_on, with_feeds, without
from pipeline.feeds.shards import shard_of

__all__ = [
    "LastVisit",
    "NextVisit",
    "due",
    "load_catalogue",
    "new_feed",
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
