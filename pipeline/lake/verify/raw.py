"""Checks the raw bytes: every body is what its hash says, and what visits and pages name is kept. I/O, reads only, slow."""

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.literal import quoted
from pipeline.lake.retire import Rules
from pipeline.lake.verify.file import wrong_columns
from pipeline.lake.verify.finding import Finding, Watch, error, restored, warning
from pipeline.lake.verify.hot import Sources, not_evolved
from pipeline.lake.verify.marks import Marks
from pipeline.lake.verify.rows import open_tables
from pipeline.s3 import readable
from schemas import bodies_schema

_NAMED = """
SELECT batch_id, stage, body_sha256 AS sha256 FROM visits
WHERE outcome = 'parsed' AND body_sha256 IS NOT NULL AND NOT (visit_id IN (FROM emptied) AND EXISTS (FROM forgotten))
UNION ALL BY NAME
SELECT batch_id, stage, body_sha256 AS sha256 FROM pages
WHERE body_sha256 IS NOT NULL AND entry_id NOT IN (SELECT id FROM forgotten)
"""


def check_raw(lake: Lake, marks: Marks, sources: Sources, rules: Rules, now: datetime, watch: Watch) -> Iterator[Finding]:
    """Reads every pack, then looks for the bodies that visits and pages name."""
    packs = [path for day in lake.days("raw") for path in sorted((lake.root / "raw" / f"date={day}").glob("*/*.parquet"))]
    with tempfile.TemporaryDirectory() as spill, open_tables(lake, marks, sources, Path(spill)) as con:
        con.execute("CREATE TEMP TABLE kept (sha256 VARCHAR); CREATE TEMP TABLE emptied (owner VARCHAR)")
        damaged: set[str] = set()
        for number, pack in enumerate(packs):
            watch("raw bytes", number, len(packs))
            for found in _pack(con, lake, pack, marks.evolved):
                damaged.add(pack.parent.name)
                yield found
        yield from _missing(con, lake, rules, now, damaged)


def _pack(con: duckdb.DuckDBPyConnection, lake: Lake, pack: Path, evolved: frozenset[str]) -> Iterator[Finding]:
    place = str(pack.relative_to(lake.root))
    if BatchRef.parse(pack.parent.name) is None:
        yield warning("stranger", place, "belongs to no batch", f"move {place} out of the lake")
        return
    source = f"read_parquet({quoted(pack)}, hive_partitioning = false)"
    lost = restored(place, "nothing but the bytes is lost: what was read from them stays")
    try:
        schema = pq.read_schema(readable(pack))
        if wrong_types := wrong_columns(schema, bodies_schema()):
            yield error("columns", place, f"has columns that are not as the contract says: {', '.join(wrong_types)}", lost)
            return
        if (lacking := set(bodies_schema().names) - set(schema.names)) and "bodies" not in evolved:
            yield not_evolved(place, "bodies", tuple(sorted(lacking)))
        wrong = con.execute(f"SELECT owner FROM {source} WHERE content IS NOT NULL AND sha256(content) IS DISTINCT FROM sha256")
        owners = sorted(owner for (owner,) in wrong.fetchall())
        con.execute(f"INSERT INTO emptied SELECT owner FROM {source} WHERE content IS NULL")
        con.execute(f"INSERT INTO kept SELECT sha256 FROM {source} WHERE content IS NOT NULL AND sha256(content) = sha256")
    except (duckdb.Error, pa.ArrowException, OSError) as e:
        yield error("damaged", place, f"cannot be read ({str(e).splitlines()[0][:100]})", lost)
        return
    if owners:
        problem = f"holds {len(owners):,} bodies that are not what their SHA-256 says, {owners[0]} for one"
        yield error("body", place, problem, lost)


def _missing(con: duckdb.DuckDBPyConnection, lake: Lake, rules: Rules, now: datetime, damaged: set[str]) -> Iterator[Finding]:
    """What is named and not kept, by the place it was kept in; save what is past its keeping or in a damaged pack."""
    rows = con.execute(f"""
        SELECT split_part(batch_id, '.', 1) || '-' || stage, count(DISTINCT sha256), min(sha256)
        FROM ({_NAMED}) ANTI JOIN kept USING (sha256) GROUP BY 1 ORDER BY 1
    """).fetchall()
    oldest = None if rules.raw_days is None else (now - timedelta(days=rules.raw_days)).date()
    for name, n, example in rows:
        ref = BatchRef.parse(name)
        if ref is None or name in damaged or (oldest and ref.date < oldest):
            continue
        place = str(lake.raw(ref).relative_to(lake.root))
        problem = f"lacks {n:,} bodies that visits or pages name, {example} for one"
        yield error("body", place, problem, restored(place, "nothing but the bytes is lost: what was read from them stays"))
