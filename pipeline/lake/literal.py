"""Text and paths as SQL writes them, for what cannot be bound: paths in views, comments, settings. Pure."""

from pathlib import Path


def quoted(text: Path | str) -> str:
    """A string literal."""
    return "'" + str(text).replace("'", "''") + "'"
