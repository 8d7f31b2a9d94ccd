"""Finds what the lake has already: URL keys, text hashes, and which articles are copies of which. Pure."""

from pipeline.dedupe.relate import Answer, Memory
from pipeline.dedupe.texts import TEXT_RULE, text_hash
from pipeline.dedupe.urls import KEY_RULE, url_key

__all__ = ["KEY_RULE", "TEXT_RULE", "Answer", "Memory", "text_hash", "url_key"]
