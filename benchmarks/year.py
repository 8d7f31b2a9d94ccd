"""A closed year of a large lake, made up in bulk: what the closer would have left, but for the records of what it took.

Articles lie in files of a day, the narrow tables in files of a month, sorted and cut by the house's own compactor; the last day
is hot, in eight batches. One article in five repeats the text of another, one in fifty has been replaced, one in ten is an ad.
An article names one or two of 2,339 companies, few of them very often. Without text there are only the tables that questions of
days and weeks read.
"""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter

from benchmarks import made_up
from pipeline.lake import connect
from pipeline.lake.compact import Compactor, Stamped
from pipeline.lake.layout import Lake
from pipeline.lake.views import prepare
from pipeline.lake.watermark import Watermark, last_day, move
from schemas import TABLES, contract

#: The year ends on a hot day in the middle of a month, so that views read months, days and batches.
LAST = date(2026, 11, 15)
COMPANIES, FEEDS, BATCHES, SENTENCES, A_TEXT = 2339, 200, 8, 2000, 14
MADE = 3  # raised when what is made here changes
WITHOUT_TEXT = ("visits", "articles", "relations", "sentiments", "superseded", "companies")
_STAGE = {"pull": ("visits", "entries"), "tag": ("taggings", "mentions", "sentiments", "companies")}
_SUPERSEDED = "n % 50 = 7"

_MACROS = f"""
CREATE MACRO u(n, salt) AS (hash(n, salt) % 1000000) / 1e6;
CREATE MACRO made_id(kind, n) AS kind || '_' || substr(md5(kind || n), 1, 20);
CREATE MACRO firm(n, k) AS 'company-' || floor(pow({COMPANIES}, u(n, 'firm' || k)))::INT;
CREATE MACRO original(n) AS CASE WHEN n % 5 = 4 THEN n - 1 ELSE n END;
"""
#: Sentences of which texts are made; a literal, as a variable would be one connection's alone.
_POOL = "[" + ", ".join(f"'{made_up.text(24)}'" for _ in range(SENTENCES)) + "]"
_SENTENCE = f"{_POOL}[1 + (hash({{n}}, i) % {SENTENCES})::INT] || i + {{n}}"
_TEXT = f"array_to_string(list_transform(range({A_TEXT}), lambda i: {_SENTENCE}), chr(10))"


@dataclass(frozen=True, slots=True)
class Year:
    """A made-up lake: how many articles over how many days, with or without text and what comes with it."""

    root: Path
    articles: int
    days: int = 365
    text: bool = True

    @property
    def first(self) -> date:
        return LAST - timedelta(days=self.days - 1)

    @property
    def each_day(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]

    @property
    def tables(self) -> tuple[str, ...]:
        # what stages remember of hosts is read by no question
        left_out = ("late_commits", "forgotten", "feed_state", "hosts", "robots")
        return tuple(name for name in TABLES if name not in left_out) if self.text else WITHOUT_TEXT

    def make(self, say: Callable[[str], None]) -> Lake:
        """The lake, made if it is not there yet as it is made now."""
        lake, note = Lake(self.root), self.root / "made.json"
        said = json.dumps([MADE, self.articles, self.days, self.text, contract.current()])
        if not note.exists() or note.read_text() != said:
            shutil.rmtree(self.root, ignore_errors=True)
            lake.open_for_writing()
            prepare(lake)
            began = perf_counter()
            self._fill(lake, say)
            say(f"made {self.articles:,} articles of {self.days} days in {perf_counter() - began:.0f} s")
            note.write_text(said)
        prepare(lake)
        return lake

    def _fill(self, lake: Lake, say: Callable[[str], None]) -> None:
        with connect(lake.root) as con:
            types = {t: {c[0]: c[1] for c in con.execute(f"DESCRIBE lake.{t}").fetchall() if c[0] != "date"} for t in TABLES}
        closed = self.each_day[:-1]
        months = sorted({f"{day:%Y-%m}" for day in closed if last_day(f"{day:%Y-%m}") < LAST})
        with ThreadPoolExecutor(2) as pool:
            parts = [(month, [day for day in closed if f"{day:%Y-%m}" == month]) for month in [*months, f"{LAST:%Y-%m}"]]
            for done in pool.map(lambda part: self._month(lake, types, part[0], part[1], whole=part[0] in months), parts):
                say(f"made {done}")
        maker = _Maker(self, lake, types)
        for batch in range(BATCHES):
            maker.batch(LAST, batch)
        if "entries" in self.tables:
            before = [lake.cold("visits", closed[-1])], [lake.cold("entries", closed[-1])]
            maker.snapshot(closed[-1], *before)
        maker.close()
        move(lake, Watermark(closed[-1], months[-1] if months else None, LAST, late=False))

    def _month(self, lake: Lake, types: dict[str, dict[str, str]], month: str, days: list[date], *, whole: bool) -> str:
        maker = _Maker(self, lake, types)
        for table in self.tables:
            if TABLES[table].narrow and whole:
                maker.cold(table, month, days)
            else:
                for day in days:
                    maker.cold(table, day, [day])
        maker.close()
        return month


class _Maker:
    """Writes files of one lake through a compactor of its own."""

    def __init__(self, year: Year, lake: Lake, types: dict[str, dict[str, str]]) -> None:
        self._year, self._lake, self._types = year, lake, types
        self._aside = lake.root / "staging" / f".made.{os.urandom(6).hex()}"
        self._aside.mkdir(parents=True)
        self._compactor = Compactor.open(self._aside, set())
        con = self._compactor.con
        con.execute("SET memory_limit = '2GB'")
        con.execute(_MACROS)

    def close(self) -> None:
        self._compactor.con.close()
        shutil.rmtree(self._aside)

    def cold(self, table: str, period: date | str, days: list[date]) -> None:
        query = " UNION ALL ".join(self._rows(table, day, dated=isinstance(period, str)) for day in days)
        self._place(table, query, self._lake.cold(table, period))

    def batch(self, day: date, number: int) -> None:
        for table in self._year.tables:
            stage = next((stage for stage, tables in _STAGE.items() if table in tables), "read")
            place = self._lake.hot_day(day) / f"{day:%Y%m%d}T{number * 24 // BATCHES:02d}0000Z-{stage}"
            place.mkdir(parents=True, exist_ok=True)
            (place / "confirmed").touch()
            self._place(
                table, f"FROM ({self._rows(table, day)}) WHERE batch_id = '{place.name[:16]}'", place / f"{table}.parquet"
            )

    def snapshot(self, day: date, visits: list[Path], entries: list[Path]) -> None:
        columns = [self._lake.schema_files("hot") / "feed_state.parquet"]
        stamp = Stamped(f"{day:%Y%m%d}T230000Z", datetime.combine(LAST, time(6), UTC))
        self._compactor.feed_state(visits, entries, columns, stamp)
        self._move("feed_state", self._lake.cold("feed_state", day))

    def _place(self, table: str, query: str, path: Path) -> None:
        self._compactor.write(table, query)
        self._move(table, path)

    def _move(self, table: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        (self._aside / f"{table}.parquet").replace(path)

    def _rows(self, table: str, day: date, *, dated: bool = False) -> str:
        """The rows of a table of one day, in the contract's columns; what nobody asks for is empty."""
        past = (day - self._year.first).days
        low, high = (self._year.articles * n // self._year.days for n in (past, past + 1))
        rows, own = _of_table(table, low, high, past, text=self._year.text)
        at = f"(TIMESTAMPTZ '{day} 00:00:00+00' + INTERVAL (slot * {24 // BATCHES}) HOUR)"
        stamp = {
            "batch_id": f"'{day:%Y%m%d}T' || lpad((slot * {24 // BATCHES})::VARCHAR, 2, '0') || '0000Z'",
            "stage": f"'{next((stage for stage, tables in _STAGE.items() if table in tables), 'read')}'",
            "pipeline_version": "'0.1.0'",
            "available_at": f"{at} + INTERVAL 5 MINUTE",
            "seen_at": f"{at} + INTERVAL 1 MINUTE",
            "visited_at": f"{at} + INTERVAL 1 MINUTE",
            "news_at": f"{at} + INTERVAL 5 MINUTE",
            "feed_id": f"'feed-' || n % {FEEDS}",
            "source": f"'Publisher ' || n % {FEEDS // 4}",
            "language": "if(n % 2 = 0, 'de', 'en')",
        }
        known = stamp | own
        columns = [
            f'CAST({known[name] if name in known else _EMPTY.get(kind, "NULL")} AS {kind}) AS "{name}"'
            for name, kind in self._types[table].items()
        ]
        return f"SELECT {', '.join(columns)}{f', DATE {day.isoformat()!r} AS date' if dated else ''} FROM ({rows})"


_EMPTY = {"VARCHAR": "''", "BIGINT": "0", "DOUBLE": "0", "BOOLEAN": "false"}


def _of_table(table: str, low: int, high: int, past: int, *, text: bool) -> tuple[str, dict[str, str]]:
    """A query for n (and k) of a table's rows of a day, in the slot of their batch, and its own columns in terms of these."""
    slot = f"n % {BATCHES} AS slot"
    numbers = f"SELECT range AS n, {slot} FROM range({low}, {high})"
    article = {name: f"made_id('{letter}', n)" for name, letter in (("article_id", "a"), ("version_id", "v"), ("entry_id", "e"))}
    article |= {"revision": "made_id('r', n)", "tagging_id": "made_id('t', n)"}
    url = "'https://www.publisher-' || n % 50 || '.example/wirtschaft/artikel-' || made_id('x', n)"
    genre = "if(n % 10 = 3, 'promotion', NULL)"
    title = "'Company ' || original(n) % 3000 || ' meldet Zahlen und hebt die Prognose ' || md5('t' || original(n))"
    news = {"title": title, "words": "[md5('e' || n)[:12]]", "url": url, "source": f"'Publisher ' || n % {FEEDS // 4}"}
    news |= {"language": "if(n % 2 = 0, 'de', 'en')", "genre": genre}
    several = f"SELECT n, slot, unnest(range(1, {{most}})) AS k FROM ({numbers})"
    of: dict[str, tuple[str, dict[str, str]]] = {
        "visits": (
            f"SELECT range % {FEEDS} AS n, range // {FEEDS} AS slot FROM range({FEEDS * BATCHES})",
            {"visit_id": f"made_id('f', n || '-' || slot || '-{past}')", "outcome": "'parsed'", "url": "'https://f.example'",
             "next_due_at": f"TIMESTAMPTZ '{LAST} 23:00:00+00'", "entries_seen": "30", "status": "200"},
        ),
        "entries": (
            numbers,
            article | {"title": title, "url": url, "number": "1", "wording": "made_id('w', n)", "key": url,
                       "visit_id": "made_id('f', n)"},
        ),
        "pages": (numbers, {"page_id": "made_id('p', n)", "url": url, "host": "'publisher-' || n % 50"} | article),
        "articles": (
            numbers,
            {"title": title, "url": url, "text": _TEXT.replace("{n}", "original(n)") if text else "''", "extractor": "'x'",
             "genre": genre, "text_hash": "md5('x' || original(n))", "change_type": "'new'",
             "body_sha256": "sha256('b' || n)", "access": "'free'"} | article,
        ),
        "article_keys": (numbers, {"key": url, "basis": "'link'", "rule": "'1'"} | article),
        "relations": (
            f"FROM ({numbers}) WHERE n % 5 = 4",
            {"other_version_id": "made_id('v', n - 1)", "other_article_id": "made_id('a', n - 1)", "kind": "'duplicate_of'",
             "method": "'exact-1'", "containment": "1", "lag_s": "60", "story_id": "made_id('a', n - 1)"} | article,
        ),
        "taggings": (numbers, {"tagger": "'rules-3'", "registry": "'1'", "mentions": "3", "companies": "1"} | article),
        "mentions": (
            several.format(most=4),
            {"company_id": "firm(n, 1 + k % 2)", "name": "firm(n, 1 + k % 2)", "field": "if(k = 1, 'title', 'text')",
             "start": "k * 40",
             "end": "k * 40 + 12", "surface": "firm(n, 1 + k % 2)", "link_score": "1", "alias_kind": "'name'"} | article,
        ),
        "sentiments": (
            # the article as a whole (0), the company it is about, and in half of them another
            f"FROM (SELECT n, slot, unnest(range(2 + n % 2)) AS k FROM ({numbers}))",
            {"company_id": "if(k = 0, NULL, firm(n, k))", "score": "round(2 * u(n, 'score' || k) - 1, 3)",
             "sentiment": "(hash(n, k, 's') % 3)::INT - 1", "p_negative": "0.25", "p_neutral": "0.5", "p_positive": "0.25",
             "relevance": "1.0 / greatest(k, 1)", "in_headline": "k = 1",
             "evidence": "[{'field': 'text', 'start': 40, 'end': 52}]"}
            | {f"news_{name}": value for name, value in news.items()} | article,
        ),
        "outcomes": (numbers, {"code": "'article'", "kept": "true", "final": "true", "attempt": "1", "title": title} | article),
        "superseded": (f"FROM ({numbers}) WHERE {_SUPERSEDED}", {"id": "made_id('v', n)", "kind": "'version'"} | article),
        "companies": (
            f"SELECT range + 1 AS n, 0 AS slot FROM range({COMPANIES}) "
            f"WHERE {past} % 30 = 0 AND ({past} = 0 OR range % 100 = {past} // 30)",
            {"company_id": "'company-' || n", "name": "'Company ' || n", "record_id": f"'c_' || n || '-{past}'"},
        ),
    }  # fmt: skip
    return of[table]
