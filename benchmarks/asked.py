"""Questions of an analyst to a year of 1 M articles, against the same ones to one sorted Parquet file; and to ten such years.

The one file, `news.parquet`, is what one would keep without a lake: a row for every article with its text and a list of its
companies with what is said of each, sorted by time, zstd, in row groups of DuckDB's usual size; `visits.parquet` has every visit,
sorted by time. Both sides are asked by one connection each that has been open before, five times in turn, wall time.
"""

import multiprocessing
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from statistics import median
from time import perf_counter

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.table import Line, Options, Table
from benchmarks.year import LAST, Year
from pipeline.lake import connect

#: Kept between runs, as making it takes longer than asking it.
PLACE = Path("run/bench")
ROUNDS = 5
COMPANY = "company-20"  # one article in 140 names it
DAY = LAST - timedelta(days=40)
WEEK = f"DATE '{DAY}'", f"DATE '{DAY + timedelta(days=6)}'"
TO_LAST = f"DATE '{LAST - timedelta(days=364)}'", f"DATE '{LAST}'"


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the lake, the same to one file, and the limits of its ratio and of its milliseconds."""

    what: str
    lake: str
    file: str
    ratio: float
    ms: float | None = None


_NAMED = "(SELECT *, unnest(companies, max_depth := 2) FROM 'news.parquet' WHERE {})"
_SINCE = "available_at >= {}::TIMESTAMP AT TIME ZONE 'UTC' AND available_at < ({} + 1)::TIMESTAMP AT TIME ZONE 'UTC'"
_COUNTS = "genre IS DISTINCT FROM 'promotion' AND duplicate_of IS NULL AND " + _SINCE

_WEEK_OF_FILE = f"""
    SELECT available_at, title, score, relevance, source, url FROM {_NAMED.format(_COUNTS.format(*WEEK))}
    WHERE company_id = '{COMPANY}' ORDER BY available_at DESC"""

_MOVERS_OF_FILE = f"""
    WITH days AS (
        SELECT company_id, (available_at AT TIME ZONE 'UTC')::DATE AS day, count(DISTINCT story_id) AS n,
               sum(score * relevance) / sum(relevance) AS score, arg_max(title, relevance) AS title
        FROM {_NAMED.format(_COUNTS.format(f"(DATE '{DAY}' - 28)", f"DATE '{DAY}'"))} GROUP BY ALL)
    SELECT company_id, sum(n) FILTER (day = DATE '{DAY}') AS today, avg(n) FILTER (day < DATE '{DAY}') AS usual,
           stddev(n) FILTER (day < DATE '{DAY}') AS spread, avg(score) FILTER (day < DATE '{DAY}') AS usual_score,
           any_value(title) FILTER (day = DATE '{DAY}') AS title
    FROM days GROUP BY company_id HAVING today > 0 ORDER BY abs(today - usual) / greatest(spread, 1) DESC"""

_NIGHT = f"TIMESTAMPTZ '{LAST} 23:00:00+00'"
_FEEDS_OF_FILES = f"""
    WITH visited AS (
        SELECT feed_id, arg_max(outcome, visited_at) AS outcome, max(visited_at) AS last_at, max(next_due_at) AS next_due_at,
               count(*) FILTER (recent) AS visits, count(*) FILTER (recent AND failures > 0) AS failed
        FROM (SELECT *, visited_at > {_NIGHT} - INTERVAL 28 DAY AS recent FROM 'visits.parquet') GROUP BY feed_id),
    came AS (
        SELECT feed_id, count(*) AS articles, count(*) FILTER (genre = 'promotion') AS promotion, max(seen_at) AS last_new_at,
               count(*) FILTER (seen_at > {_NIGHT} - INTERVAL 1 DAY) AS today,
               count(*) FILTER (seen_at > {_NIGHT} - INTERVAL 7 DAY) AS week
        FROM 'news.parquet' WHERE available_at > {_NIGHT} - INTERVAL 28 DAY GROUP BY feed_id)
    FROM visited LEFT JOIN came USING (feed_id)"""

_YEAR = "SELECT date_trunc('month', {}) AS month, count(*), avg(score) FROM {} WHERE company_id = '{}' GROUP BY 1 ORDER BY 1"
_YEAR_OF_LAKE = _YEAR.format("news_at", "{}", COMPANY)


def questions(con: duckdb.DuckDBPyConnection) -> list[Question]:
    """Those of "it is done when"."""
    found = con.execute(f"SELECT article_id FROM lake.articles WHERE date = DATE '{DAY}' ORDER BY 1 LIMIT 1").fetchone()
    article = found[0] if found else ""
    return [
        Question("a company's week", f"FROM news_for('{COMPANY}', {WEEK[0]}, {WEEK[1]})", _WEEK_OF_FILE, 2.0, 50),
        Question("movers of a day", f"FROM movers(DATE '{DAY}')", _MOVERS_OF_FILE, 2.0, 50),
        Question(
            "an article by id and date",
            f"SELECT title, text FROM articles WHERE article_id = '{article}' AND date = DATE '{DAY}'",
            f"SELECT title, text FROM 'news.parquet' WHERE article_id = '{article}' AND date = DATE '{DAY}'", 2.0, 50,
        ),
        Question(
            "the last visits of all feeds", "FROM feeds",
            "FROM 'visits.parquet' QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY visited_at DESC) = 1", 2.0, 50,
        ),
        Question("how each feed is (`feed_status`)", f"FROM lake.feed_status_at({_NIGHT})", _FEEDS_OF_FILES, 2.0, 50),
        Question("a company's year of sentiment", _YEAR_OF_LAKE.format("sentiments"),
                 _YEAR.format("available_at", _NAMED.format("true"), COMPANY), 0.2),
    ]  # fmt: skip


def made(small: Year, large: Year, files: Path) -> None:
    """Makes what is not there yet: both lakes, and the smaller one's rows as one would keep them without a lake."""
    for year in (small, large):
        year.make(lambda line: print(line, file=sys.stderr, flush=True))
    if (files / "made.json").exists() and (files / "made.json").read_text() == (small.root / "made.json").read_text():
        return
    files.mkdir(parents=True, exist_ok=True)
    told = """
        SELECT a.*, companies FROM articles a LEFT JOIN (
            SELECT version_id, list({'company_id': company_id, 'score': score, 'relevance': relevance, 'sentiment': sentiment,
                                     'mixed': mixed, 'in_headline': in_headline}) AS companies
            FROM sentiments WHERE company_id IS NOT NULL AND date = $day GROUP BY version_id) USING (version_id)
        WHERE a.date = $day ORDER BY available_at"""
    with connect(small.root) as con:
        # day after day, as sorting a year of texts at once takes more memory than there may be
        days = (con.sql(told, params={"day": day}).to_arrow_table() for day in small.each_day)
        first = next(days)
        with pq.ParquetWriter(files / "news.parquet", first.schema, compression="zstd") as out:
            every = chain([first], days)
            while group := list(islice(every, 44)):  # days that make a row group of DuckDB's usual size
                out.write_table(pa.concat_tables(group), row_group_size=122_880)
        con.execute(f"COPY (FROM lake.visits ORDER BY visited_at) TO '{files}/visits.parquet' (COMPRESSION zstd)")
    shutil.copy(small.root / "made.json", files)


def in_turn(acts: list[Callable[[], object]], rounds: int) -> list[float]:
    """Median milliseconds of each, each asked once before."""
    taken: list[list[float]] = [[] for _ in acts]
    for number in range(rounds + 1):
        for act, times in zip(acts, taken, strict=True):
            began = perf_counter()
            act()
            if number:
                times.append((perf_counter() - began) * 1000)
    return [median(times) for times in taken]


def asks(con: duckdb.DuckDBPyConnection, query: str) -> Callable[[], object]:
    return lambda: con.execute(query).fetchall()


def measure(options: Options) -> Table:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory())) if options.tiny else PLACE
        small = Year((place / "1m").resolve(), 2000 if options.tiny else 1_000_000, 50 if options.tiny else 365)
        large = Year(
            (place / "10m").resolve(), 4000 if options.tiny else 10_000_000, 2 * small.days if options.tiny else 3650, text=False
        )
        files = small.root.with_name("files")
        # in a process of its own: the memory of those who ask is to be theirs
        making = multiprocessing.get_context("spawn").Process(target=made, args=(small, large, files))
        making.start()
        making.join()
        con, con_large, bare = (stack.enter_context(c) for c in (connect(small.root), connect(large.root), duckdb.connect()))
        bare.execute(f"SET file_search_path = '{files}'; SET TimeZone = 'UTC'")
        return Table(
            title=f"a year of {small.articles:,} articles, and {large.articles:,} without text, wall time",
            against="one file",
            lines=_lines(con, con_large, bare, 1 if options.tiny else ROUNDS),
        )


def _lines(
    con: duckdb.DuckDBPyConnection, large: duckdb.DuckDBPyConnection, bare: duckdb.DuckDBPyConnection, rounds: int
) -> list[Line]:
    lines = []
    for q in questions(con):
        ours, file, tenfold = in_turn([asks(con, q.lake), asks(bare, q.file), asks(large, q.lake)], rounds)
        lines.append(Line(what=q.what, figure=ours, unit="ms", peer=file, limit=q.ratio))
        if q.ms:
            lines.append(Line(what="  in milliseconds", figure=ours, unit="ms", limit=q.ms))
            if "feed" not in q.what and " id " not in q.what:
                lines.append(Line(what="  of 10 M, against 1 M", figure=tenfold, unit="ms", peer=ours, limit=1.3))
    at = f"TIMESTAMPTZ '{LAST} 12:00:00+00'"
    for what, query in (
        ("a company's year as of a moment, against the view", _YEAR_OF_LAKE),
        (
            "a company's week as of a moment, against the view",
            f"SELECT * FROM {{}} WHERE company_id = '{COMPANY}' AND date BETWEEN {WEEK[0]} AND {WEEK[1]}",
        ),
    ):
        then, now = in_turn([asks(con, query.format(f"sentiments_as_of({at})")), asks(con, query.format("sentiments"))], rounds)
        lines.append(Line(what=what, figure=then, unit="ms", peer=now, limit=1.5))
    lines.append(
        Line(what="peak memory", figure=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, unit="MB", limit=1000)
    )
    return lines
