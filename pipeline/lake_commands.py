"""The commands `newsmill lake …`: the lake's days, health and history."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from pipeline.errors import InputError, NewsmillError
from pipeline.terminal import Json, Lake, busy, print_json, settings, watched

app = typer.Typer(help="The lake's days, health and history.", no_args_is_help=True, rich_markup_mode="markdown")


@app.command()
def close(
    lake: Lake = None,
    json: Json = False,
    grace_h: Annotated[float | None, typer.Option(help="Hours that what was moved stays for readers.", min=0)] = None,
) -> None:
    """Closes the days whose time has come and deletes what was moved before.

    Example: `newsmill lake close`

    A day closes at 06:00 UTC of the next. NEWSMILL_GRACE_H and NEWSMILL_RAW_DAYS say how long moved files and raw bytes stay.
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.run import close_days

    told = settings(lake)
    Directory(told.lake).check()  # a scheduled closing may come before the first batch; whoever types it named a lake
    grace = told.grace if grace_h is None else timedelta(hours=grace_h)
    with busy("closing days"):
        say = (lambda _line: None) if json else Console(emoji=False, highlight=False, soft_wrap=True).print
        report = close_days(told, say, grace=grace)
    if json:
        print_json(asdict(report))


@app.command("open")
def open_(lake: Lake = None, json: Json = False) -> None:
    """Makes news.duckdb fit where the lake lies, and says how any DuckDB opens it.

    Example: `newsmill lake open --lake COPY`

    It holds absolute paths: after a lake was copied or moved, the one in it still reads the old place.
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.views import prepare

    place = Directory(settings(lake).lake.resolve())
    place.check()
    prepare(place)
    path = place.root / "news.duckdb"
    if json:
        print_json({"path": str(path)})
    else:
        said = [f"{path} reads the lake at {place.root}; open it read-only:", f"  duckdb -readonly '{path}'"]
        said += [f"  duckdb.connect('{path}', read_only=True)", f"  ATTACH '{path}' AS news (READ_ONLY); USE news"]
        Console(emoji=False, highlight=False, soft_wrap=True, markup=False).print(*said, sep="\n")


@app.command()
def upgrade(
    lake: Lake = None,
    json: Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Brings a lake that an older Newsmill wrote to where this one can read and write it.

    Example: `newsmill lake upgrade --dry-run`

    Rows stay as they are: columns that came later are null in them. A lake written by a newer Newsmill is refused.
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.upgrade import upgrade as upgraded

    place = Directory(settings(lake).lake.resolve())
    said = upgraded(place, dry_run=dry_run)
    if json:
        print_json({"lake": str(place.root), "dry_run": dry_run, "changes": said})
    else:
        Console(highlight=False, soft_wrap=True, markup=False).print(*(said or [f"{place.root} is as of today"]), sep="\n")


@app.command()
def verify(
    lake: Lake = None,
    json: Json = False,
    raw: Annotated[bool, typer.Option("--raw", help="Also read all raw bytes; this takes longest.")] = False,
) -> None:
    """Checks files, rows and ids of the whole lake, and says how to mend what is wrong.

    Example: `newsmill lake verify`, and all raw bytes too: `newsmill lake verify --raw`

    Ends with 0 where nothing is wrong, with 1 where something is: an error (rows are lost, doubled or cannot be read), or a
    warning (something is unfinished, or is to be done).
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.retire import Rules
    from pipeline.lake.verify import print_findings
    from pipeline.lake.verify import verify as findings_of

    told = settings(lake)
    with watched() as watch:
        found = findings_of(Directory(told.lake), datetime.now(UTC), Rules(told.grace, told.raw_days), watch, raw=raw)
    if json:
        print_json(*map(asdict, found))
    else:
        print_findings(found, Console(emoji=False, highlight=False, soft_wrap=True))
    if found:
        raise typer.Exit(1)


@app.command()
def status(
    lake: Lake = None,
    json: Json = False,
    days: Annotated[int, typer.Option(help="How many days the picture shows.", min=1, max=366)] = 14,
) -> None:
    """What the lake holds, how fresh it is, how far it is closed, what is to do.

    Example: `newsmill lake status --days 30`
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.retire import Rules
    from pipeline.lake.status import draw
    from pipeline.lake.status import status as status_of

    told = settings(lake)
    found = status_of(Directory(told.lake), datetime.now(UTC), Rules(told.grace, told.raw_days), days)
    if json:
        print_json(asdict(found))
    else:
        draw(found, Console(emoji=False, highlight=False, width=100))


@app.command()
def forget(  # noqa: PLR0913, PLR0917 - what may be said to a command
    named: Annotated[
        str, typer.Argument(metavar="ID|ADDRESS|NAME", help="An article, by its id, a version's, an entry's, or by address.")
    ],
    source: Annotated[bool, typer.Option("--source", help="It names a source, or one feed: all of that goes.")] = False,
    why: Annotated[str, typer.Option(help="The reason; it is kept.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    lake: Lake = None,
    json: Json = False,
) -> None:
    """Takes an article or a source down for good.

    Example: `newsmill lake forget a_d8c63c642d19ef40b3fd --dry-run`, and then with `--why "by request"` instead.

    No view shows it any more, its words and bytes are erased from every file, and it does not come back.
    """
    from pipeline.run import Target, plan_takedown, take_down

    if not dry_run and not why.strip():
        raise InputError('say why, it is kept with the tombstone: --why "…"')
    told, target = settings(lake), Target(named, source)
    going = plan_takedown(told, target)
    say = Console(emoji=False, highlight=False, soft_wrap=True, markup=False, stderr=json).print
    say(str(going))
    erased = None
    if not dry_run:
        if not yes and going and not sys.stdin.isatty():
            raise InputError("nobody can be asked here: add --yes to take it down, or --dry-run to see what would go")
        if not yes and going:
            _confirm(to_stderr=json)
        erased = take_down(told, target, why)
        say(str(erased or "nothing was left to erase"))
    if json:
        print_json({**asdict(going), "erased": erased and asdict(erased)})


def _confirm(*, to_stderr: bool) -> None:
    try:
        if typer.confirm("take it down? it cannot be had back", err=to_stderr):
            return
    except typer.Abort:  # what typer makes of Ctrl-C and Ctrl-D at a question
        raise KeyboardInterrupt from None
    raise NewsmillError("not confirmed: nothing was taken down")
