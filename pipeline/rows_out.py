"""How rows leave: a table for people, JSON or CSV on standard output for programs, Excel or Parquet into a file. I/O."""

import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import typer
from rich.console import Console

from pipeline.errors import InputError
from pipeline.lake.durable import place_file
from pipeline.terminal import as_json, busy, print_json
from pipeline.why.steps import count

T = TypeVar("T")

Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header.")]
Excel = Annotated[Path | None, typer.Option("--excel", metavar="FILE", help="Into an Excel file (.xlsx).")]
Parquet = Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="Into a Parquet file.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]

#: What a sheet and its cells can hold.
SHEET_ROWS, SHEET_COLUMNS, CELL_CHARACTERS = 1_048_576, 16_384, 32_767
_DAY, _MOMENT, _MOMENT_UTC = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", 'yyyy-mm-dd hh:mm:ss "UTC"'
_EXACT_DIGITS = 15  # of a number in Excel
_FOR_CSV = (
    "INTEGER",
    "BIGINT",
    "SMALLINT",
    "TINYINT",
    "DOUBLE",
    "FLOAT",
    "BOOLEAN",
    "VARCHAR",
    "DATE",
    "DECIMAL",
    "U",
    "TIMESTAMP",
)
_NESTED = ("list", "array", "struct", "map", "union")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Which way rows leave; at most one, a table without any.

    Raises:
        InputError: two ways at once, or a file that cannot be made as named.
    """

    json: bool = False
    csv: bool = False
    excel: Path | None = None
    parquet: Path | None = None
    force: bool = False

    def __post_init__(self) -> None:
        if len(self.named) > 1:
            raise InputError(f"{' and '.join(self.named)} at once: choose one")
        if self.excel and self.excel.suffix != ".xlsx":
            raise InputError(f"{self.excel}: the name of an Excel file ends in .xlsx")
        if path := self.excel or self.parquet:
            can_be_made(path, force=self.force)

    @property
    def named(self) -> list[str]:
        """The options that ask for it."""
        return [f"--{name}" for name in ("json", "csv", "excel", "parquet") if getattr(self, name)]


def can_be_made(path: Path, *, force: bool) -> None:
    """Refuses, before any work is done, a file that cannot be made as named.

    Raises:
        InputError: it is a directory, in none, or there already and `force` is not given.
    """
    if path.is_dir():
        raise InputError(f"{path} is a directory; name a file")
    if not path.parent.is_dir():
        raise InputError(f"there is no directory {path.parent} for {path.name}; make it, or name another")
    if path.exists() and not force:
        raise InputError(f"{path} is there already; --force overwrites it, or name another file")


def give(con: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, way: Way) -> None:
    """Gives rows out; a file comes whole or not at all, and how much is in it is said on standard error.

    Raises:
        InputError: the rows do not fit into a sheet, or have a value that JSON and Excel have no form for.
    """
    if way.parquet:
        place_file(way.parquet, lambda aside: stopping(con, lambda: rows.write_parquet(str(aside), compression="zstd")))
        _told(pq.read_metadata(way.parquet).num_rows, way.parquet)
        return
    if not (way.json or way.csv or way.excel):
        stopping(con, rows.materialize).show(max_width=shutil.get_terminal_size().columns, max_rows=200)
        return
    table = stopping(con, (_flat(rows) if way.csv else rows).to_arrow_table)
    try:
        if way.excel:
            _give_excel(table, way.excel)
        elif way.json:
            for batch in table.to_batches(1000):
                print_json(*batch.to_pylist())
        else:
            pyarrow.csv.write_csv(_nested_as_json(table), sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except (ValueError, OverflowError) as error:
        raise InputError(f"a value has no form there ({error}); make its column text (::VARCHAR), or take --parquet") from error


def stopping(con: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """What `work` returns; Ctrl-C stops it, which most calls of DuckDB do not notice by themselves."""
    with busy("asking the lake"), ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        try:
            return result.result()
        except KeyboardInterrupt:
            con.interrupt()
            raise


def give_records(records: Sequence[dict[str, Any]], way: Way) -> None:
    """Gives records of one shape out as JSON or CSV."""
    if way.json:
        print_json(*records)
    elif records:
        with duckdb.connect() as con:
            give(con, con.from_arrow(pa.Table.from_pylist(records)), way)


def _flat(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """What CSV has no form for, as text; lists and the like stay for `_nested_as_json`."""
    simple = [t.id in _NESTED or str(t).startswith(_FOR_CSV) for t in rows.types]
    names = ['"' + c.replace('"', '""') + '"' for c in rows.columns]
    return rows.project(", ".join(n if plain else f"{n}::VARCHAR AS {n}" for n, plain in zip(names, simple, strict=True)))


def _nested_as_json(table: pa.Table) -> pa.Table:
    """Lists, structs and maps in the form that they have in a sheet."""
    for at, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if value is None else _text(value) for value in table[at].to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    return table


def _told(rows: int, path: Path, more: str = "") -> None:
    say = Console(emoji=False, stderr=True, highlight=False, soft_wrap=True, markup=False).print
    say(f"{count(rows, 'row')} in {path}{more}")


# --- Excel


def _give_excel(table: pa.Table, path: Path) -> None:
    if table.num_rows >= SHEET_ROWS or table.num_columns > SHEET_COLUMNS:
        raise InputError(
            f"{table.num_rows} rows of {table.num_columns} columns do not fit into {path.name}: a sheet has {SHEET_ROWS:,} rows,"
            f" its head one of them, and {SHEET_COLUMNS:,} columns; ask for less (LIMIT), or take --parquet or --csv"
        )
    cut: list[int] = []
    place_file(path, partial(_fill, table, cut))
    _told(
        table.num_rows, path, f"; {count(len(cut), 'text')} cut to {CELL_CHARACTERS:,} characters, a cell's most" if cut else ""
    )


def _fill(table: pa.Table, cut: list[int], aside: Path) -> None:
    """Fills a workbook; text stays text, also where it begins like a formula, a link or a number."""
    import xlsxwriter

    with tempfile.TemporaryDirectory(prefix="newsmill-") as scratch, aside.open("wb") as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": scratch})
        sheet = book.add_worksheet("rows")
        moments = {form: book.add_format({"num_format": form}) for form in (_DAY, _MOMENT, _MOMENT_UTC)}
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, field in enumerate(table.schema):
            sheet.set_column(column, column, 40 if str(field.type) in ("string", "large_string") else 22)
            sheet.write_string(0, column, field.name, bold)
        for number, row in enumerate(_rows(table), 1):
            for column, value in enumerate(row):
                _write(sheet, (number, column), value, moments, cut)
        sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:  # around what the disk said
            raise error.args[0] from None


def _rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    for batch in table.to_batches(1000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write(sheet: Any, at: tuple[int, int], value: Any, moments: dict[str, Any], cut: list[int]) -> None:
    """Writes one cell as what it is; what Excel has no form for, or would round, as text."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value)
    elif isinstance(value, int | float | Decimal) and _is_exact(value):
        sheet.write_number(*at, value)
    elif isinstance(value, date) and value.year > 1900:
        zoned = isinstance(value, datetime) and value.tzinfo
        form = _MOMENT_UTC if zoned else _MOMENT if isinstance(value, datetime) else _DAY
        sheet.write_datetime(*at, value.astimezone(UTC).replace(tzinfo=None) if zoned else value, moments[form])  # type: ignore[attr-defined]
    else:
        text = value if isinstance(value, str) else _text(value)
        if len(text) > CELL_CHARACTERS:
            text = text[: CELL_CHARACTERS - 1] + "…"
            cut.append(at[0])
        sheet.write_string(*at, text)


def _is_exact(value: int | float | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**_EXACT_DIGITS


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return as_json(value).decode() if isinstance(value, list | dict | tuple) else str(value)
