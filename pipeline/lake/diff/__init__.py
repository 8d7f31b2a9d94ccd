"""What changed between two lakes over the same days."""

from pipeline.lake.diff.compare import Diff, Example, Kind, compared, differences
from pipeline.lake.diff.draw import draw

__all__ = ["Diff", "Example", "Kind", "compared", "differences", "draw"]
