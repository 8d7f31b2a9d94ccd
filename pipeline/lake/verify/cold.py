"""Checks the closed days and months: every file of a record is there as it was written, and no other. I/O, reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LakeError
from pipeline.lake.definitions import copied, definitions
from pipeline.lake.layout import SCHEMA_DAY, Lake
from pipeline.lake.literal import quoted
from pipeline.lake.store import store_of
from pipeline.lake.verify.file import Said, look, wrong_columns
from pipeline.lake.verify.finding import Finding, Watch, error, restored, warning
from pipeline.lake.verify.hot import Sources, not_evolved
from pipeline.lake.verify.marks import Marks
from pipeline.lake.views import is_current
from pipeline.lake.watermark import Closing
from pipeline.s3 import readable
from schemas import TABLES, bodies_schema, table_schema

_DATED = pa.field("date", pa.date32())


@dataclass(frozen=True, slots=True)
class _File:
    """A file of cold/: its table and the day or month it holds."""

    path: Path
    table: str
    period: str

    @staticmethod
    def parse(lake: Lake, name: str) -> "_File | None":
        match Path(name).parts:
            case ["cold", table, period, "data.parquet"] if table in TABLES and "=" in period:
                return _File(lake.root / name, table, period.partition("=")[2])
        return None

    @property
    def month(self) -> bool:
        return len(self.period) == 7

    @property
    def contract(self) -> pa.Schema:
        return table_schema(self.table).append(_DATED) if self.month else table_schema(self.table)


def check_cold(lake: Lake, marks: Marks, sources: Sources, watch: Watch) -> Iterator[Finding]:
    """Looks at every file of every record, and for files without one; what views read of it is added to `sources`."""
    listed = [(record, name) for record in marks.records.values() for name in record.files]
    for number, (record, name) in enumerate(listed):
        watch("closed days and months", number, len(listed))
        file = _File.parse(lake, name)
        if file is None:
            yield error("unknown_table", name, "is of a table that this Newsmill does not know", "update Newsmill")
        elif marks.covers(file.period):
            yield from _recorded(lake, marks, sources, file, record)
    yield from _unrecorded(lake, marks, sources, {name for _, name in listed})
    for period, record in marks.records.items():
        if len(period) == 7 and marks.covers(period):
            yield from _month_adds_up(marks, record, erased=bool(sources.files["forgotten"]))


def _recorded(lake: Lake, marks: Marks, sources: Sources, file: _File, record: Closing) -> Iterator[Finding]:
    name = str(file.path.relative_to(lake.root))
    read = _is_read(marks, file)
    if not read and not file.path.exists():
        return
    written = record.files[name]
    seen = look(file.path, Said(written.rows, written.bytes, written.sha256), file.contract)
    if seen.problem and not read:
        remedy = "none is needed: `newsmill lake close` deletes it after its time of grace"
        yield warning(seen.kind, name, f"{seen.problem}; only connections opened before a closing read it", remedy)
    elif seen.problem:
        sources.lost.add(file.table)
        yield error(seen.kind, name, seen.problem, restored(name, _closed_again(lake, marks, file)))
    elif read:
        sources.files[file.table].append(file.path)
        if seen.lacking and file.table not in marks.evolved:
            yield not_evolved(name, file.table, seen.lacking)


def _is_read(marks: Marks, file: _File) -> bool:
    """Whether views read a file of a closed period: not days that are in a month, nor snapshots before the last."""
    if file.month:
        return True
    day = date.fromisoformat(file.period)
    return day == marks.mark.day if TABLES[file.table].snapshot else not marks.in_month(file.table, day)


def _closed_again(lake: Lake, marks: Marks, file: _File) -> str:
    """How a day is closed once more, while all that it and the days after it took is still there; else empty."""
    if file.month or not marks.mark.day or date.fromisoformat(file.period) <= marks.mark.months_through:
        return ""
    since = sorted(p for p in marks.records if len(p) == 10 and file.period <= p <= str(marks.mark.day))
    for period in since:
        day = date.fromisoformat(period)
        if not all((lake.hot_day(day) / name).is_dir() for name in marks.records[period].directories):
            return ""
    before = max((p for p in marks.records if len(p) == 10 and p < file.period), default=None)
    said = f'"day": {f"{chr(34)}{before}{chr(34)}" if before else "null"}'
    return f"set {said} in watermark.json and call `newsmill lake close` while nobody writes: what was closed is still in hot/"


def _unrecorded(lake: Lake, marks: Marks, sources: Sources, listed: set[str]) -> Iterator[Finding]:
    """Files in cold/ that no record names."""
    for path in sorted(p for p in (lake.root / "cold").rglob("*") if p.is_file()):
        name = str(path.relative_to(lake.root))
        file = _File.parse(lake, name)
        if name in listed or path.name.startswith(".") or (file and file.period in (str(SCHEMA_DAY), f"{SCHEMA_DAY:%Y-%m}")):
            continue
        if file is None or not _is_period(file.period):
            yield warning("stranger", name, "was written by no closing", f"move {name} out of the lake")
        elif not marks.covers(file.period):
            problem = "was left by a closing that was broken off"
            yield warning("unfinished", name, problem, "`newsmill lake close` replaces it when its day or month is closed")
        elif file.period in marks.records and _is_read(marks, file):
            yield error("stranger", name, "was written by no closing, and views read it", f"move {name} out of the lake")
        elif _is_read(marks, file):
            sources.files[file.table].append(path)  # its record is missing or damaged, and that has been said


def _is_period(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text if len(text) == 10 else f"{text}-01"))
    except ValueError:
        return False


def _month_adds_up(marks: Marks, record: Closing, *, erased: bool) -> Iterator[Finding]:
    """Compares the rows of a month with those its days' records say; a takedown since may have made them fewer."""
    days = [r for p, r in marks.records.items() if len(p) == 10 and p.startswith(record.period)]
    said: dict[str, int] = {}
    for name, written in ((name, w) for day in days for name, w in day.files.items()):
        table = Path(name).parts[1]
        if table in TABLES and TABLES[table].narrow:
            said[table] = said.get(table, 0) + written.rows
    found = {Path(name).parts[1]: written.rows for name, written in record.files.items()}
    for table in sorted(said.keys() | found.keys()):
        fewer = found.get(table, 0) < said.get(table, 0)
        if found.get(table, 0) != said.get(table, 0) and not (fewer and erased):
            problem = f"has {found.get(table, 0):,} rows of {table}, and its days had {said.get(table, 0):,}"
            place = f"closed/{record.period}.json"
            yield error("rows", place, problem, restored(f"closed/ and cold/{table}"))


def check_copies(lake: Lake, sources: Sources) -> Iterator[Finding]:
    """What news.duckdb copied of small tables is what their files hold: a file may have come or gone since it was written."""
    if sources.lost & {name for name, table in TABLES.items() if table.copied} or not _is_current(lake):
        return  # that is said elsewhere
    with duckdb.connect() as con, store_of(lake.root).local(lake.root / "news.duckdb") as news:
        store_of(lake.root).let_read(con, lake.root)
        con.execute(f"ATTACH {quoted(news)} AS news (READ_ONLY); USE news")
        for name, query in copied(lake).items():
            ask = f"SELECT (SELECT count(*) FROM closed.{name}), (SELECT count(*) FROM ({query}))"
            try:
                ((found, rows),) = con.execute(ask).fetchall()
            except duckdb.InvalidInputException:  # a file that no record names is no such table: that is said elsewhere
                continue
            if found != rows:
                problem = f"has copied {found:,} rows of {name} where closed files hold {rows:,}, and views go by the copy"
                yield error("copied", "news.duckdb", problem, "delete it; any `newsmill run` writes it anew")


def _is_current(lake: Lake) -> bool:
    try:
        return is_current(lake, definitions(lake))
    except (LakeError, ValueError):
        return False


def check_schema_files(lake: Lake) -> Iterator[Finding]:
    """The files without rows, which every view and closing rests on, are there and have every column."""
    schemas = {lake.schema_files("hot") / f"{name}.parquet": table_schema(name) for name in TABLES}
    schemas |= {lake.cold(name, SCHEMA_DAY): table_schema(name) for name in TABLES}
    schemas |= {lake.cold(n, f"{SCHEMA_DAY:%Y-%m}"): table_schema(n).append(_DATED) for n, t in TABLES.items() if t.narrow}
    schemas[lake.schema_files("raw") / "bodies.parquet"] = bodies_schema()
    for path, contract in schemas.items():
        place = str(path.relative_to(lake.root))
        try:
            schema = pq.read_schema(readable(path))
        except FileNotFoundError:
            yield error("schema", place, "is missing, and views read it", "any `newsmill run` puts it back")
        except (pa.ArrowException, OSError):
            yield error("schema", place, "is damaged, and views read it", "delete it; any `newsmill run` puts it back")
        else:
            wrong = wrong_columns(schema, contract)
            lacking = set(contract.names) - set(schema.names)
            if wrong:
                problem = f"has columns that are not as the contract says: {', '.join(wrong)}"
                yield error("schema", place, problem, "delete it; any `newsmill run` puts it back")
            elif lacking:
                problem = f"lacks columns of today: {', '.join(sorted(lacking))}"
                yield warning("schema", place, problem, "any `newsmill run` brings it up to date")
