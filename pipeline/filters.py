"""The stages as filters: JSON lines in, one JSON line out for each, in order. I/O: reads the files that lines name.

No line stops a stream: what cannot be handled is answered with `error`. Each answer is given before the next line is
read, so that a program can use a filter as a coprocess. Files are read and taken apart in a worker that can be killed.
"""

import gzip
import json
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError, WorkerKilled
from pipeline.isolate import Workers
from schemas.article import Reading, Unreadable
from schemas.feed import DateQuality, ParsedEntry, ParsedFeed
from schemas.tag import CompanyTag, Link, Span, Tags, Verdict

Lines = Iterable[str | bytes]
Row = dict[str, Any]

BYTE_CAP = 30_000_000
_SURROGATES = re.compile("[\ud800-\udfff]")
_RAW_BYTES = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are not UTF-8


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def parse_lines(lines: Lines, now: Callable[[], datetime] = _wall_clock) -> Iterator[bytes]:
    """`{path, url}` to `{path, feed, entries}`; dates are judged as if the feed had come in at `now()`."""
    with Workers(count=1) as workers:
        yield from _answers(lines, lambda row: _isolated(workers, parse_file, _path(row), _text(row, "url"), now()))


def read_lines(lines: Lines) -> Iterator[bytes]:
    """`{path, url, feed?}` to the article on that page; a `feed` with title or published helps where the page is silent."""
    with Workers(count=1) as workers:
        yield from _answers(lines, lambda row: _isolated(workers, read_file, _path(row), _text(row, "url"), _hint(row)))


def dedupe_lines(lines: Lines, *, final: bool = False) -> Iterator[bytes]:
    """`{id, seen_at, source, language, title, text}` to what each is a copy or an update of.

    With `final`, all answers come after the last line, each as it stands once everything is known.
    """
    from pipeline.dedupe import Memory

    memory = Memory()

    def relate(row: Row) -> Row:
        answer = memory.relate(
            id=_id(row),
            seen_at=_moment(_text(row, "seen_at")),
            source=_text(row, "source"),
            language=_maybe(row, "language"),
            title=_text(row, "title"),
            text=_text(row, "text"),
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
        id_, title, text, language = _id(row), _text(row, "title"), _text(row, "text"), _maybe(row, "language")
        tags = tagger.tag(title, text, language, promotion_spans(title, text, language), _targets(row))
        return {"id": id_, **_tags_row(tags)}

    yield from _answers(lines, tag)


def _answers(lines: Lines, answer: Callable[[Row], Row]) -> Iterator[bytes]:
    return map(orjson.dumps, _rows(lines, answer))


def _rows(lines: Lines, answer: Callable[[Row], Row]) -> Iterator[Row]:
    for line in lines:
        echo: Row = {}
        try:
            row, problem = _object(line)
            echo = _echo(row)
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


def parse_file(path: str, url: str, received_at: datetime) -> Row:
    """The answer of `parse` for one file; runs in a worker."""
    from pipeline.parse import parse_feed

    parsed = parse_feed(_unpacked(path), url, received_at=received_at)
    return {"path": path, **(_refusal(parsed) if isinstance(parsed, Unreadable) else _feed_row(parsed))}


def read_file(path: str, url: str, hint: Row) -> Row:
    """The answer of `read` for one file; runs in a worker."""
    from pipeline.read import read_page, read_text

    body = _unpacked(path)
    if path.removesuffix(".gz").endswith(".txt"):
        reading: Reading | Unreadable = read_text(body.decode("utf-8-sig", "replace"), url)
    else:
        reading = read_page(body, url, language=_maybe(hint, "language"))
    row = _refusal(reading) if isinstance(reading, Unreadable) else _reading_row(_completed(reading, hint))
    return {"path": path, "url": url, **row}


def _unpacked(path: str) -> bytes:
    """The bytes of a file, unpacked where its name ends in .gz."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
            raise InputError(f"cannot read {path!r}: not a file")
        with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
            body = file.read(BYTE_CAP + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"cannot read {path!r}: {error}") from error
    if len(body) > BYTE_CAP:
        raise InputError(f"cannot read {path!r}: more than {BYTE_CAP} bytes once unpacked")
    return body


def _completed(reading: Reading, hint: Row) -> Reading:
    """The reading, with what the feed said where the page says nothing."""
    title, published = _maybe(hint, "title"), _maybe(hint, "published_at") or _maybe(hint, "published")
    if title and not reading.title:
        reading = replace(reading, title=title)
    if published and not reading.published_at:
        with suppress(InputError):
            precision = "day" if len(published) == 10 else "second"
            published_at = _moment(published)
            reading = replace(reading, published_at=published_at, published_precision=precision, published_basis="feed")
    return reading


# --- what a line says


def _object(line: str | bytes) -> tuple[Row, str | None]:
    """The object on a line as far as it can be read, and what is wrong with the line."""
    problem = None
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row, problem = _salvaged(line, f"not a line of JSON: {error}")
    if isinstance(row, dict):
        return row, problem
    return {}, problem or "not a JSON object"


def _salvaged(line: str | bytes, problem: str) -> tuple[Any, str | None]:
    """A second look at a line: one that is not UTF-8 still says whose it is; half a surrogate pair or NaN breaks nothing.

    A lone half, which JSON can write and UTF-8 cannot, becomes U+FFFD, so that all offsets stay.
    """
    text = line if isinstance(line, str) else line.decode("utf-8-sig", "surrogateescape")
    bytes_left = not isinstance(line, str) and _RAW_BYTES.search(text)
    try:
        row = json.loads(text, parse_constant=lambda _: None)
        written = json.dumps(row, ensure_ascii=False)
        return orjson.loads(_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", written)), problem if bytes_left else None
    except (ValueError, RecursionError):
        return None, problem


def _echo(row: Row) -> Row:
    """The id and the path as they were given, unless they are nested too deep to be written."""
    echo: Row = {}
    for key in ("id", "path"):
        if key in row:
            with suppress(orjson.JSONEncodeError):
                orjson.dumps(row[key])
                echo[key] = row[key]
    return echo


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise InputError(f"{key!r} is missing" if key not in row else f"{key!r} is not a string")
    return value


def _maybe(row: Row, key: str) -> str | None:
    return None if row.get(key) is None else _text(row, key)


def _id(row: Row) -> Any:
    """The id as given, a string or a number, to be echoed as it is."""
    id_ = row.get("id")
    return id_ if isinstance(id_, int) and not isinstance(id_, bool) else _text(row, "id")


def _path(row: Row) -> str:
    path = _text(row, "path")
    if not path:
        raise InputError("'path' is empty")
    return path


def _hint(row: Row) -> Row:
    hint = row.get("feed")
    return {key: value for key, value in hint.items() if isinstance(value, str)} if isinstance(hint, dict) else {}


def _moment(value: str) -> datetime:
    """A time of RFC 3339, or a bare date, which is read as its midnight in UTC."""
    try:
        moment = datetime.fromisoformat(f"{value}T00:00:00Z" if len(value) == 10 else value)
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"not a time of RFC 3339: {value!r}")


def _targets(row: Row) -> tuple[Span, ...]:
    """The spans to be scored. One that is empty or reaches beyond its field has nothing said of it, and is answered so."""
    targets = row.get("targets") or []
    try:
        spans = tuple(Span(field=target["field"], start=target["start"], end=target["end"]) for target in targets)
    except (TypeError, KeyError) as error:
        raise InputError("'targets' is not a list of {field, start, end}") from error
    if not all(span.field in ("title", "text") and type(span.start) is type(span.end) is int for span in spans):
        raise InputError("'targets' has a field that is not title or text, or an offset that is no whole number")
    return spans


# --- what is answered


def _refusal(unreadable: Unreadable) -> Row:
    return {"error": f"{unreadable.code}: {unreadable.detail}", "code": str(unreadable.code)}


def _stamp(moment: datetime | None, *, day_only: bool = False) -> str | None:
    if moment is None:
        return None
    return moment.strftime("%Y-%m-%d") if day_only else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _feed_row(feed: ParsedFeed) -> Row:
    head = {key: getattr(feed, key) for key in ("title", "language", "url", "version", "ttl_minutes", "dropped", "problem")}
    return {"feed": head, "entries": [_entry_row(entry) for entry in feed.entries]}


def _entry_row(entry: ParsedEntry) -> Row:
    return {
        "id": entry.key,
        "key_basis": entry.key_basis,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "authors": entry.authors,
        "keywords": entry.keywords,
        "published_at": _stamp(entry.published_at, day_only=entry.date_quality is DateQuality.DAY),
        "published_raw": entry.published_raw,
        "date_quality": entry.date_quality,
        "updated_at": _stamp(entry.updated_at),
    }


def _reading_row(reading: Reading) -> Row:
    return {
        "title": reading.title,
        "text": reading.text,
        "blocks": reading.blocks,
        "promo": reading.promo,
        "published_at": _stamp(reading.published_at, day_only=reading.published_precision == "day"),
        "published_precision": reading.published_precision,
        "published_basis": reading.published_basis,
        "authors": reading.authors,
        "language": reading.language,
        "canonical_url": reading.canonical_url,
        "access": reading.access,
        "genre": reading.genre,
        "opt_out": reading.opt_out,
    }


def _tags_row(tags: Tags) -> Row:
    return {
        "mentions": [_link_row(link) for link in tags.links],
        "companies": [_company_row(company) for company in tags.companies],
        "targets": [_verdict_row(verdict) for verdict in tags.targets],
        "article": _verdict_row(tags.article) if tags.article else None,
    }


def _link_row(link: Link) -> Row:
    fields = ("company_id", "name", "field", "start", "end", "surface", "link_score", "role", "in_ad", "alias_kind")
    return {field: getattr(link, field) for field in fields}


def _company_row(company: CompanyTag) -> Row:
    fields = ("company_id", "name", "relevance", "in_headline")
    return {**{field: getattr(company, field) for field in fields}, **_verdict_row(company.verdict)}


def _verdict_row(verdict: Verdict) -> Row:
    fields = ("sentiment", "p_negative", "p_neutral", "p_positive", "mixed", "hedged", "evidence")
    return {field: getattr(verdict, field) for field in fields}
