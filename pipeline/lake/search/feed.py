"""Brings the indexes up to what the lake holds: what was committed since is added, what is unusable is made anew. I/O."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.lake.durable import make_dirs
from pipeline.lake.layout import Lake
from pipeline.lake.lock import guarded
from pipeline.lake.search.index import field_of, open_index
from pipeline.lake.search.shards import GUARD, Indexed, Shard, shards_of
from pipeline.lake.store import only_in_directory
from pipeline.lake.watermark import Watermark, watermark

if TYPE_CHECKING:
    import tantivy

Watch = Callable[[str, int, int], None]
Say = Callable[[str], None]
#: What one writer may hold in memory before it writes a segment, and how long one that comes second waits by default.
HEAP, PATIENCE = 128_000_000, timedelta(seconds=2)

_COLUMNS = "version_id, article_id, batch_id, lower(source) AS source, lower(language) AS language, date, title, text"
_ROWS = """
SELECT {columns} FROM lake.articles
WHERE date IN ({days}) AND batch_id IN $batches AND article_id NOT IN (SELECT id FROM lake.forgotten)
"""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What one pass added: articles, into how many months, and the months that were made anew because they were unusable."""

    articles: int = 0
    months: int = 0
    anew: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What is to be brought up to date: the lake as a connection shows it, from and through which day."""

    lake: Lake
    con: duckdb.DuckDBPyConnection
    since: date = date.min
    until: date = date.max
    say: Say = lambda _line: None
    watch: Watch = lambda _what, _done, _of: None

    def months(self) -> dict[str, list[date]]:
        """The months asked for, each with all its days that the lake has."""
        found: dict[str, list[date]] = defaultdict(list)
        asked: set[str] = set()
        for day in sorted({*self.lake.days("hot"), *self.lake.days("cold/articles")}):
            found[f"{day:%Y-%m}"].append(day)
            if self.since <= day <= self.until:
                asked.add(f"{day:%Y-%m}")
        return {month: days for month, days in found.items() if month in asked}


@contextmanager
def catch_up(
    at: Pass, *, rebuild: bool = False, whole: bool = False, patience: timedelta = PATIENCE
) -> "Iterator[tuple[list[tantivy.Index], CaughtUp]]":
    """The indexes of these months, up to date, held against other writers until the end.

    `rebuild` makes all of them anew; `whole` also those of which a byte is not as it was written.

    Raises:
        LakeBusy: another process has been writing them for longer than `patience`.
    """
    only_in_directory(at.lake.root, "the index for `newsmill search`", "without --rebuild it reads the articles instead")
    with guarded(at.lake, GUARD, patience=patience):
        if rebuild:
            for shard in shards_of(at.lake):  # also of months that the lake does not have any more
                shard.remove()
        mark, done, indexes = watermark(at.lake), CaughtUp(), []
        for month, days in at.months().items():
            shard = Shard(at.lake, month)
            there = shard.opened(whole=whole)
            if there is None and shard.place.exists():
                at.say(f"the index of {month} is damaged, half-written or of other code; it is made anew")
                done = CaughtUp(done.articles, done.months, (*done.anew, month))
            there, added = _brought_up(at, shard, there, mark, days)
            done = CaughtUp(done.articles + added, done.months + bool(added), done.anew)
            indexes.append(there)
        yield indexes, done


def behind(at: Pass) -> "tuple[list[tantivy.Index], int]":
    """The indexes of these months as they are, while somebody else writes them, and how many batches they lack."""
    mark, lacking, indexes = watermark(at.lake), 0, []
    for month, days in at.months().items():
        there = Shard(at.lake, month).opened()
        wanted = _wanted(at, there[1] if there else Indexed(), mark, days)
        have = there[1].batches if there else {}
        lacking += sum(len(names - have.get(day, frozenset())) for day, names in wanted.items())
        indexes += [there[0]] if there else []
    return indexes, lacking


def _brought_up(
    at: Pass, shard: Shard, there: "tuple[tantivy.Index, Indexed] | None", mark: Watermark, days: list[date]
) -> "tuple[tantivy.Index, int]":
    """The month's index with all that the lake has of it, and how many articles were added."""
    if there is None:
        shard.remove()
        make_dirs(shard.place)
        there = open_index(shard.place, new=True), Indexed()
    index, had = there
    wanted = _wanted(at, had, mark, days)
    new = {day: names - had.batches.get(day, frozenset()) for day, names in wanted.items()}
    gone = {name for day, names in had.batches.items() for name in names - wanted.get(day, frozenset())}
    added = _write(at, index, {day: names for day, names in new.items() if names}, gone) if gone or any(new.values()) else 0
    through = max((day for day in days if mark.covers(day)), default=None)
    now = Indexed(through, {day: frozenset(names) for day, names in wanted.items() if not mark.covers(day)})
    if now != had or added or shard.state() is None:
        shard.write_state(now)
    return index, added


def _wanted(at: Pass, had: Indexed, mark: Watermark, days: list[date]) -> dict[date, set[str]]:
    """The batches with articles of every day that is not known to be indexed whole."""
    wanted: dict[date, set[str]] = {}
    for day in (day for day in days if not had.through or day > had.through):
        if mark.covers(day):
            found = at.con.execute(f"SELECT DISTINCT batch_id FROM lake.articles WHERE date = DATE '{day}'").fetchall()
            wanted[day] = {name for (name,) in found}
        else:
            placed = at.lake.hot_day(day).glob("*-read/articles.parquet")
            wanted[day] = {path.parent.name.removesuffix("-read") for path in placed}
    return wanted


def _write(at: Pass, index: "tantivy.Index", new: dict[date, set[str]], gone: set[str]) -> int:
    """Adds the articles of new batches; what of them was there already, by a writer that was killed, goes first."""
    writer = index.writer(HEAP, 1)
    for batch in [*gone, *(name for names in new.values() for name in names)]:
        writer.delete_documents_by_term("batch_id", batch)
    added = _add(at, writer, new) if new else 0
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return added


def _add(at: Pass, writer: "tantivy.IndexWriter", new: dict[date, set[str]]) -> int:
    days = ", ".join(f"DATE '{day}'" for day in new)
    bound = {"batches": sorted({name for names in new.values() for name in names})}
    ((there,),) = at.con.execute(_ROWS.format(columns="count(*)", days=days), bound).fetchall()
    added = 0
    for rows in at.con.sql(_ROWS.format(columns=_COLUMNS, days=days), params=bound).to_arrow_reader(1000):
        for row in rows.to_pylist():
            writer.add_document(_document(row))
        added += rows.num_rows
        at.watch(f"indexing {min(new):%Y-%m}", added, there)
    return added


def _document(row: dict[str, Any]) -> "tantivy.Document":
    from tantivy import Document

    name = field_of(row["language"])
    words = {f"title_{name}": row["title"], f"text_{name}": row["text"], "language": row["language"] or ""}
    ids = {key: row[key] for key in ("version_id", "article_id", "batch_id", "source")}
    return Document(day=row["date"].toordinal(), **words, **ids)
