"""SQL of strangers: what hostile statements (tests/untrusted/) changed, learnt and outstayed; what confining a question costs."""

import tempfile
from datetime import date
from pathlib import Path

from benchmarks.table import Line, Options, Table, median_seconds
from pipeline.lake import connect
from pipeline.untrusted import ask
from tests.lake.sample import add_day, made
from tests.untrusted.hostile import put


def measure(options: Options) -> Table:
    with tempfile.TemporaryDirectory() as place:
        lake, outside = made(Path(place) / "lake"), Path(place) / "place"
        add_day(lake, date(2026, 10, 30))
        outside.mkdir()
        told = put(lake.root, outside, most=5 if options.tiny else None)
        question, rounds = "SELECT company_id, count(*) FROM mentions GROUP BY 1", 1 if options.tiny else 9

        def plainly() -> None:
            with connect(lake.root) as con:
                con.execute(question).fetchall()

        return Table(
            title=f"{told.statements} hostile statements, limit 3 s each; one question with and without a process of its own",
            against="plainly",
            lines=[
                Line(what="changed", figure=len(told.changed), unit="", limit=0),
                Line(what="leaked", figure=len(told.leaked), unit="", limit=0),
                Line(what="late", figure=len(told.late), unit="", limit=0),
                Line(
                    what="a question", figure=1000 * median_seconds(lambda: ask(lake.root, question), rounds),
                    unit="ms", peer=1000 * median_seconds(plainly, rounds),
                ),
            ],
        )  # fmt: skip
