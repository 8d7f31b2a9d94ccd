"""What the launcher is doing, as a short list with seconds: alive on a terminal, one line a change elsewhere."""

import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

MARKS = {"waiting": ("·", "dim"), "done": ("✓", "green"), "failed": ("✗", "red")}


@dataclass
class Step:
    title: str
    note: str = ""
    state: str = "waiting"
    began: float = 0.0
    ended: float = 0.0

    def seconds(self, now: float) -> str:
        return "" if self.state == "waiting" else f"{(self.ended or now) - self.began:.1f} s"


class Steps:
    """Use as a context; `begin`, `note`, `end` name a step by its title."""

    def __init__(self, console: Console, titles: list[str]) -> None:
        self.console = console
        self.steps = {title: Step(title) for title in titles}
        self.start = time.monotonic()
        self.live = Live(console=console, get_renderable=self._table, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> "Steps":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for step in self.steps.values():
            if step.state == "running" and kind:
                self._end(step, "failed", step.note)
        if self.live:
            self.live.stop()

    def begin(self, title: str, note: str = "") -> None:
        step = self.steps[title]
        step.state, step.began, step.note = "running", time.monotonic(), note
        self._say(step, "…")

    def note(self, title: str, note: str) -> None:
        self.steps[title].note = note

    def end(self, title: str, note: str = "") -> None:
        self._end(self.steps[title], "done", note)

    def _end(self, step: Step, state: str, note: str) -> None:
        step.state, step.ended, step.note = state, time.monotonic(), note
        self._say(step, MARKS[state][0])

    def _say(self, step: Step, mark: str) -> None:
        if not self.live:
            passed = time.monotonic() - self.start
            self.console.print(
                f"{passed:6.1f} s  {mark} {step.title}  {step.note}".rstrip(), highlight=False, markup=False, soft_wrap=True
            )

    def _table(self) -> Table:
        now = time.monotonic()
        table = Table.grid(padding=(0, 2, 0, 0))
        for step in self.steps.values():
            mark = Spinner("dots") if step.state == "running" else Text(*MARKS[step.state])
            dim = "dim" if step.state == "waiting" else ""
            table.add_row(mark, Text(step.title, dim), Text(step.seconds(now), "dim", justify="right"), Text(step.note, "dim"))
        return table
