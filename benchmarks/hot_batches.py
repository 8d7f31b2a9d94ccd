"""What opening a lake and asking it for work costs as its hot batches grow: four times the batches, how many times the time?

    .venv/bin/python benchmarks/hot_batches.py

Prints medians of five and the ratios; a ratio of 4 is growth in proportion, less is better.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.views import prepare
from pipeline.lake.work import due_entries, last_visits, untagged
from schemas.article import Article
from schemas.columns import to_arrow
from schemas.feed import Entry, KeyBasis, Visit, VisitCode
from schemas.outcome import Outcome, OutcomeCode
from schemas.tag import Tagging

START, PER_BATCH, FEEDS = datetime(2026, 11, 22, tzinfo=UTC), 30, 50
TEXT = "Orders rose again in the quarter, and the company raised its forecast for the year. " * 30


def fill(lake: Lake, batches: int) -> None:
    """As many batches of the three stages, each with 30 articles of 50 feeds, everything settled."""
    timing = Timing(timedelta(0))
    for number in range(batches):
        at = START + timedelta(minutes=5 * number)
        batch = batch_id_of(at)
        keys = [f"{number}-{i}" for i in range(PER_BATCH)]
        known = {"feed_id": "f", "source": "S", "title": "T"}
        visits = [
            Visit(visit_id=f"{batch}{i}", feed_id=f"{i}", source="S", url="https://s.example/", visited_at=at,
                  outcome=VisitCode.PARSED, next_due_at=at, due_rule="interval") for i in range(FEEDS)
        ]  # fmt: skip
        entries = [
            Entry(entry_id=k, revision=k, wording=k, visit_id="v", seen_at=at, position=0, key=k, key_basis=KeyBasis.GUID,
                  summary=TEXT[:300], **known) for k in keys
        ]  # fmt: skip
        outcomes = [
            Outcome(entry_id=k, revision=k, attempt=1, code=OutcomeCode.ARTICLE, kept=True, final=True, ended_at=at, **known)
            for k in keys
        ]
        articles = [
            Article(
                article_id=k, version_id=k, entry_id=k, revision=k, text=TEXT, seen_at=at, text_hash=k, extractor="x", **known
            )
            for k in keys
        ]
        taggings = [
            Tagging(tagging_id=k, version_id=k, article_id=k, news_at=at, tagger="x", registry="x", mentions=0, companies=0)
            for k in keys
        ]
        tables = {
            "pull": {"visits": to_arrow(visits, Visit), "entries": to_arrow(entries, Entry)},
            "read": {"outcomes": to_arrow(outcomes, Outcome), "articles": to_arrow(articles, Article)},
            "tag": {"taggings": to_arrow(taggings, Tagging)},
        }
        for stage, rows in tables.items():
            commit(lake, Parcel(BatchRef(batch, stage), rows), timing)


def median_ms(act: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(batches: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place) / "lake")
        lake.open_for_writing()
        prepare(lake)
        fill(lake, batches)
        with connect(lake.root) as con:
            return {
                "connect": median_ms(lambda: connect(lake.root).close()),
                "last visits": median_ms(lambda: last_visits(con)),
                "due entries": median_ms(lambda: due_entries(con, START + timedelta(days=9))),
                "untagged": median_ms(lambda: untagged(con)),
            }


if __name__ == "__main__":
    few, many = measure(75), measure(300)
    for what, ms in many.items():
        print(f"{what:12s} {few[what]:7.1f} ms with 75 batches, {ms:7.1f} ms with 300: {ms / few[what]:.1f} times")
