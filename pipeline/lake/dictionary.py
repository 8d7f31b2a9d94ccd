"""What every table, view, macro and column of the lake means: for the comments inside news.duckdb, and as a document.

Tables are described by their row types in schemas/. A view or macro is described by the comment above it in sql/; there a line
`-- column name: what it means` describes a column; one without means what the column of that name does in the table that the
comment calls "rows of lake.…", else what it means in all tables that have one. I/O: none but on the connection given.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import get_args, get_type_hints

import duckdb
import pyarrow as pa

from pipeline.lake.literal import quoted
from schemas import TABLES, Stamp, bodies_schema, table_schema
from schemas.web import Body

_STATEMENT = re.compile(r"((?:--[^\n]*\n)*)CREATE (?:VIEW|MACRO|TABLE) ([\w.]+)")
_ROWS_OF = re.compile(r"rows of lake\.(\w+)")
_COLUMN = re.compile(r"-- column (\w+): (.+)")
_DATE = "the day the row lies under: its batch's, or a later one where that was closed"
_OWN = {
    "closed.late": (
        "From when batches count that were late.",
        {"late_batch_id": "the batch", "late_stage": "its stage", "readable_at": "from when it counts"},
    ),
    "lake.confirmed": (
        "Committed batches whose time is settled.",
        {"name": "batch and stage", "counts_from": "µs since 1970"},
    ),
    "lake.gone": (
        "Versions and taggings that are superseded, and what was taken down.",
        {"id": "id of the version, the tagging, or what was taken down", "date": "the day on which that was committed"},
    ),
    "lake.made_by": ("What made these views and macros.", {"script": "digest of the script and of all descriptions"}),
}


@dataclass(frozen=True, slots=True)
class Described:
    """A view or macro of a connection; `name` with its schema where that is not main, `columns` as (name, type, meaning).

    Of a macro's columns, which the catalogue does not know, there are those that its comment describes.
    """

    name: str
    kind: str
    meaning: str
    columns: tuple[tuple[str, str, str], ...]
    parameters: tuple[str, ...] = ()


@cache
def meanings() -> dict[str, str]:
    """What each table, view and macro is, by name; of those in sql/ the comment without its lines on columns."""
    found = {f"lake.{name}": _sentence(table.row.__doc__) for name, table in TABLES.items()}
    found |= {f"lake.{name}_from": f"As lake.{name}, from a day on; no month before it is read." for name in TABLES}
    copied = [name for name, table in TABLES.items() if table.copied]
    found |= {f"closed.{name}": f"The rows of lake.{name} that lie under closed days, kept in the database." for name in copied}
    found |= {"lake.bodies": _sentence(Body.__doc__)} | {name: text for name, (text, _) in _OWN.items()}
    return found | {name: _told(comment)[""] for name, comment in _commented()}


@cache
def columns_of_tables() -> dict[str, dict[str, str]]:
    """What each column of each table means."""
    schemas = {name: table_schema(name) for name in TABLES} | {"bodies": bodies_schema()}
    return {name: {field.name: _meaning(field) for field in schema} | {"date": _DATE} for name, schema in schemas.items()}


@cache
def columns_of_views() -> dict[str, dict[str, str]]:
    """What the comments in sql/ say of columns, by view or macro."""
    own = {name: columns for name, (_, columns) in _OWN.items()}
    told = {name: _told(comment) for name, comment in _commented()}
    return own | {name: {column: text for column, text in columns.items() if column} for name, columns in told.items()}


@cache
def fingerprint() -> str:
    """Changes with any description."""
    return blake2b(repr((meanings(), columns_of_tables(), columns_of_views())).encode(), digest_size=8).hexdigest()


def comments(con: duckdb.DuckDBPyConnection) -> str:
    """The statements that put all of it into the catalogue of the connection's database, on what is there."""
    found = describe(con)
    said = [f"COMMENT ON {one.kind.upper()} {one.name} IS {quoted(one.meaning)}" for one in found if one.meaning]
    said += [
        f'COMMENT ON COLUMN {one.name}."{column}" IS {quoted(meaning)}'
        for one in found
        if not one.kind.startswith("macro")
        for column, _, meaning in one.columns
        if meaning
    ]
    return ";\n".join(said)


def describe(con: duckdb.DuckDBPyConnection) -> list[Described]:
    """The views, tables and macros of a connection, those of main first, then those of schema lake."""
    views = con.execute("""
        SELECT schema_name, table_name, kind, list((column_name, data_type) ORDER BY column_index) FROM duckdb_columns()
        JOIN (SELECT view_oid AS table_oid, 'view' AS kind, database_name FROM duckdb_views() WHERE NOT internal
              UNION ALL SELECT table_oid, 'table', database_name FROM duckdb_tables() WHERE NOT internal)
          USING (table_oid, database_name)
        GROUP BY ALL""").fetchall()
    views.sort(key=lambda view: (view[0] != "main", view[1]))
    macros = con.execute("""
        SELECT DISTINCT schema_name, function_name, parameters, function_type FROM duckdb_functions()
        WHERE NOT internal AND function_type IN ('table_macro', 'macro') ORDER BY function_name""").fetchall()
    found = [_described(_name(schema, view), kind, columns) for schema, view, kind, columns in views]
    for schema, name, parameters, kind in macros:
        of = "macro table" if kind == "table_macro" else "macro"
        columns = [(column, "") for column in columns_of_views().get(_name(schema, name), {})]
        found.append(replace(_described(_name(schema, name), of, columns), parameters=tuple(parameters)))
    return found


def _described(name: str, kind: str, columns: list[tuple[str, str]]) -> Described:
    own = columns_of_views().get(name, {})
    rows_of = _ROWS_OF.search(meanings().get(name, ""))
    known = columns_of_tables().get(rows_of[1] if rows_of else name.removeprefix("lake."), {}) | own
    return Described(
        name, kind, meanings().get(name, ""), tuple((column, of, known.get(column) or _shared(column)) for column, of in columns)
    )


def _shared(column: str) -> str:
    """What a column of this name means in every table that has it; empty where tables differ."""
    found = {columns[column] for columns in columns_of_tables().values() if column in columns}
    return found.pop() if len(found) == 1 else ""


def _told(comment: str) -> dict[str, str]:
    """What a comment says of the whole (under "") and of each column; a line without a column goes on with what was said last."""
    found, column = {"": ""}, ""
    for line in comment.splitlines():
        if begins := _COLUMN.fullmatch(line):
            column, line = begins[1], begins[2]  # noqa: PLW2901
        found[column] = f"{found.get(column, '')} {line.removeprefix('--').strip()}".strip()
    return found


def _commented() -> Iterator[tuple[str, str]]:
    """Name and comment of everything in sql/; without one of its own, the file's first speaks for it."""
    for file in sorted((files("pipeline.lake") / "sql").iterdir(), key=lambda f: f.name):
        first = ""
        for comment, name in _STATEMENT.findall(file.read_text()):
            first = first or comment
            yield name, comment or first


def _name(schema: str, name: str) -> str:
    return name if schema == "main" else f"{schema}.{name}"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


def _meaning(field: pa.Field) -> str:
    return (field.metadata or {}).get(b"description", b"").decode()


def markdown(con: duckdb.DuckDBPyConnection) -> str:
    """The document: every view and macro that is met in SQL, then every table with types, nulls, values and nested fields."""
    parts = [_HEAD]
    found = describe(con)
    for one in (d for d in found if d.name.removeprefix("lake.") not in (*TABLES, "bodies")):
        called = f"({', '.join(one.parameters)})" if one.kind.startswith("macro") else ""
        parts.append(f"### `{one.name}{called}`\n\n{one.meaning}\n")
        parts.append(_table((column, of.lower(), meaning) for column, of, meaning in one.columns))
    parts.append("## Tables\n\nSchema `lake`: every row ever written, one view a table.\n")
    for name, table in sorted(TABLES.items()):
        kept = "a snapshot of the last closed day" if table.snapshot else "days" + (", then months" if table.narrow else "")
        parts.append(
            f"### `lake.{name}`\n\n{meanings()[f'lake.{name}']} Sorted by {', '.join(table.sorted_by)}; kept as {kept}.\n"
        )
        parts.append(_table(_fields(table_schema(name), {**_enums(table.row), **_enums(Stamp)})))
    parts.append(f"### `lake.bodies`\n\n{meanings()['lake.bodies']} Kept in packs, which are never sorted anew.\n")
    parts.append(_table(_fields(bodies_schema(), _enums(Body))))
    return "\n".join(parts)


_HEAD = """# Data dictionary

What every view, macro, table and column means. The same words are comments inside `news.duckdb` (`SELECT table_name, column_name,
comment FROM duckdb_columns()`) and in the files' own metadata (of a column in hot files, under `newsmill.columns` in cold ones).
Times are UTC in microseconds; offsets count characters. Written by `.venv/bin/python -m tests.lake.test_dictionary`; a test holds
it to the code. What a later version may change is held by `schemas/contract.json`: columns and values may be added, nothing goes.

## Views and macros
"""


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    listed = [f"| `{column}` | {of} | {meaning.replace('|', chr(92) + '|')} |" for column, of, meaning in rows]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *listed, ""]) if listed else ""


def _fields(fields: pa.Schema | pa.StructType, enums: dict[str, str], above: str = "") -> Iterator[tuple[str, str, str]]:
    for field in fields:
        inner, name = field.type, above + field.name
        if pa.types.is_list(inner):
            inner, name = inner.value_type, f"{name}[]"
        of = "struct" if pa.types.is_struct(inner) else str(inner)
        values = enums.get(field.name, "") if not above else ""
        yield name, of + (" or null" if field.nullable and not above else ""), _meaning(field) + values
        if pa.types.is_struct(inner):
            yield from _fields(inner, {}, f"{name}.")


def _enums(row: type) -> dict[str, str]:
    hints = {name: [hint, *get_args(hint)] for name, hint in get_type_hints(row).items()}
    return {
        name: ": " + ", ".join(f"`{value.value}`" for value in kind)
        for name, kinds in hints.items()
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Enum)
    }
