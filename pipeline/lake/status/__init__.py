"""How a lake stands: what it holds, how fresh it is, how far it is closed, what is to be done. Reads only."""

from pipeline.lake.status.draw import draw
from pipeline.lake.status.gather import Status, status

__all__ = ["Status", "draw", "status"]
