"""What a line of a filter's input says: its object, and the values in it by their names. Pure."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.errors import InputError
from schemas.tag import Span

Row = dict[str, Any]

_SURROGATES = re.compile("[\ud800-\udfff]")
_RAW_BYTES = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are not UTF-8


def object_of(line: str | bytes) -> tuple[Row, str | None]:
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


def echo(row: Row) -> Row:
    """The id and the path as they were given, unless they are nested too deep to be written."""
    given: Row = {}
    for key in ("id", "path"):
        if key in row:
            with suppress(orjson.JSONEncodeError):
                orjson.dumps(row[key])
                given[key] = row[key]
    return given


def text(row: Row, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise InputError(f"{key!r} is missing" if key not in row else f"{key!r} is not a string")
    return value


def maybe(row: Row, key: str) -> str | None:
    return None if row.get(key) is None else text(row, key)


def id(row: Row) -> Any:
    """The id as given, a string or a number, to be echoed as it is."""
    id_ = row.get("id")
    return id_ if isinstance(id_, int) and not isinstance(id_, bool) else text(row, "id")


def path(row: Row) -> str:
    path = text(row, "path")
    if not path:
        raise InputError("'path' is empty")
    return path


def hint(row: Row) -> Row:
    hint = row.get("feed")
    return {key: value for key, value in hint.items() if isinstance(value, str)} if isinstance(hint, dict) else {}


def moment(value: str) -> datetime:
    """A time of RFC 3339, or a bare date, which is read as its midnight in UTC."""
    try:
        moment = datetime.fromisoformat(f"{value}T00:00:00Z" if len(value) == 10 else value)
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"not a time of RFC 3339: {value!r}")


def targets(row: Row) -> tuple[Span, ...]:
    """The spans to be scored. One that is empty or reaches beyond its field has nothing said of it, and is answered so."""
    targets = row.get("targets") or []
    try:
        spans = tuple(Span(field=target["field"], start=target["start"], end=target["end"]) for target in targets)
    except (TypeError, KeyError) as error:
        raise InputError("'targets' is not a list of {field, start, end}") from error
    if not all(span.field in ("title", "text") and type(span.start) is type(span.end) is int for span in spans):
        raise InputError("'targets' has a field that is not title or text, or an offset that is no whole number")
    return spans
