"""Tells the whole way of one article through the lake: where it comes from, why it is here, why it says that. Reads only.

`find` takes an id or an address to what it means, `trail` gathers every row that bears on it, `present` prints it for people.
"""

from pipeline.why.find import Found, find
from pipeline.why.gather import trail
from pipeline.why.present import present

__all__ = ["Found", "find", "present", "trail"]
