"""The command line, `newsmill` or `python -m pipeline`. Turns words into settings, and errors into messages.

Exit codes: 0 done; 1 failed (the message says what and where), or `lake verify` found something; 2 used wrongly; 75 somebody else
is writing, try again later; 130 stopped by Ctrl-C.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import duckdb
import typer
from rich.console import Console
from rich.markup import escape

from pipeline import __version__
from pipeline.errors import InputError, LakeBusy, NewsmillError
from pipeline.feed_commands import app as feeds_app
from pipeline.lake_commands import app as lake_app
from pipeline.terminal import Json, Lake, print_json, print_rows, settings

app = typer.Typer(
    help="A financial news lake that you own: feeds in, companies and sentiment with evidence out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.add_typer(feeds_app, name="feeds")
app.add_typer(lake_app, name="lake")

Lines = Annotated[str, typer.Argument(metavar="-", help="Standard input: one JSON object a line.")]


@app.command()
def run(lake: Lake = None, json: Json = False) -> None:
    """One batch of every stage without Airflow: visit the feeds that are due, read, tag.

    Which feeds: NEWSMILL_CATALOGUE, else the run directory's feeds.toml, else ./feeds.toml, made by `newsmill feeds add`.
    Example: `newsmill run`
    """
    from pipeline.feeds import nothing_on
    from pipeline.run import run_once

    if why_idle := nothing_on(settings(lake).catalogue):
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(why_idle)
    say = (lambda _line: None) if json else Console(highlight=False, soft_wrap=True, markup=False).print
    for report in run_once(settings(lake), say):
        if json:
            print_json({"batch_id": report.batch_id, "stage": report.stage, "counts": report.counts})


@app.command()
def show(
    lake: Lake = None, limit: Annotated[int, typer.Option(help="How many articles.", min=1)] = 12, json: Json = False
) -> None:
    """The newest articles with what is said of whom, and what was dropped and why. Example: `newsmill show --limit 20`"""
    from pipeline import show as shown
    from pipeline.lake import connect

    with connect(settings(lake).lake) as con:
        if json:
            print_json({"counts": shown.counts(con), "articles": shown.newest(con, limit), "outcomes": shown.ended(con)})
        else:
            shown.show(con, Console(), limit)


@app.command()
def tour(
    lake: Lake = None,
    command: Annotated[str, typer.Option(help="How you call Newsmill, in what is to be copied.")] = "newsmill",
) -> None:
    """What the lake holds, in two screens. Example: `newsmill tour`

    A company by day, a story and its copies, an article and its evidence, and three questions to copy.
    """
    from pipeline.lake import connect
    from pipeline.tour import tour as show_around

    with connect(settings(lake).lake) as con:
        show_around(con, Console(highlight=False), command)


@app.command()
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
        present(way, Console(highlight=False))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A DuckDB statement; - reads it from standard input.")],
    lake: Lake = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV with a header, for spreadsheets.")] = False,
) -> None:
    """Asks the lake. Example: `newsmill sql "select code, count(*) from outcomes group by 1"`

    Views: articles, mentions, sentiments, evidence, companies, outcomes, feeds; every row ever written in schema lake.
    """
    from pipeline.lake import connect

    with connect(settings(lake).lake) as con:
        try:
            rows = con.sql(sys.stdin.read() if query == "-" else query)
        except duckdb.Error as e:
            raise InputError(str(e)) from None
        if rows is None:
            return
        try:
            print_rows(rows, json=json, csv=csv)
        except duckdb.Error as e:
            raise InputError(str(e)) from None


@app.command()
def wire(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 8799,
    run_dir: Annotated[Path, typer.Option(help="Where its start moment, address and catalogue are kept.")] = Path("run/wire"),
    now: Annotated[str | None, typer.Option(help="Stop its clock at a moment, for runs to compare: 2026-11-23T14:00Z")] = None,
) -> None:
    """Serves the sample wire: five invented publishers to run against. Example: `newsmill wire --port 8799`"""
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
        Console(soft_wrap=True).print(told)

    asyncio.run(serve(since, port, clock=clock, ready=ready))


@app.command()
def parse(lines: Lines) -> None:
    """Filter: `{path, url}` of a feed's bytes in, the feed and its entries out."""
    from pipeline.filters import parse_lines

    _filter(lines, parse_lines)


@app.command()
def read(lines: Lines) -> None:
    """Filter: `{path, url}` of a page in, the article out, promotion set apart."""
    from pipeline.filters import read_lines

    _filter(lines, read_lines)


@app.command()
def dedupe(
    lines: Lines,
    final: Annotated[bool, typer.Option("--final", help="Answer after the last line, each answer the last word.")] = False,
) -> None:
    """Filter: `{id, seen_at, source, language, title, text}` in, what each is a copy or an update of out."""
    from pipeline.filters import dedupe_lines

    _filter(lines, lambda rows: dedupe_lines(rows, final=final))


@app.command()
def tag(lines: Lines) -> None:
    """Filter: `{id, title, text, language}` in, companies and what is said of them out, with evidence."""
    from pipeline.filters import tag_lines

    _filter(lines, tag_lines)


@app.callback(invoke_without_command=True)
def version(show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if show_version:
        typer.echo(f"newsmill {__version__}")
        raise typer.Exit


def _filter(lines: str, answers: Callable[[Iterable[bytes]], Iterator[bytes]]) -> None:
    """Answers standard input line by line; each answer is out before the next line is waited for."""
    if lines != "-":
        raise InputError(
            f"{lines!r}: a filter reads standard input; give it as -, for example: newsmill parse - < questions.jsonl"
        )
    for answer in answers(iter(sys.stdin.buffer.readline, b"")):
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()


def _fail(message: object, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]newsmill:[/red] {escape(str(message))}")
    sys.exit(code)


def main() -> None:
    """The entry point: every error a user can cause is one line, never a traceback."""
    try:
        app()
    except InputError as e:
        _fail(e, 2)
    except LakeBusy as e:
        _fail(e, 75)
    except NewsmillError as e:
        _fail(e, 1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
