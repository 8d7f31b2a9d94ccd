"""First questions to a lake in S3 beside the same lake in a directory, and the requests each makes: moto's server on loopback.

33 closed days, two of which no month's file holds, and an open one. A server on the same machine answers in milliseconds and
shares its processor with who asks: the ratio says what asking costs beside the way to a real one, the requests what that adds.
"""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from unittest.mock import patch

from benchmarks.asked import asks
from benchmarks.made_up import batch
from benchmarks.table import Line, Options, Table, median_seconds
from pipeline.lake import connect
from pipeline.lake.close import close
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.retire import Rules
from pipeline.lake.views import prepare
from pipeline.s3 import client, place_of
from tests.s3_server import Bucket, bucket

START, GRACE = datetime(2026, 10, 1, 8, tzinfo=UTC), timedelta(hours=6)
WEEK = "DATE '2026-10-10', DATE '2026-10-16'"


def measure(options: Options) -> Table:
    days, articles = (1, 5) if options.tiny else (34, 60)
    with tempfile.TemporaryDirectory() as place, bucket() as server, patch.dict(os.environ, server.environ):
        local, remote = Lake(Path(place) / "lake"), Lake(place_of("s3://news/lake"))
        for lake in (local, remote):
            lake.open_for_writing()
            prepare(lake)
        for day in range(days):
            at = START + timedelta(days=day)
            for stage, tables in batch(at, articles, 20).items():
                for lake in (local, remote):
                    commit(lake, Parcel(BatchRef(batch_id_of(at), stage), tables), Timing(timedelta(0)))
        now = START + timedelta(days=days - 1, hours=2)
        for lake in (local, remote):
            close(lake, Timing(timedelta(0), lambda: now), Rules(GRACE), lambda _line: None)
        lines = _lines(local, remote, server, 1 if options.tiny else 5)
        client.forget()
    return Table(
        title=f"{days} days of {articles} articles, in S3 and in a directory, wall time", against="directory", lines=lines
    )


def _lines(local: Lake, remote: Lake, server: Bucket, rounds: int) -> list[Line]:
    with connect(local.root) as con:
        ((article, day),) = con.execute("SELECT article_id, date FROM articles ORDER BY date, article_id LIMIT 1").fetchall()
    lines: list[Line] = []
    for what, query in (
        ("a company's week", f"FROM news_for('company-7', {WEEK})"),
        ("movers of a day", "FROM movers(DATE '2026-10-16')"),
        ("an article by id and date", f"SELECT title, text FROM articles WHERE article_id = '{article}' AND date = DATE '{day}'"),
        ("the last visits of all feeds", "FROM feeds"),
    ):
        ours, theirs = (median(_first(lake, query) for _ in range(rounds)) for lake in (local, remote))
        with connect(remote.root) as con, server.counted() as asked:
            con.execute(query).fetchall()
            read = {path for method, path in server.asked if method == "GET"}
        lines += [
            Line(what=what, figure=theirs, unit="ms", peer=ours),
            Line(what="  listings", figure=asked["LIST"], unit=""),
            Line(what="  reads", figure=asked["GET"], unit=""),
            Line(what="  files read", figure=len(read), unit=""),
        ]
    return lines


def _first(lake: Lake, query: str) -> float:
    """Milliseconds of the first question that a connection is asked."""
    with connect(lake.root) as con:
        return median_seconds(asks(con, query), 1) * 1000
