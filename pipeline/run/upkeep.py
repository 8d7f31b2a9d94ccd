"""What the lake needs beside the stages: days are closed, and what was missed is found. I/O."""

from datetime import timedelta

from pipeline.lake.close import ClosingReport, close
from pipeline.lake.commit import Clock, Timing, system_clock
from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.run.context import Say
from pipeline.settings import Settings


def close_days(settings: Settings, say: Say, clock: Clock = system_clock, grace: timedelta | None = None) -> ClosingReport:
    """Closes the days and months whose time has come, and deletes what was moved before and what is past its keeping.

    Raises:
        LakeBusy: somebody else is closing; the message says who.
        LossError: files do not hold what their batches say; that day stays open.
    """
    stays = settings.grace if grace is None else grace
    rules = Rules(stays, settings.raw_days, drain=stays)
    return close(Lake(settings.lake), Timing(settings.clock_tolerance, clock), rules, say)
