"""Orders the steps: which stage does what, and how a batch of it comes into the lake. The only place that knows all stages.

A stage's batch is worked on in shards, each leaving its results aside, and settled once: what the lake does not
have yet is decided against all that was committed before, and committed whole.
"""

from pipeline.lake.layout import batch_id_of
from pipeline.run.alarms import Watched, watch
from pipeline.run.batch import Report, finish_broken_off, has_pushed, run_once, settle, take_inbox, work_shard
from pipeline.run.forget import Takedown, Target, plan_takedown, take_down
from pipeline.run.hubs import keep_subscriptions
from pipeline.run.replay import Days, Replayed, replay_days
from pipeline.run.upkeep import Swept, close_days, days_to_announce, follow_up, note_announced, sweep
from pipeline.settings import SHARDS

__all__ = [
    "SHARDS",
    "Days",
    "Replayed",
    "Report",
    "Swept",
    "Takedown",
    "Target",
    "Watched",
    "batch_id_of",
    "close_days",
    "days_to_announce",
    "finish_broken_off",
    "follow_up",
    "has_pushed",
    "keep_subscriptions",
    "note_announced",
    "plan_takedown",
    "replay_days",
    "run_once",
    "settle",
    "sweep",
    "take_down",
    "take_inbox",
    "watch",
    "work_shard",
]
