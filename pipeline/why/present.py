"""Prints the way of one article for people: batch by batch, in order of time."""

from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from pipeline.why.steps import Step, article_steps, count, entry_steps, outcome_style, standing, time, visit_step

Row = dict[str, Any]

_STAGES = ("push", "pull", "read", "tag")


def present(found: Row, console: Console) -> None:
    """Prints what `trail` gathered: the whole way, or the list to choose from."""
    if "choose" in found:
        _present_choice(found, console)
        return
    console.print(_head(found))
    plain = console.color_system is None
    steps = [*entry_steps(found["entries"]), *article_steps(found["keys"], found["versions"], found["asked"], plain=plain)]
    _present_batches(steps, found["asked"], console)


def _present_batches(steps: list[Step], asked: str, console: Console) -> None:
    batches: dict[tuple[datetime, int, str], list[Step]] = {}
    for step in steps:
        batch = step.row["available_at"], _STAGES.index(step.row["stage"]), step.row["batch_id"]
        batches.setdefault(batch, []).append(step)
    for (available_at, stage, batch_id), of_batch in sorted(batches.items(), key=lambda batch: batch[0]):
        since = f"in the lake from {time(available_at)}, by Newsmill {of_batch[0].row['pipeline_version']}"
        console.print(Text.assemble("\nbatch ", (f"{batch_id}-{_STAGES[stage]}", "bold"), (f"  {since}", "dim")))
        # what has no moment of its own follows from what was tried
        console.print(_table(sorted(of_batch, key=lambda step: step.at or available_at), asked))


def _table(steps: list[Step], asked: str) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, style="dim", min_width=14)
    table.add_column(no_wrap=True, style="cyan", min_width=9)
    table.add_column(overflow="fold")
    for step in steps:
        first, *rest = step.lines
        if step.id and isinstance(first, Text):
            first = Text.assemble((f"{step.id} ", "dim"), first, ("  ◀ asked for", "bold") if step.id == asked else "")
        table.add_row(time(step.at)[5:] if step.at else "", step.word, Group(first, *rest))
    return table


def _head(found: Row) -> Text:
    """What it is and how it stands now."""
    entries, versions = found["entries"], found["versions"]
    if not versions:
        last = entries[-1]["revisions"][-1]
        attempt = last["attempts"][-1] if last["attempts"] else None
        now = f"no article, {attempt['code']}: {standing(attempt)}" if attempt else "no article yet, waiting to be read"
        return _lines(last["title"], last["url"] or "no link", f"{last['entry_id']} of {last['source']}: {now}")
    now = next((v for v in versions if not v["superseded"]), versions[-1])
    feeds = ", ".join(dict.fromkeys(e["feed_id"] for e in entries))
    originals, copies = (
        [r["other"]["article_id"] for r in now["relations"][end] if r["kind"] == "duplicate_of" and not r["other"]["superseded"]]
        for end in ("earlier", "later")
    )
    facts = [count(len(versions), "version"), f"{count(len(entries), 'entry', 'entries')} of {feeds}"]
    facts += [f"copy of {article}" for article in originals] + ([count(len(copies), "copy", "copies")] if copies else [])
    return _lines(now["title"], now["url"] or "no page", f"{found['article_id']} of {now['source']}: {', '.join(facts)}")


def _lines(title: str, url: str, facts: str) -> Text:
    return Text("\n").join([Text(title, "bold"), Text(url), Text(facts), Text("times are UTC", "dim")])


def _present_choice(found: Row, console: Console) -> None:
    """The entries it leads to, each with the article that came of it."""
    if found["visit"]:
        console.print(Text("times are UTC", "dim"))
        _present_batches([visit_step(found["visit"])], found["asked"], console)
    leads_to = "to these; `newsmill why ID` tells the way of one" if found["choose"] else "to no entry that was new or changed"
    console.print(Text(f"\n{found['asked']} leads {leads_to}"))
    table = Table.grid(padding=(0, 2))
    for row in found["choose"]:
        outcome = Text(row["code"], outcome_style(row))
        table.add_row(row["article_id"] or row["entry_id"], outcome, Text(row["title"]))
    console.print(table)
