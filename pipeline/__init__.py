"""Newsmill's pipeline: from a feed on the web to rows in the lake. Knows nothing of Airflow."""

from importlib.metadata import version

__version__ = version("newsmill")
