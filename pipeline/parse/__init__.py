"""Feed bytes to entries. Pure, but slow on hostile bytes: run it in pipeline.isolate.Workers."""

from pipeline.parse.feed import parse_feed

__all__ = ["parse_feed"]
