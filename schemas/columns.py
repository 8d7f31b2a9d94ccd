"""Describes a table once: a frozen dataclass whose fields carry their meaning, from which the Arrow schema follows. Pure."""

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa

Row = TypeVar("Row")

#: Rows that are dicts at one time, which take many times the memory of the table.
_AT_ONCE = 1000
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
    schema, left = arrow_schema(row), iter(rows)
    parts = [_part(records, schema) for records in iter(lambda: [as_record(r) for r in islice(left, _AT_ONCE)], [])]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _part(records: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist(records, schema=schema)
    except UnicodeEncodeError:
        return pa.Table.from_pylist(_whole_characters(records), schema=schema)


def as_record(row: Any) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies every value and takes five times as long."""
    return {name: _value(getattr(row, name)) for name in _names(typing.cast(type, type(row)))}


def _value(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        return [_value(inner) for inner in value]
    return as_record(value) if kind not in _SCALARS and dataclasses.is_dataclass(kind) else value


@cache
def _names(row: type) -> tuple[str, ...]:
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
    decoders, unset = _decoders(typing.cast(type, row)), _unset(typing.cast(type, row))
    # rows older than a column have null in it, and mean what it says where nothing is said
    known = {name: value for name, value in record.items() if value is not None or name not in unset}
    values = {name: value if value is None or (made := decoders[name]) is None else made(value) for name, value in known.items()}
    return row(**values)


@cache
def _unset(row: type) -> frozenset[str]:
    """The columns that are never null and have a default."""
    hints = typing.get_type_hints(row)
    having = (f.name for f in dataclasses.fields(row) if f.default is not dataclasses.MISSING)
    return frozenset(name for name in having if not _without_none(hints[name])[1])


@cache
def _decoders(row: type) -> dict[str, Callable[[Any], Any] | None]:
    """What makes of a column's value, by name, what the dataclass holds; None where that is the value itself."""
    return {name: _decoder(_without_none(hint)[0]) for name, hint in typing.get_type_hints(row).items()}


def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    if typing.get_origin(hint) is tuple:
        inner = _decoder(_without_none(typing.get_args(hint)[0])[0])
        return tuple if inner is None else lambda values: tuple(v if v is None else inner(v) for v in values)
    if dataclasses.is_dataclass(hint):
        return lambda record: decode(record, typing.cast(type, hint))
    return hint if issubclass(hint, Enum) else None
