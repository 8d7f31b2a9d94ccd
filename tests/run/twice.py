"""Does one batch as Airflow's tasks do, trying again while somebody else is at it: `python -m tests.run.twice BATCH`.

Prints each line it is told as it comes; the clock stands still, so that whoever does the batch writes the same rows.
"""

import os
import sys
import time
from dataclasses import replace
from functools import partial

from pipeline.errors import LakeBusy
from pipeline.lake.layout import STAGES
from pipeline.run import settle, work_shard
from pipeline.settings import Settings
from tests.run.publisher import START

if __name__ == "__main__":
    settings = replace(Settings.from_env(os.environ), shards=1)
    say, clock, batch = partial(print, flush=True), (lambda: START), sys.argv[1]
    for stage in STAGES:
        for step in (
            partial(work_shard, settings, stage, batch, 0, say, clock),
            partial(settle, settings, stage, batch, say, clock),
        ):
            while True:
                try:
                    step()
                    break
                except LakeBusy:
                    say("busy")
                    time.sleep(0.05)
