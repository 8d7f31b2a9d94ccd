"""What wakes the DAG take_inbox: an Airflow trigger that looks into the inbox. It runs in the triggerer and takes nothing itself.

It lies here because a triggerer imports triggers from installed packages alone, never from the folder of DAGs, and because
`pipeline` knows nothing of Airflow.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from pipeline.push import Inbox

POLL_S = 0.5
#: What waits on is told of again, as an event may get lost or its run fail, less and less often.
AGAIN_S, AGAIN_AT_MOST_S = 5.0, 300.0


class InboxTrigger(BaseEventTrigger):
    """Tells whenever something new can be taken from the inbox at `path`, and again while it is still there."""

    def __init__(self, path: str, poll_s: float = POLL_S) -> None:
        super().__init__()
        self.path, self.poll_s = path, poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "embedded.inbox_trigger.InboxTrigger", {"path": self.path, "poll_s": self.poll_s}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Never ends: one event for each look that finds something to tell of."""
        clock, inbox = asyncio.get_running_loop().time, Inbox(Path(self.path))
        told: set[str] = set()
        again_at, wait_s, trouble = 0.0, AGAIN_S, ""
        while True:
            try:
                waiting = {path.name for path in await asyncio.to_thread(inbox.ready)}
                trouble = ""
            except OSError as error:  # a trigger that ends is not started again
                waiting = set()
                if trouble != str(error):
                    trouble = str(error)
                    self.log.warning("the inbox cannot be looked into: %s", error)
            if waiting - told:
                wait_s = AGAIN_S
            if waiting - told or (waiting and clock() >= again_at):
                again_at, wait_s = clock() + wait_s, min(2 * wait_s, AGAIN_AT_MOST_S)
                yield TriggerEvent({"waiting": len(waiting), "first": min(waiting)})
            told = waiting
            await asyncio.sleep(self.poll_s)
