"""The command line, `newsmill` or `python -m pipeline`. Turns words into settings, and errors into messages (`exits.py`)."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from pipeline import __version__
from pipeline.company_commands import app as companies_app
from pipeline.errors import InputError
from pipeline.exits import STOPPED, leave
from pipeline.feed_commands import app as feeds_app
from pipeline.filter_commands import app as filters_app
from pipeline.health_command import app as health_app
from pipeline.lake_commands import app as lake_app
from pipeline.push_command import push
from pipeline.replay_commands import app as replay_app
from pipeline.rows_out import Csv, Excel, Force, Parquet, Way, give, give_records
from pipeline.search_command import search
from pipeline.shell import answer_each, views
from pipeline.terminal import Json, Lake, busy, print_json, settings, watched

_EXIT_CODES = """
**Exit codes**: 0 done · 1 failed, or nothing found, or something wrong with the lake · 2 used wrongly · 3 two lakes differ, or
`health` has alarms · 70 unforeseen, with where the details are · 75 somebody else is writing, try again later ·
130 stopped by Ctrl-C
"""

app = typer.Typer(
    help="A financial news lake that you own: feeds in, companies and sentiment with evidence out.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

ASK, RUN, KEEP = "Ask", "Run", "Look after"


@app.command(rich_help_panel=RUN)
def run(lake: Lake = None, json: Json = False) -> None:
    """One batch of every stage without Airflow: visit the feeds that are due, read, tag.

    Which feeds: NEWSMILL_CATALOGUE, else the run directory's feeds.toml, else ./feeds.toml, made by `newsmill feeds add`.

    Example: `newsmill run`
    """
    from pipeline.feeds import nothing_on
    from pipeline.run import run_once

    if why_idle := nothing_on(settings(lake).catalogue):
        Console(emoji=False, stderr=True, highlight=False, soft_wrap=True, markup=False).print(why_idle)
    say = (lambda _line: None) if json else Console(emoji=False, highlight=False, soft_wrap=True, markup=False).print
    with watched() as watch:
        reports = run_once(settings(lake), say, watch=watch)
    if json:
        print_json(*({"batch_id": report.batch_id, "stage": report.stage, "counts": report.counts} for report in reports))


@app.command(rich_help_panel=ASK)
def show(
    lake: Lake = None,
    limit: Annotated[int, typer.Option(help="How many articles.", min=1)] = 12,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """The newest articles with what is said of whom, and what was dropped and why.

    Example: `newsmill show --limit 20`; with --csv the articles alone: `newsmill show --csv > newest.csv`
    """
    from pipeline import show as shown
    from pipeline.lake import connect

    way = Way(json=json, csv=csv)
    with connect(settings(lake).lake) as con:
        if csv:
            give_records(shown.newest(con, limit), way)
        elif json:
            print_json({"counts": shown.counts(con), "articles": shown.newest(con, limit), "outcomes": shown.ended(con)})
        else:
            shown.show(con, Console(emoji=False), limit)


@app.command(rich_help_panel=ASK)
def tour(
    lake: Lake = None,
    command: Annotated[str, typer.Option(help="How you call Newsmill, in what is to be copied.")] = "newsmill",
) -> None:
    """What the lake holds, in two screens.

    Example: `newsmill tour`

    A company by day, a story and its copies, an article and its evidence, and three questions to copy.
    """
    from pipeline.lake import connect
    from pipeline.tour import tour as show_around

    with connect(settings(lake).lake) as con:
        show_around(con, Console(emoji=False, highlight=False), command)


@app.command(rich_help_panel=ASK)
def why(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An id (a_… v_… e_… p_… t_… f_…), the first 6 or more characters of one, or an address."
        ),
    ],
    lake: Lake = None,
    json: Json = False,
) -> None:
    """The whole way of one article: visits, fetches, versions, copies, and the words each score rests on.

    Example: `newsmill why a_5e1f0c`; ids come from `newsmill sql "select article_id, title from articles"`
    """
    from pipeline.lake import connect
    from pipeline.why import find, present, trail

    with connect(settings(lake).lake) as con:
        way = trail(con, find(con, asked))
    if json:
        print_json(way)
    else:
        present(way, Console(emoji=False, highlight=False))


@app.command(rich_help_panel=ASK)
def sql(  # noqa: PLR0913, PLR0917 - what may be said to a command
    query: Annotated[str, typer.Argument(help="DuckDB statements; - reads them from standard input.", autocompletion=views)],
    lake: Lake = None,
    json: Json = False,
    csv: Csv = False,
    excel: Excel = None,
    parquet: Parquet = None,
    force: Force = False,
    safe: Annotated[
        bool, typer.Option("--safe", help="Of a stranger: nothing but the lake is read, and it ends in time.")
    ] = False,
) -> None:
    """Asks the lake.

    Example: `newsmill sql "select code, count(*) from outcomes group by 1"`

    Views: articles, stories, mentions, sentiments, evidence, company_day, companies, outcomes, feed_status, …; every row ever
    written in schema lake. docs/data-dictionary.md describes them.

    SQL that somebody else wrote: `newsmill sql --safe "from articles limit 5"`, in a process that can do nothing else (Linux).

    Into files: `newsmill sql "from mentions" --excel mentions.xlsx` and `newsmill sql "from articles" --parquet articles.parquet`
    """
    from pipeline.lake import connect

    way = Way(json=json, csv=csv, excel=excel, parquet=parquet, force=force)
    asked = sys.stdin.read() if query == "-" else query
    if safe:
        _give_safely(settings(lake).lake, asked, way)
        return
    with connect(settings(lake).lake) as con:
        if not answer_each(con, asked, way):
            raise InputError('no statement: `newsmill sql "from articles limit 5"`, or `newsmill shell`')


def _give_safely(lake: Path, asked: str, way: Way) -> None:
    import duckdb

    from pipeline.untrusted import ask

    with busy("asking the lake"):
        found = ask(lake, asked)
    if b"newsmill.cut" in (found.schema.metadata or {}):
        Console(stderr=True, highlight=False).print(f"the first {found.num_rows:,} rows; there are more")
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        give(con, con.from_arrow(found), way)


@app.command(rich_help_panel=ASK)
def shell(lake: Lake = None) -> None:
    """A prompt for many questions: DuckDB's own where it is installed.

    Example: `newsmill shell`, or from a file: `newsmill shell < questions.sql`
    """
    from pipeline.shell import shell as converse

    converse(settings(lake).lake)


@app.command(rich_help_panel=RUN)
def wire(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 8799,
    run_dir: Annotated[Path, typer.Option(help="Where its start moment, address and catalogue are kept.")] = Path("run/wire"),
    now: Annotated[str | None, typer.Option(help="Stop its clock at a moment, for runs to compare: 2026-11-23T14:00Z")] = None,
) -> None:
    """Serves the sample wire: five invented publishers to run against.

    Example: `newsmill wire --port 8799`
    """
    from pipeline.lake.durable import write_file
    from pipeline.wire import catalogue, serve, stopped_at

    since, clock = stopped_at(now) if now else (run_dir, lambda: datetime.now(UTC))
    run_dir.mkdir(parents=True, exist_ok=True)

    def ready(address: str) -> None:
        """Leaves what other commands need to find the wire, the address last: it says that all is there."""
        at = urlsplit(address).port or port
        write_file(run_dir / "feeds.toml", catalogue(at).encode())
        write_file(run_dir / "wire-address", f"127.0.0.1:{at}\n".encode())
        told = f"the sample wire is at {address}; its catalogue is {run_dir / 'feeds.toml'}; Ctrl-C ends it"
        Console(emoji=False, soft_wrap=True).print(told)

    asyncio.run(serve(since, port, clock=clock, ready=ready))


@app.callback(invoke_without_command=True)
def version(show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if show_version:
        typer.echo(f"newsmill {__version__}")
        raise typer.Exit


app.command(rich_help_panel=ASK)(search)
app.command(rich_help_panel=RUN)(push)
app.add_typer(filters_app)
app.add_typer(companies_app, name="companies", rich_help_panel=ASK)
app.add_typer(feeds_app, name="feeds", rich_help_panel=RUN)
lake_app.add_typer(replay_app)
app.add_typer(health_app)
app.add_typer(lake_app, name="lake", rich_help_panel=KEEP)


def main() -> None:
    """The entry point: an error is a message, never a traceback."""
    try:
        app(prog_name="newsmill")
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told of in one place
        leave(error)


if __name__ == "__main__":
    main()
