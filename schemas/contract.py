"""What the lake's tables promise: columns, types, which may be null, and the values of enums. Reads contract.json, which pins it.

A column, a field of a struct or a value may be added, and a column may stop being null; whatever else changes breaks who asks
the lake, and needs another LAKE_FORMAT and a way that brings older lakes there.
"""

import json
from enum import Enum
from importlib.resources import files
from typing import Any, get_args, get_type_hints

from schemas import LAKE_FORMAT, TABLES, Stamp, bodies_schema, table_schema
from schemas.web import Body

Contract = dict[str, Any]


def current() -> Contract:
    """The contract that the code keeps."""
    schemas = {name: table_schema(name) for name in TABLES} | {"bodies": bodies_schema()}
    rows = [table.row for table in TABLES.values()] + [Stamp, Body]
    return {
        "format": LAKE_FORMAT,
        "tables": {
            name: {field.name: f"{field.type}{' or null' if field.nullable else ''}" for field in schema}
            for name, schema in sorted(schemas.items())
        },
        "values": {enum.__name__: [str(value.value) for value in enum] for row in rows for enum in _enums(row)},
    }


def pinned() -> Contract:
    """The contract as last accepted."""
    read: Contract = json.loads((files("schemas") / "contract.json").read_text())
    return read


def broken(before: Contract, now: Contract) -> list[str]:
    """What of a contract another one does not keep, in words; a higher format may break anything."""
    if now["format"] > before["format"]:
        return []
    found = [f"{table}: the table is gone" for table in before["tables"] if table not in now["tables"]]
    for table, columns in before["tables"].items():
        for column, kind in columns.items():
            given = now["tables"].get(table, columns).get(column)
            if given is None:
                found.append(f"{table}.{column}: the column is gone")
            elif given not in (kind, kind.removesuffix(" or null")) and not _grown(kind, given):
                found.append(f"{table}.{column}: was {kind}, is {given}")
    for enum, values in before["values"].items():
        found += [f"{enum}: the value {value!r} is gone" for value in values if value not in now["values"].get(enum, [])]
    return found


def _grown(kind: str, given: str) -> bool:
    """Whether a struct has all the fields it had, and more."""
    before, now = (set(k.removeprefix("struct<").removesuffix(">").split(", ")) for k in (kind, given))
    return kind.startswith("struct<") and given.startswith("struct<") and before < now


def _enums(row: type) -> list[type[Enum]]:
    kinds = [kind for hint in get_type_hints(row).values() for kind in (hint, *get_args(hint))]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum)]
