"""Text search over the lake: by an index where tantivy is installed, else by reading the articles of some days."""

from pipeline.lake.search.answer import Found, Looked, look
from pipeline.lake.search.feed import Pass, catch_up
from pipeline.lake.search.question import Question, parse_question
from pipeline.lake.search.shards import available

__all__ = ["Found", "Looked", "Pass", "Question", "available", "catch_up", "look", "parse_question"]
