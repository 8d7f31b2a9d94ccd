"""The lake: rows ↔ Parquet. `connect` opens it for questions; the other modules are for those who write it."""

from pipeline.lake.connect import connect, opened_once

__all__ = ["connect", "opened_once"]
