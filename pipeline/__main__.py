"""The command line, `newsmill` or `python -m pipeline`. Turns words into settings, and errors into messages.

Exit codes: 0 done; 1 failed (the message says what and where); 2 used wrongly; 75 somebody else is writing, try again later;
130 stopped by Ctrl-C.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import duckdb
import orjson
import typer
from rich.console import Console

from pipeline import __version__
from pipeline.errors import InputError, LakeBusy, NewsmillError
from pipeline.settings import Settings

app = typer.Typer(
    help="A financial news lake that you own: feeds in, companies and sentiment with evidence out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Lake = Annotated[
    Path | None, typer.Option("--lake", envvar="NEWSMILL_LAKE", help="Directory of the lake.", show_default="run/wire/lake")
]
Json = Annotated[bool, typer.Option("--json", help="JSON, one object a line, for programs.")]
Lines = Annotated[str, typer.Argument(metavar="-", help="Standard input: one JSON object a line.")]


def _settings(lake: Path | None) -> Settings:
    environ = dict(os.environ)
    return Settings.from_env(environ if lake is None else {**environ, "NEWSMILL_LAKE": str(lake)})


@app.command()
def run(lake: Lake = None, json: Json = False) -> None:
    """One batch of every stage without Airflow: visit the feeds that are due, read, tag.

    Which feeds: NEWSMILL_CATALOGUE, else feeds.toml of the run directory, else config/feeds.toml. Example: `newsmill run`
    """
    from pipeline.run import run_once

    say = (lambda _line: None) if json else Console(highlight=False, soft_wrap=True, markup=False).print
    for report in run_once(_settings(lake), say):
        if json:
            _print_json({"batch_id": report.batch_id, "stage": report.stage, "counts": report.counts})


@app.command()
def show(
    lake: Lake = None, limit: Annotated[int, typer.Option(help="How many articles.", min=1)] = 12, json: Json = False
) -> None:
    """The newest articles with what is said of whom, and what was dropped and why. Example: `newsmill show --limit 20`"""
    from pipeline import show as shown
    from pipeline.lake import connect

    with connect(_settings(lake).lake) as con:
        if json:
            _print_json({"counts": shown.counts(con), "articles": shown.newest(con, limit), "outcomes": shown.ended(con)})
        else:
            shown.show(con, Console(), limit)


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

    with connect(_settings(lake).lake) as con:
        try:
            rows = con.sql(sys.stdin.read() if query == "-" else query)
        except duckdb.Error as e:
            raise InputError(str(e)) from None
        if rows is None:
            return
        try:
            _print_rows(rows, json=json, csv=csv)
        except duckdb.Error as e:
            raise InputError(str(e)) from None


@app.command()
def wire(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 8799,
    run_dir: Annotated[Path, typer.Option(help="Where its start moment, address and catalogue are kept.")] = Path("run/wire"),
) -> None:
    """Serves the sample wire: three invented publishers to run against. Example: `newsmill wire --port 8799`"""
    from pipeline.lake.durable import write_file
    from pipeline.wire import catalogue, serve

    run_dir.mkdir(parents=True, exist_ok=True)

    def ready(address: str) -> None:
        """Leaves what other commands need to find the wire, the address last: it says that all is there."""
        at = urlsplit(address).port or port
        write_file(run_dir / "feeds.toml", catalogue(at).encode())
        write_file(run_dir / "wire-address", f"127.0.0.1:{at}\n".encode())
        told = f"the sample wire is at {address}; its catalogue is {run_dir / 'feeds.toml'}; Ctrl-C ends it"
        Console(soft_wrap=True).print(told)

    asyncio.run(serve(run_dir, port, clock=lambda: datetime.now(UTC), ready=ready))


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


def _print_rows(rows: duckdb.DuckDBPyRelation, *, json: bool, csv: bool) -> None:
    if json:
        for batch in rows.to_arrow_table().to_batches(1000):
            _print_json(*batch.to_pylist())
    elif csv:
        import pyarrow.csv

        pyarrow.csv.write_csv(_flat(rows).to_arrow_table(), sys.stdout.buffer)
    else:
        rows.show(max_width=shutil.get_terminal_size().columns, max_rows=200)


def _flat(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Lists and structs as text: CSV has none."""
    nested = [str(t).endswith("]") or str(t).startswith("STRUCT") for t in rows.types]
    columns = (f'"{c}"::VARCHAR AS "{c}"' if deep else f'"{c}"' for c, deep in zip(rows.columns, nested, strict=True))
    return rows.project(", ".join(columns))


def _print_json(*records: Any) -> None:
    for record in records:
        sys.stdout.buffer.write(orjson.dumps(record, default=_plain, option=orjson.OPT_UTC_Z) + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: Any) -> Any:
    """What JSON has no form for: bytes as hex digits, an interval in its three parts, the rest as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and hasattr(value, "nanoseconds"):
        return {"months": value.months, "days": value.days, "seconds": value.nanoseconds / 1e9}  # type: ignore[attr-defined]
    return str(value)


def _fail(message: object, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]newsmill:[/red] {message}")
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
