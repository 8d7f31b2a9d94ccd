"""Feed bytes, and what else is handed in, to entries. Pure, but slow on hostile bytes: run it in pipeline.isolate.Workers."""

from pipeline.parse.document import parse_document
from pipeline.parse.feed import parse_feed

__all__ = ["parse_document", "parse_feed"]
