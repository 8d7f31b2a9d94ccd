"""Tests of this folder make new lakes all the time, at one place."""

from tests.opened import same_place

__all__ = ["same_place"]
