"""Describes a table once: a frozen dataclass whose fields carry their meaning, from which the Arrow schema follows. Pure."""

import dataclasses
import re
import types
import typing
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import pyarrow as pa

Row = TypeVar("Row")

UTC_MICROS = pa.timestamp("us", tz="UTC")
_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    datetime: UTC_MICROS,
    date: pa.date32(),
}


def col(description: str, **default: Any) -> Any:
    """One column: what it means, with its unit; `default=` as in `dataclasses.field`."""
    return dataclasses.field(metadata={"description": description}, **default)


@cache
def arrow_schema(row: type) -> pa.Schema:
    """The Arrow schema of a row type; each field's description travels in its metadata."""
    return pa.schema([_field(f, typing.get_type_hints(row)[f.name]) for f in dataclasses.fields(row)])


def _field(f: "dataclasses.Field[Any]", hint: Any) -> pa.Field:
    hint, nullable = _without_none(hint)
    metadata = {"description": f.metadata["description"]} if "description" in f.metadata else None
    return pa.field(f.name, _arrow_type(hint), nullable=nullable, metadata=metadata)


def _arrow_type(hint: Any) -> pa.DataType:
    if typing.get_origin(hint) is tuple:
        return pa.list_(_arrow_type(typing.get_args(hint)[0]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return pa.struct(list(arrow_schema(hint)))
    for base, arrow in _SCALARS.items():
        if isinstance(hint, type) and issubclass(hint, base) and (base is not int or not issubclass(hint, bool)):
            return arrow
    raise TypeError(f"no Arrow type for {hint!r}")


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        rest = [a for a in typing.get_args(hint) if a is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"a column has one type or that type and None, not {hint!r}")
        return rest[0], True
    return hint, False


def to_arrow(rows: Iterable[Any], row: type) -> pa.Table:
    """Rows of one dataclass as an Arrow table with that dataclass's schema.

    Half a surrogate pair, which no encoding can hold, becomes U+FFFD: offsets stay, and one bad character costs no batch.
    """
    records = [record(r) for r in rows]
    try:
        return pa.Table.from_pylist(records, schema=arrow_schema(row))
    except UnicodeEncodeError:
        return pa.Table.from_pylist(_whole_characters(records), schema=arrow_schema(row))


def record(row: Any) -> dict[str, Any]:
    """A row as dicts and lists all the way down; like `dataclasses.asdict`, but it copies nothing that cannot change."""
    return {name: _value(getattr(row, name)) for name in _columns(row.__class__)}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(inner) for inner in value]
    return record(value) if dataclasses.is_dataclass(value) else value


@cache
def _columns(row: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(row))


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, dict):
        return {name: _whole_characters(inner) for name, inner in value.items()}
    return [_whole_characters(inner) for inner in value] if isinstance(value, list | tuple) else value


def from_arrow(table: pa.Table, row: type[Row]) -> list[Row]:
    """The rows of an Arrow table (or those of its columns that `row` has) as frozen dataclasses again."""
    names = [f.name for f in dataclasses.fields(row) if f.name in table.column_names]  # type: ignore[arg-type]
    return [decode(record, row) for record in table.select(names).to_pylist()]


def decode(record: dict[str, Any], row: type[Row]) -> Row:
    """One dict as `row`, nested dataclasses, tuples and enums included."""
    hints = _hints(typing.cast(type, row))
    return row(**{name: _decode_value(value, hints[name]) for name, value in record.items()})


@cache
def _hints(row: type) -> dict[str, Any]:
    return {name: _without_none(hint)[0] for name, hint in typing.get_type_hints(row).items()}


def _decode_value(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_decode_value(v, inner) for v in value)
    if dataclasses.is_dataclass(hint):
        return decode(value, typing.cast(type, hint))
    return hint(value) if issubclass(hint, Enum) else value
