"""Tables of a batch before they are stamped: how they are written to a file and read back. I/O on single files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.store import store_of, table_of
from pipeline.s3 import readable
from schemas import TABLES

Tables = dict[str, pa.Table]


def write_table(table: pa.Table, path: Path) -> None:
    """One table as one Parquet file, zstd-3."""
    pq.write_table(table, path, compression="zstd", compression_level=3, row_group_size=20_000)


def write_tables(tables: Tables, directory: Path, *, also_empty: bool = False) -> None:
    """One file per table that has rows (`also_empty`: per table), sorted as the contract says."""
    for name, table in tables.items():
        if table.num_rows or also_empty:
            order = [(column, "ascending") for column in TABLES[name].sorted_by] if name in TABLES else []
            write_table(table.sort_by(order) if order else table, directory / f"{name}.parquet")


def read_tables(directory: Path) -> Tables:
    """The tables that `write_tables` left, by name."""
    files = {table_of(path): path for path in store_of(directory).files_in(directory)}
    return {table: pq.read_table(readable(path), partitioning=None) for table, path in files.items()}


def merge(parts: list[Tables]) -> Tables:
    """The tables of several shards, one below the other."""
    names = sorted({name for part in parts for name in part})
    return {name: pa.concat_tables([part[name] for part in parts if name in part]) for name in names}
