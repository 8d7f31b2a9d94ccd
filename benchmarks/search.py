"""What an answer of `newsmill search` costs over many articles: by the index, against reading the articles for the same.

Wall time in one process, after one question to warm up; the questions are words of every frequency, one to three, and phrases.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.made_up import WORDS, text
from benchmarks.table import Line, Options, Table
from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.search import Pass, catch_up, index, look, parse_question
from pipeline.lake.views import prepare
from schemas import ids
from schemas.article import Article
from schemas.columns import to_arrow

START, DAYS, ARTICLES, QUESTIONS, WHOLE, READ_THROUGH = datetime(2026, 10, 1, 8, tzinfo=UTC), 60, 200_000, 200, 40, 10
LIMIT_MS = 10.0


def fill(lake: Lake, articles: int, days: int) -> list[str]:
    """So many articles of about 2,800 characters, a batch a day; the titles of some."""
    titles = []
    for day in range(days):
        at = START + timedelta(days=day)
        rows = [_article(at, n) for n in range(articles // days)]
        titles += [row.title for row in rows[:5]]
        tables = {"articles": to_arrow(rows, Article)}
        commit(lake, Parcel(BatchRef(batch_id_of(at), "read"), tables), Timing(timedelta(0)))
    return titles


def _article(at: datetime, number: int) -> Article:
    key = ids.content_hash(f"{at} {number}")[:20]
    return Article(
        article_id=f"a_{key}", version_id=f"v_{key}", entry_id=f"e_{key}", revision="r", feed_id="f", source=f"S{number % 20}",
        title=text(9), text="\n".join(text(50) for _ in range(9)), language=("de", "en")[number % 2], seen_at=at,
        text_hash=key, extractor="x",
    )  # fmt: skip


def questions(titles: list[str], count: int) -> list[str]:
    """Words of every frequency, three of four questions with one to three of them, the others a phrase of two that is there."""
    dice = random.Random(7)
    made = []
    for number in range(count):
        if number % 4:
            made.append(" ".join(WORDS[int(len(WORDS) ** dice.random()) - 1] for _ in range(number % 4)))
        else:
            words = dice.choice(titles).split()
            made.append(f'"{" ".join(words[2:4])}"')
    return made


def milliseconds(act: Callable[[str], object], asked: list[str]) -> tuple[float, float]:
    """Median and 95th percentile."""
    act(asked[0])
    taken = []
    for question in asked:
        began = time.perf_counter()
        act(question)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18]


def measure(options: Options) -> Table:
    articles, days, count = (60, 3, 8) if options.tiny else (ARTICLES, DAYS, QUESTIONS)
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        asked = questions(fill(lake, articles, days), count)
        last = (START + timedelta(days=days - 1)).date()
        with connect(lake.root) as con:
            at = Pass(lake=lake, con=con)
            began = time.perf_counter()
            with catch_up(at) as (indexes, done):
                took = time.perf_counter() - began
            size = sum(path.stat().st_size for path in (lake.root / "search").rglob("*"))
            span = START.date(), last
            alone = milliseconds(lambda q: [index.find(each, parse_question(q, *span), None, 50) for each in indexes], asked)
            whole = milliseconds(lambda q: look(at, parse_question(q, *span), 10), asked[:WHOLE])
            few = asked[: 2 if options.tiny else READ_THROUGH]
            read = milliseconds(lambda q: look(at, parse_question(q, *span), 10, inside=True), few)
    lines = [
        Line(what="the index alone, 95th percentile", figure=alone[1], unit="ms", limit=LIMIT_MS),
        Line(what="the index alone, median", figure=alone[0], unit="ms"),
        Line(what="the whole answer, median", figure=whole[0], unit="ms", peer=read[0]),
        Line(what="the whole answer, 95th percentile", figure=whole[1], unit="ms", peer=read[1]),
        Line(what="documents indexed in a second", figure=done.articles / took, unit=""),
        Line(what="bytes of the index per article", figure=size / done.articles, unit="B"),
    ]
    title = (
        f"{done.articles} articles over {days} days, {count} questions; {WHOLE} of them answered whole, {len(few)} without index"
    )
    return Table(title=title, against="in the articles", lines=lines)
