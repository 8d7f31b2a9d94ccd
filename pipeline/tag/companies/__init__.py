"""Names the companies in an article: which, where, how surely, and as what. Pure but for loading the data that ship with it."""

from pipeline.tag.companies.linking import link
from pipeline.tag.companies.registry import Registry, curated_names, load_registry
from pipeline.tag.companies.search import Gate, Hit, find_companies, gates, like

__all__ = ["Gate", "Hit", "Registry", "curated_names", "find_companies", "gates", "like", "link", "load_registry"]
