"""The commands `newsmill parse | read | dedupe | tag -`: the stages as filters. I/O on standard streams."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import typer

from pipeline.errors import InputError

app = typer.Typer(rich_markup_mode="markdown")

FILTERS = "Filters: JSON lines in, JSON lines out"

Lines = Annotated[str, typer.Argument(metavar="-", help="Standard input: one JSON object a line.")]


@app.command(rich_help_panel=FILTERS)
def parse(lines: Lines) -> None:
    """Filter: `{path, url}` of a feed's bytes in, the feed and its entries out.

    Example: `echo '{"path": "feed.xml", "url": "https://a.example/feed"}' | newsmill parse -`
    """
    from pipeline.filters import parse_lines

    _filter(lines, parse_lines)


@app.command(rich_help_panel=FILTERS)
def read(lines: Lines) -> None:
    """Filter: `{path, url}` of a page in, the article out, promotion set apart.

    Example: `echo '{"path": "page.html", "url": "https://a.example/1"}' | newsmill read -`
    """
    from pipeline.filters import read_lines

    _filter(lines, read_lines)


@app.command(rich_help_panel=FILTERS)
def dedupe(
    lines: Lines,
    final: Annotated[bool, typer.Option("--final", help="Answer after the last line, each answer the last word.")] = False,
) -> None:
    """Filter: `{id, seen_at, source, language, title, text}` in, what each is a copy or an update of out.

    Example: `newsmill dedupe - --final < articles.jsonl`
    """
    from pipeline.filters import dedupe_lines

    _filter(lines, lambda rows: dedupe_lines(rows, final=final))


@app.command(rich_help_panel=FILTERS)
def tag(lines: Lines) -> None:
    """Filter: `{id, title, text, language}` in, companies and what is said of them out, with evidence.

    Example: `echo '{"id": 1, "title": "Siemens hebt Prognose an, Bayer warnt", "text": ""}' | newsmill tag -`
    """
    from pipeline.filters import tag_lines

    _filter(lines, tag_lines)


def _filter(lines: str, answers: Callable[[Iterable[bytes]], Iterator[bytes]]) -> None:
    """Answers standard input line by line; each answer is out before the next line is waited for."""
    if lines != "-":
        raise InputError(
            f"{lines!r}: a filter reads standard input; give it as -, for example: newsmill parse - < questions.jsonl"
        )
    for answer in answers(iter(sys.stdin.buffer.readline, b"")):
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()
