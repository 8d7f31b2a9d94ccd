"""Which feeds are visited, and when. Reading the catalogue is I/O, all else is pure."""

from pipeline.feeds.catalogue import load_catalogue
from pipeline.feeds.due import LastVisit, NextVisit, due, next_visit
from pipeline.feeds.shards import shard_of

__all__ = ["LastVisit", "NextVisit", "due", "load_catalogue", "next_visit", "shard_of"]
