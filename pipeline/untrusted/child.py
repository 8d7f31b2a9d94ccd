"""The process that a stranger's statement runs in: it gives up its rights first, and looks at the statement then."""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.lake.definitions import make
from pipeline.lake.literal import quoted
from pipeline.untrusted.landlock import confine

#: Of a lake, what its views read.
READABLE = ("cold", "hot", "raw", "news.duckdb", "deleted.parquet")
#: PIVOT is MULTI to DuckDB: it looks for its columns first.
_ASKING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI}
_AT_ONCE = 2048
#: Where DuckDB looks for its share of processors and memory; it does not begin where it may not. Its own settings keep SQL out.
_SYSTEM = (Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))


def answer(parent: int) -> None:
    """Reads what is asked from standard input, and writes R and an Arrow stream, or E and a message, to standard output."""
    _end_with(parent)
    asked = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    out = sys.stdout.buffer
    try:
        con = _opened(Path(asked["lake"]), asked)
        _give(con, asked, out)
    except (duckdb.OutOfMemoryException, MemoryError):
        out.write(b"S" + f"it needs more than its {asked['memory_mb']} MB of memory; ask for less, or without --safe".encode())
    except duckdb.InterruptException:
        out.write(b"S" + f"it took longer than its {asked['seconds']:g} s; ask for less, or without --safe".encode())
    except (duckdb.Error, UnicodeError, ValueError, pa.ArrowException) as error:
        out.write(b"E" + str(error).encode("utf-8", "replace"))
    out.flush()
    os._exit(0)  # without whatever a library would do at the end


def _end_with(parent: int) -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def _opened(root: Path, asked: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    # beyond what DuckDB counts as its memory: the interpreter, the stacks of threads
    _lower(resource.RLIMIT_DATA, (asked["memory_mb"] + 512) * 2**20)
    _lower(resource.RLIMIT_CPU, int(asked["seconds"] * 4) + 1)
    confine([*(root / name for name in READABLE), *_SYSTEM])
    # only now: DuckDB's threads would not be confined if they were there before
    con = duckdb.connect(config={"threads": 2, "python_enable_replacements": False})
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    if asked["attached"]:
        con.execute(f"ATTACH {quoted(root / 'news.duckdb')} AS news (READ_ONLY); USE news")
    else:
        make(con, asked["script"])
    con.execute(f"""
        SET allowed_directories = [{", ".join(quoted(f"{root / name}/") for name in READABLE[:3])}];
        SET allowed_paths = [{", ".join(quoted(root / name) for name in READABLE[3:])}];
        SET temp_directory = ''; SET memory_limit = '{asked["memory_mb"]}MB';
        SET max_execution_time = {int(asked["seconds"] * 1000)};
        SET allow_community_extensions = false; SET allow_unsigned_extensions = false;
        SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
        SET allowed_configs = ['TimeZone']; SET enable_external_access = false; SET lock_configuration = true;
    """)
    return con


def _give(con: duckdb.DuckDBPyConnection, asked: dict[str, Any], out: Any) -> None:
    statements = con.extract_statements(asked["statement"])
    if len(statements) != 1:
        raise ValueError(f"one statement at a time, please: these are {len(statements)}")
    if statements[0].type not in _ASKING:
        raise ValueError(f"{statements[0].type.name} is no question: SELECT, FROM, DESCRIBE, SUMMARIZE, PIVOT and EXPLAIN are")
    rows: pa.RecordBatchReader = con.execute(statements[0]).to_arrow_reader(_AT_ONCE)
    # held back until it is all there: what fails midway is an error, not half a result
    parts: list[pa.RecordBatch] = []
    left = asked["rows"]
    while left >= 0 and (part := next(rows, None)) is not None:
        parts.append(part.slice(0, left))
        left -= part.num_rows
    schema = rows.schema.with_metadata({**(rows.schema.metadata or {}), **({b"newsmill.cut": b"1"} if left < 0 else {})})
    out.write(b"R")
    with pa.ipc.new_stream(out, schema) as stream:
        for part in parts:
            stream.write_batch(part.replace_schema_metadata(schema.metadata))


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))
