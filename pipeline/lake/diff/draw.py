"""The difference of two lakes, for people. I/O on the terminal alone."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.lake.diff.compare import Diff, Example


def draw(diff: Diff, console: Console) -> None:
    """Prints what changed, how much of it, and examples below each other."""
    days = f"{diff.since}" if diff.since == diff.until else f"{diff.since} to {diff.until}"
    compared = ", ".join(f"{diff.bases[what]:,} {what}" for what in ("entries", "articles", "mentions", "sentiments"))
    if not diff.kinds:
        console.print(f"equal over {days}: {compared}")
        return
    console.print(f"{days}: {compared} compared")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("what", "change"):
        table.add_column(name, no_wrap=True)
    for name in ("count", "of", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    for kind in diff.kinds:
        table.add_row(kind.what, kind.change, f"{kind.count:,}", f"{kind.of:,}", f"{kind.share:.1%}")
    console.print(table)
    for kind in (k for k in diff.kinds if k.examples):
        console.print(Text(f"\n{kind.what} {kind.change}", "bold"))
        for example in kind.examples:
            _draw_example(example, console)


def _draw_example(example: Example, console: Console) -> None:
    named = " · ".join(filter(None, (example.title, example.about, example.article_id)))
    console.print(Text(f"  {named}"))
    for line in example.changes or (f"{_shown(example.old)} → {_shown(example.new)}",):
        console.print(Text(f"    {line}"))


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value or "empty"
