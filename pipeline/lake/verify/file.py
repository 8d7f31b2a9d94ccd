"""Checks one Parquet file against what was said of it and against the contract of its table. I/O, reads only."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.durable import sha256
from pipeline.s3 import readable


@dataclass(frozen=True, slots=True)
class Said:
    """What a note or a record says of a file; older notes say nothing but its rows."""

    rows: int
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What is wrong with a file, if anything, and the contract's columns that it lacks."""

    kind: str = ""
    problem: str = ""
    lacking: tuple[str, ...] = ()


def look(path: Path, said: Said, contract: pa.Schema) -> Looked:
    """Looks at a file's bytes, rows and columns."""
    try:
        size = path.stat().st_size
        if said.bytes is not None and size != said.bytes:
            return Looked("damaged", f"has {size:,} bytes instead of {said.bytes:,}")
        if said.sha256 is not None and sha256(path) != said.sha256:
            return Looked("damaged", "does not hold the bytes that were written (its SHA-256 is another)")
        file = pq.ParquetFile(readable(path))
        if said.sha256 is None:
            file.read()
    except FileNotFoundError:
        return Looked("missing", "is missing")
    except (pa.ArrowException, OSError) as e:
        return Looked("damaged", f"cannot be read ({str(e).splitlines()[0][:100]})")
    if file.metadata.num_rows != said.rows:
        return Looked("rows", f"holds {file.metadata.num_rows:,} rows instead of {said.rows:,}")
    if wrong := wrong_columns(file.schema_arrow, contract):
        return Looked("columns", f"has columns that are not as the contract says: {', '.join(wrong)}")
    return Looked(lacking=tuple(name for name in contract.names if name not in file.schema_arrow.names))


def wrong_columns(found: pa.Schema, contract: pa.Schema) -> list[str]:
    """The columns of a file that the contract does not have, or has with another type."""
    return [
        f"{field.name} ({field.type})"
        for field in found
        if field.name not in contract.names or not fits(field.type, contract.field(field.name).type)
    ]


def fits(found: pa.DataType, contract: pa.DataType) -> bool:
    """Whether a type is the contract's, whatever the writer calls list items and says of nulls; older structs may be narrower."""
    if pa.types.is_list(found) and pa.types.is_list(contract):
        return fits(found.value_type, contract.value_type)
    if pa.types.is_struct(found) and pa.types.is_struct(contract):
        return all(contract.get_field_index(f.name) >= 0 and fits(f.type, contract.field(f.name).type) for f in found)
    return bool(found.equals(contract))
