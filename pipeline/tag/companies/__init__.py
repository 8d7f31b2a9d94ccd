"""Names the companies in an article: which, where, how surely, and as what. Pure but for loading the data that ship with it."""

from pipeline.tag.companies.linking import link
from pipeline.tag.companies.registry import Registry, load_registry

__all__ = ["Registry", "link", "load_registry"]
