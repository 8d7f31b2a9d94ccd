"""The commands `newsmill lake replay` and `newsmill lake diff`: a lake made anew by the code of today, and what that changed."""

from contextlib import ExitStack
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.errors import InputError
from pipeline.exits import DIFFERENT
from pipeline.rows_out import Csv, Way, give
from pipeline.terminal import Json, Lake, busy, print_json, settings, watched

app = typer.Typer(rich_markup_mode="markdown")

Since = Annotated[datetime | None, typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="The first day, like 2026-11-23.")]
Until = Annotated[datetime | None, typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="The last day.")]


@app.command()
def replay(
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Directory of the new lake, empty or not there yet.")],
    since: Since = None,
    until: Until = None,
    lake: Lake = None,
    json: Json = False,
) -> None:
    """Makes a new lake from the raw bytes of an old one, with the code of today.

    Example: `newsmill lake replay run/again`, or some days of it: `newsmill lake replay run/some --since 2026-01-01`

    The old lake, named by `--lake`, is only read, and no server is asked. Without `--since` it begins with the first day that has
    raw bytes; days before, and batches without them, are carried over as they were. Broken off, it goes on when called again.
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.run import Days, replay_days

    first, last = _span(since, until)
    with watched() as watch:
        done = replay_days(settings(lake), Directory(new), Days(first, last or date.max), watch)
    if json:
        print_json(asdict(done))
    else:
        Console(highlight=False, soft_wrap=True, markup=False).print(str(done))


@app.command()
def diff(  # noqa: PLR0913, PLR0917 - what may be said to a command
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Directory of one lake.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Directory of the other.")],
    since: Since = None,
    until: Until = None,
    examples: Annotated[int, typer.Option(help="How many examples of each kind.", min=0, max=1000)] = 3,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """What differs between two lakes over the same days: articles, texts, promotion, companies, sentiment, outcomes.

    Example: `newsmill lake diff run/lake COPY`, and every difference as a row: `newsmill lake diff run/lake COPY --csv`

    Ends with 0 where they are equal, with 3 where they differ. Without `--since` and `--until`: the days that both have.
    """
    from pipeline.lake.diff import compared, differences, draw
    from pipeline.lake.layout import Lake as Directory

    way = Way(json=json, csv=csv)
    with ExitStack() as stack:
        with busy("comparing"):
            con = stack.enter_context(compared(Directory(old), Directory(new), *_span(since, until)))
            found = differences(con, 0 if csv else examples)
        if csv:
            give(con, con.sql("FROM differences ORDER BY ALL"), way)
    if json:
        print_json({"since": found.since, "until": found.until, "compared": found.bases})
        print_json(*({**asdict(kind), "share": kind.share} for kind in found.kinds))
    elif not csv:
        draw(found, Console(highlight=False, soft_wrap=True))
    if found.kinds:
        raise typer.Exit(DIFFERENT)


def _span(since: datetime | None, until: datetime | None) -> tuple[date | None, date | None]:
    first, last = since and since.date(), until and until.date()
    if first and last and first > last:
        raise InputError(f"--since {first} is after --until {last}; a span begins before it ends")
    return first, last
