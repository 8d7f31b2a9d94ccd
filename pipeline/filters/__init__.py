"""The stages as filters: JSON lines in, one JSON line out for each, in order. I/O: reads the files that lines name (`files`).

No line stops a stream: what cannot be handled is answered with `error`. Each answer is given before the next line is
read, so that a program can use a filter as a coprocess. Files are read and taken apart in a worker that can be killed.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.errors import InputError, WorkerKilled
from pipeline.filters import answered, said
from pipeline.filters.files import parse_file, read_file
from pipeline.filters.said import Row
from pipeline.isolate import Workers

Lines = Iterable[str | bytes]


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def parse_lines(lines: Lines, now: Callable[[], datetime] = _wall_clock) -> Iterator[bytes]:
    """`{path, url}` to `{path, feed, entries}`; dates are judged as if the feed had come in at `now()`."""
    with Workers(count=1) as workers:
        yield from _answers(lines, lambda row: _isolated(workers, parse_file, said.path(row), said.text(row, "url"), now()))


def read_lines(lines: Lines) -> Iterator[bytes]:
    """`{path, url, feed?}` to the article on that page; a `feed` with title or published helps where the page is silent."""
    with Workers(count=1) as workers:
        yield from _answers(
            lines, lambda row: _isolated(workers, read_file, said.path(row), said.text(row, "url"), said.hint(row))
        )


def dedupe_lines(lines: Lines, *, final: bool = False) -> Iterator[bytes]:
    """`{id, seen_at, source, language, title, text}` to what each is a copy or an update of.

    With `final`, all answers come after the last line, each as it stands once everything is known.
    """
    from pipeline.dedupe import Memory

    memory = Memory()

    def relate(row: Row) -> Row:
        answer = memory.relate(
            id=said.id(row),
            seen_at=said.moment(said.text(row, "seen_at")),
            source=said.text(row, "source"),
            language=said.maybe(row, "language"),
            title=said.text(row, "title"),
            text=said.text(row, "text"),
        )
        return {"answer": answer}

    def shown(row: Row) -> bytes:
        return orjson.dumps(row.get("answer", row))

    rows = _rows(lines, relate)
    if not final:
        yield from map(shown, rows)
        return
    first_words = list(rows)
    last_words = iter(memory.final())
    yield from (orjson.dumps(next(last_words)) if "answer" in row else shown(row) for row in first_words)


def tag_lines(lines: Lines) -> Iterator[bytes]:
    """`{id, title, text, language?, targets?}` to the companies named, what is said of them, and of the targets."""
    from pipeline.read import promotion_spans
    from pipeline.tag import Tagger

    tagger = Tagger.load()

    def tag(row: Row) -> Row:
        id_, title, text, language = said.id(row), said.text(row, "title"), said.text(row, "text"), said.maybe(row, "language")
        tags = tagger.tag(title, text, language, promotion_spans(title, text, language), said.targets(row))
        return {"id": id_, **answered.tags(tags)}

    yield from _answers(lines, tag)


def _answers(lines: Lines, answer: Callable[[Row], Row]) -> Iterator[bytes]:
    return map(orjson.dumps, _rows(lines, answer))


def _rows(lines: Lines, answer: Callable[[Row], Row]) -> Iterator[Row]:
    for line in lines:
        echo: Row = {}
        try:
            row, problem = said.object_of(line)
            echo = said.echo(row)
            if problem:
                raise InputError(problem)
            result = answer(row)
            orjson.dumps(result)
        except (InputError, WorkerKilled) as error:
            result = {**echo, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - a bug that one line meets is shown there and must not cost the others
            result = {**echo, "error": f"internal: {type(error).__name__}: {error}".encode("utf-8", "replace").decode()}
        yield result


def _isolated(workers: Workers, fn: Callable[..., Row], *args: Any) -> Row:
    # One call at a time: looking ahead would read the next line before this one is answered.
    result = next(workers.map(fn, [args]))
    if isinstance(result, WorkerKilled):
        raise result
    return result
