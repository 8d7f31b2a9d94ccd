"""The command `newsmill health`: what is wrong with what comes out and with the feeds, for people and programs. I/O."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from pipeline.errors import InputError
from pipeline.exits import DIFFERENT
from pipeline.terminal import Json, Lake, busy, print_json, settings

if TYPE_CHECKING:
    from pipeline.run.health import Health

#: The states of a feed, best first, and how they look.
_STATES = {"ok": "green", "degraded": "yellow", "silent": "red", "blocked": "red", "dead": "red", "muted": "dim"}

app = typer.Typer()


@app.command(rich_help_panel="Look after")
def health(
    lake: Lake = None,
    json: Json = False,
    notify: Annotated[bool, typer.Option("--notify", help="Tell NEWSMILL_NOTIFY what is new since the last time.")] = False,
) -> None:
    """Whether news come out as usual, and which feeds are silent, blocked or dead; with what to do.

    Example: `newsmill health`; from cron, where no Airflow watches: `NEWSMILL_NOTIFY=ntfy://desk newsmill health --notify`

    Ends with 0 where nothing is wrong, with 3 where something is. docs/how-to/health.md says what is judged, and how.
    """
    from pipeline.run.alarms import watch
    from pipeline.run.health import check
    from pipeline.run.notices import sender

    told = settings(lake)
    if notify and not told.notify:
        raise InputError("nobody to notify: set NEWSMILL_NOTIFY to addresses of apprise, such as mailto://… or slack://…")
    with busy("looking at the feeds"):
        found = check(told, datetime.now(UTC))
    if json:
        print_json(asdict(found))
    else:
        _draw(found, Console(emoji=False, highlight=False, soft_wrap=True))
    if notify and told.notify:  # after it was shown: what cannot be sent is seen all the same
        watch(told, lambda _line: None, send=sender(told.notify))
    if found.alarms:
        raise typer.Exit(DIFFERENT)


def _draw(found: "Health", console: Console) -> None:
    """How many feeds are in which state; then what is wrong, with its remedy."""
    counts = [Text(f"{found.states[state]:,} {state}", style) for state, style in _STATES.items() if state in found.states]
    console.print(Text.assemble(("feeds  ", "bold"), Text(", ").join(counts or [Text("none visited yet")])))
    for alarm in found.alarms:
        console.print(Text.assemble(("✗ ", "red"), (str(alarm), "bold"), f"\n  → {alarm.remedy}"))
    if not found.alarms:
        console.print(Text("✓ news come out as usual, and no feed is silent, blocked or dead", "green"))
