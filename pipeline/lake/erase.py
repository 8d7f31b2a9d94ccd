"""Takes the words of what was taken down out of every file of the lake. I/O; the one place where committed files are rewritten.

Each file is written anew aside and renamed over the old one: a reader has either. What a takedown leaves is derived from its
tombstones, so an erasure that was broken off is done again, by hand or by the next closing, and ends in the same state:
`erased.json` names the batches of tombstones that are done, and the files whose record (commit.json, closed/) may not fit yet.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import LakeBusy
from pipeline.lake.commit import NOTE, Timing, confirm, day_of, note_of
from pipeline.lake.connect import connect
from pipeline.lake.durable import remove_dir, sha256, write_file
from pipeline.lake.erase_raw import erase_raw
from pipeline.lake.forget import WORDLESS, Going, bury
from pipeline.lake.layout import COMMITTING, SCHEMA_DAY, BatchRef, Lake
from pipeline.lake.lock import refuse_if_held
from pipeline.lake.rows import read_tables
from pipeline.lake.search.shards import forget_indexed
from pipeline.lake.staging import ABANDONED
from pipeline.lake.store import store_of, table_of
from pipeline.lake.watermark import Written, closing, late, taken
from pipeline.s3 import readable
from schemas.columns import from_arrow
from schemas.outcome import Forgotten

#: Rows of an article go: nothing says that they must be there.
DROPPED = ("articles", "article_keys", "relations", "taggings", "mentions", "sentiments")
#: What shards left for a commit keeps all its rows: they are counted, and the commit leaves out by id what was taken down.
_STAGED_BY_ARTICLE: dict[str, dict[str, Any]] = {
    "mentions": {"surface": ""},
    "taggings": {"problem": None},
    "sentiments": {"news_title": None, "news_words": (), "news_url": None},
}


@dataclass(frozen=True, slots=True)
class Erased:
    """What one erasure did; `complete` unless a batch at work may still hold words of it, which the next closing looks for."""

    files: int
    packs: int
    complete: bool

    def __str__(self) -> str:
        rest = "" if self.complete else "; batches are at work, the next `newsmill lake close` takes what they had written aside"
        return f"taken down: words erased from {self.files:,} files and {self.packs:,} packs of raw bytes{rest}"


def erase_pending(lake: Lake, timing: Timing) -> Erased | None:
    """Erases all that was taken down and is not erased yet; None where nothing is. The caller holds the closer's lock."""
    state = _state(lake)
    with connect(lake.root) as con:
        _bury_again(lake, con, timing)
        rows = con.sql("SELECT batch_id || '-' || stage AS batch, what, id FROM lake.forgotten").fetchall()
        fresh = [row for row in rows if row[0] not in state["done"]]
        if not fresh and not state["rewriting"]:
            return None
        ids = {kind: frozenset(i for _, what, i in fresh if what == kind) for kind in ("article", "entry", "source")}
        going = Going(articles=ids["article"], entries=ids["entry"], sources=ids["source"])
        alone = _sweep(lake)
        # the bytes first: which of them hold its words is known from the rows
        packs = erase_raw(lake, con, going)
    staged = _erase_staged(lake, going)
    files = _erase_tables(lake, going, state, timing)
    alone = forget_indexed(lake, going.articles) and alone
    if alone:
        done = sorted({*state["done"], *(batch for batch, _, _ in fresh)})
        _write_state(lake, {"done": done, "rewriting": []})
    return Erased(files + staged, packs, alone)


def _bury_again(lake: Lake, con: duckdb.DuckDBPyConnection, timing: Timing) -> None:
    """Commits tombstones again that came too late for their day, as they can where the file system has no locks."""
    for place in late(lake):
        ref = BatchRef.parse(place.name)
        if ref and ref.stage == "forget":
            rows = from_arrow(read_tables(place)["forgotten"], Forgotten)
            bury(lake, con, rows, timing.clock(), timing)
            remove_dir(place, lake.root / "staging")


def _state(lake: Lake) -> dict[str, list[str]]:
    path = lake.root / "erased.json"
    return json.loads(path.read_text()) if path.exists() else {"done": [], "rewriting": []}


def _write_state(lake: Lake, state: dict[str, list[str]]) -> None:
    write_file(lake.root / "erased.json", json.dumps(state, indent=0).encode())


def _sweep(lake: Lake) -> bool:
    """Deletes what died half-written; False where a batch is at work, whose own that may be."""
    staging = lake.root / "staging"
    store_of(lake.root).sweep(lake.root / "hot", ABANDONED)
    # news.duckdb holds no words, and may be written at any time
    asides = [path for path in staging.glob(".*") if not path.name.startswith(".news.")]
    asides += (lake.root / "raw").glob("*/*/.*")
    try:
        for stage in COMMITTING:
            refuse_if_held(lake, stage)
    except LakeBusy:
        ours = (".forget.", ".close.", ".doomed.")
        asides, alone = [p for p in asides if p.parent == staging and p.name.startswith(ours)], False
    else:
        alone = True
    for path in asides:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return alone


def _erase_tables(lake: Lake, going: Going, state: dict[str, list[str]], timing: Timing) -> int:
    """Rewrites every committed and closed file that has rows of it, and makes its record fit."""
    hit = {path for table, rule in _rules(going).items() for path in _files(lake, table) if _has(path, rule)}
    again = {lake.root / name for name in state["rewriting"]}
    todo = sorted(hit | {path for path in again if path.exists()})
    _write_state(lake, {**state, "rewriting": [str(path.relative_to(lake.root)) for path in todo]})
    for path in todo:
        table = path.parent.parent.name if path.stem == "data" else table_of(path)
        with suppress(FileNotFoundError):  # a directory that came too late for its day may be taken away meanwhile
            if path.stem != "data" and taken(lake, day_of(path.parent), path.parent.name):
                confirm(lake, path.parent, timing)  # its change time will tell nothing of its rename any more
            if path in hit:
                with _rewritten(lake, path) as aside:
                    _rewrite(path, aside, _rules(going)[table])
            _record(lake, path, table)
    return len(hit)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose rows: those with one of these ids in a column; they are dropped, or these columns are blanked."""

    column: str
    ids: pa.Array
    blank: dict[str, Any] | None

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        return pc.is_in(table[self.column], value_set=self.ids)

    def apply(self, table: pa.Table) -> pa.Table:
        mask = self.mask(table)
        if self.blank is None:
            return table.filter(pc.invert(mask))
        for name, value in self.blank.items():
            if (at := table.schema.get_field_index(name)) >= 0:
                field = table.schema.field(at)
                table = table.set_column(at, field, _replaced(table[name], mask, value))
        return table


def _replaced(column: pa.ChunkedArray, mask: pa.ChunkedArray, value: Any) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_struct(column.type):  # a choice would leave nulls in fields that may hold none
        pairs = zip(column.to_pylist(), mask.to_pylist(), strict=True)
        return pa.array([value if goes else had for had, goes in pairs], column.type)
    return pc.if_else(mask, pa.scalar(value, column.type), column)


def _rules(going: Going) -> dict[str, Rule]:
    articles, entries = _array(going.articles), _array(going.entries)
    by_entry = {table: Rule("entry_id", entries, blank) for table, blank in WORDLESS.items()}
    return by_entry | {table: Rule("article_id", articles, None) for table in DROPPED}


def _array(ids: frozenset[str]) -> pa.Array:
    return pa.array(sorted(ids), pa.string())


def _files(lake: Lake, table: str) -> Iterator[Path]:
    """The files of a table, also of directories that count for nothing."""
    empty = {lake.schema_files("hot"), lake.cold(table, SCHEMA_DAY).parent, lake.cold(table, f"{SCHEMA_DAY:%Y-%m}").parent}
    for pattern in (f"hot/*/*/{table}.*parquet", f"cold/{table}/*/data.parquet"):
        yield from (path for path in lake.root.glob(pattern) if path.parent not in empty)


def _has(path: Path, rule: Rule) -> bool:
    """Whether a file has rows of it, and words in them."""
    if not len(rule.ids):
        return False
    with pq.ParquetFile(readable(path)) as file:
        if not pc.any(rule.mask(file.read([rule.column]))).as_py():
            return False
        rows = file.read([rule.column, *(rule.blank or ())])
        rows = rows.filter(rule.mask(rows))
        return not rule.apply(rows).equals(rows)


def _rewrite(path: Path, aside: Path, rule: Rule) -> None:
    """The file without the words, group by group, in the same order and schema."""
    with (
        pq.ParquetFile(readable(path)) as file,
        pq.ParquetWriter(aside, file.schema_arrow, compression="zstd", compression_level=3) as out,
    ):
        for group in range(file.num_row_groups):
            out.write_table(rule.apply(file.read_row_group(group)))


@contextmanager
def _rewritten(lake: Lake, path: Path) -> Iterator[Path]:
    """A place aside whose file is renamed over `path` at the end; where its directory has gone meanwhile, so have its words."""
    store = store_of(path)
    seen = store.seen([path])
    with store.scratch(lake.root, "forget") as place:
        yield place / path.name
        with suppress(FileNotFoundError):
            store.bring_file(place / path.name, path, seen)


def _record(lake: Lake, path: Path, table: str) -> None:
    """Makes what is recorded of a file fit it: the note of its directory, or of the closing that wrote it."""
    rows, name = pq.read_metadata(readable(path)).num_rows, str(path.relative_to(lake.root))
    if (note_path := path.parent / NOTE).is_file():
        if path not in store_of(path).files_in(path.parent):
            return  # of an attempt that did not come through
        note = note_of(path.parent)
        note["rows"][table], note["sha256"][f"{table}.parquet"] = rows, sha256(path)
        write_file(note_path, json.dumps(note, indent=1).encode())
    elif (record := closing(lake, path.parent.name.partition("=")[2])) and name in record.files:
        files = record.files | {name: Written(rows, path.stat().st_size, sha256(path))}
        replace(record, files=files).write(lake)


def _erase_staged(lake: Lake, going: Going) -> int:
    """Blanks what shards left for commits that are still to come."""
    if going.articles or going.entries or going.sources:
        for path in (lake.root / "staging").glob("[!.]*/*/came_in.*parquet"):
            with suppress(FileNotFoundError), _rewritten(lake, path) as aside:  # by name it only matters to a message
                rows = pq.read_table(readable(path), partitioning=None)
                pq.write_table(rows.set_column(rows.schema.get_field_index("name"), "name", rows["id"]), aside)
    rules = {table: [Rule("entry_id", _array(going.entries), blank)] for table, blank in WORDLESS.items()}
    for table, blank in _STAGED_BY_ARTICLE.items():
        rules.setdefault(table, []).append(Rule("article_id", _array(going.articles), blank))
    count = 0
    for table, of_table in rules.items():
        for path in (lake.root / "staging").glob(f"[!.]*/*/{table}.*parquet"):
            for rule in of_table:
                with suppress(FileNotFoundError):  # committed meanwhile
                    if _has(path, rule):
                        with _rewritten(lake, path) as aside:
                            _rewrite(path, aside, rule)
                        count += 1
    return count
