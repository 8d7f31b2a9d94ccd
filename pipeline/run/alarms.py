"""Tells once of what is newly wrong with a lake, and of what is over. Reads it, and notes in a file of it what was told of."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import NewsmillError
from pipeline.lake.commit import Clock, system_clock
from pipeline.lake.durable import write_file
from pipeline.run.context import Say
from pipeline.run.health import REMEDIES, Alarm, Health, check
from pipeline.settings import Settings

#: What was told of, and when it was first: beside the lake's days, so that whoever watches it knows.
TOLD = "health.json"
#: A feed is news for a day. What comes out is wrong for as long as it is.
FRESH = timedelta(days=1)
#: Lines of a notice.
LINES = 20

#: Sends a notice of this title and text, and says whether it came through.
Send = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at the lake found: its health, the alarms that are new, those that are over, those that call for somebody."""

    health: Health
    new: tuple[Alarm, ...]
    over: tuple[str, ...]
    urgent: tuple[Alarm, ...]

    def __str__(self) -> str:
        return _lines([f"new: {alarm}; {alarm.remedy}" for alarm in self.new] + [f"over: {what}" for what in self.over])

    @property
    def title(self) -> str:
        """What is new and over, in numbers."""
        return ", ".join(f"{len(those)} {word}" for those, word in ((self.new, "newly wrong"), (self.over, "over")) if those)

    @property
    def call(self) -> str:
        """What calls for somebody, feeds by name; empty where nothing does."""
        return _lines([str(alarm) for alarm in self.urgent])


def watch(settings: Settings, say: Say, clock: Clock = system_clock, send: Send | None = None) -> Watched:
    """Looks at the lake, and sends a notice where something is new or over; what did not come through is sent the next time.

    Raises:
        NewsmillError: the lake cannot be read, or nobody took the notice.
    """
    now, path = clock(), settings.lake / TOLD
    health = check(settings, now)
    told: dict[str, dict[str, str]] = json.loads(path.read_bytes()) if path.exists() else {}
    keys = {alarm.key for alarm in health.alarms}
    new = tuple(alarm for alarm in health.alarms if alarm.key not in told)
    first = {alarm.key: told.get(alarm.key, {}).get("first_at", now.isoformat()) for alarm in health.alarms}
    urgent = (a for a in health.alarms if a.kind not in REMEDIES or now - datetime.fromisoformat(first[a.key]) < FRESH)
    found = Watched(health, new, tuple(text["what"] for key, text in told.items() if key not in keys), tuple(urgent))
    say(f"feeds: {', '.join(f'{n:,} {state}' for state, n in health.states.items()) or 'none visited yet'}")
    for alarm in health.alarms:
        say(f"{'new' if alarm in new else 'known'}: {alarm}; {alarm.remedy}")
    if send and found.title and not send(found.title, str(found)):
        raise NewsmillError(f"nobody took the notice of {found.title}: check NEWSMILL_NOTIFY; it is sent again the next time")
    write_file(path, json.dumps({a.key: {"first_at": first[a.key], "what": str(a)} for a in health.alarms}, indent=1).encode())
    return found


def _lines(lines: list[str]) -> str:
    more = [f"and {len(lines) - LINES} more: `newsmill health`"] if len(lines) > LINES else []
    return "\n".join(lines[:LINES] + more)
