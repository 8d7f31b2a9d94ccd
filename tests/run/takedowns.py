"""A lake with articles in a closed month, a closed day and open days, and what tests ask of it before and after a takedown.

`python -m tests.run.takedowns WHERE ID` takes an article down and kills itself before that step (see tests/run/killed.py).
"""

import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.lake import connect
from pipeline.lake.durable import sha256
from pipeline.lake.layout import Lake
from pipeline.lake.watermark import closing, watermark
from pipeline.run import Target, close_days, take_down
from pipeline.settings import Settings
from tests.run.publisher import Desk, Publisher, page_of

#: Per article the words by which it is found: in its address, its headline and its text.
WORDS = {
    "month": ("aurelia-17", "Aurelia zaps forecasts", "quokka"),
    "stays1": ("borealis-18", "Borealis keeps its course", "wombat"),
    "day": ("cassiopeia-19", "Cassiopeia & partners sue", "numbat"),
    "stays2": ("draconis-20", "Draconis opens a plant", "dingo"),
    "hot": ("eridanus-21", "Eridanus buys a lender", "bilby"),
    "stays3": ("fornax-22", "Fornax hires a chief", "possum"),
}
COPY = ("gemini-23", "Gemini repeats it", "quokka")


def item(name: str) -> dict[str, str]:
    slug, title, _ = WORDS[name]
    return {"guid": slug, "title": title.replace("&", "&amp;"), "path": f"/news/{slug}"}


def text_of(animal: str) -> list[str]:
    return [f"The {animal} of Siemens rose by {n} percent, and the {animal} of BASF fell." for n in (3, 4, 5)]


def publish(publisher: Publisher, *names: str) -> None:
    """The feed lists these articles, and their pages are there."""
    publisher.items = [*map(item, names), *(publisher.items or [])]
    for slug, title, animal in (WORDS[name] for name in names):
        publisher.pages[f"/news/{slug}"] = page_of(title, *text_of(animal))


def fill(run_dir: Path, publisher: Publisher) -> Desk:
    """November is closed as a month, the tenth of December as a day; the fifteenth is open. A second feed carries the same."""
    desk = Desk(run_dir, publisher)
    catalogue = desk.settings.catalogue
    second = catalogue.read_text().replace('"t"', '"u"').replace('/feed"', '/feed?2"').replace('source = "T"', 'source = "U"')
    catalogue.write_text(catalogue.read_text() + second)
    publish(publisher, "month", "stays1")
    desk.batch(timedelta(0))
    publisher.items = [{"guid": COPY[0], "title": COPY[1], "path": f"/news/{COPY[0]}"}, *(publisher.items or [])]
    publisher.pages[f"/news/{COPY[0]}"] = page_of(COPY[1], *text_of(COPY[2]))
    desk.batch(timedelta(hours=1))
    publish(publisher, "day", "stays2")
    desk.batch(datetime(2026, 12, 10, 9, tzinfo=UTC) - desk.now)
    publish(publisher, "hot", "stays3")
    close_days(desk.settings, lambda _line: None, lambda: datetime(2026, 12, 12, tzinfo=UTC))
    desk.batch(datetime(2026, 12, 15, 9, tzinfo=UTC) - desk.now)
    mark = watermark(Lake(desk.settings.lake))
    assert (str(mark.day), mark.month) == ("2026-12-10", "2026-11")
    return desk


def as_filled(desk: Desk) -> Desk:
    """The same lake in the same place, as it was the first time."""
    run, kept = desk.settings.lake.parent, desk.settings.lake.parent.with_name("kept")
    if kept.exists():
        shutil.rmtree(run)
        shutil.copytree(kept, run)
    else:
        shutil.copytree(run, kept)
    return _at(desk, run)


def copy_of(desk: Desk, run_dir: Path) -> Desk:
    """The same lake once more, in a place of its own."""
    shutil.copytree(desk.settings.lake.parent, run_dir, dirs_exist_ok=True)
    return _at(desk, run_dir)


def _at(desk: Desk, run_dir: Path) -> Desk:
    made = Desk.__new__(Desk)
    made.publisher, made.now = desk.publisher, desk.now
    made.settings = replace(desk.settings, lake=run_dir / "lake", catalogue=run_dir / "feeds.toml")
    return made


def words_left(lake: Path, *words: str) -> set[tuple[str, str]]:
    """The files in which one of these words stands, also within compressed columns."""
    found = set()
    for path in (p for p in lake.rglob("*") if p.is_file()):
        bytes_of = path.read_bytes()
        if path.suffix == ".parquet":
            bytes_of += repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
        found |= {(str(path.relative_to(lake)), word) for word in words if word.encode() in bytes_of}
    return found


def unfit_records(lake: Path) -> list[str]:
    """The files whose rows or bytes are not what the note of their directory, or the record of their closing, says."""
    wrong = []
    for note in lake.glob("hot/*/*/commit.json"):
        said = json.loads(note.read_text())
        for name, digest in said["sha256"].items():
            path = note.parent / name
            if (sha256(path), pq.read_metadata(path).num_rows) != (digest, said["rows"][path.stem]):
                wrong.append(str(path))
    for record in lake.glob("closed/*.json"):
        said_of = closing(Lake(lake), record.stem)
        assert said_of is not None
        for name, said in said_of.files.items():
            path = lake / name
            if path.exists() and (sha256(path), path.stat().st_size, pq.read_metadata(path).num_rows) != (
                said.sha256,
                said.bytes,
                said.rows,
            ):
                wrong.append(name)
    return wrong


MACROS = {
    "articles_as_of": "article_id",
    "mentions_as_of": "article_id",
    "sentiments_as_of": "article_id",
    "outcomes_as_of": "entry_id",
    "companies_as_of": "company_id",
}


def as_of(lake: Path, moments: list[datetime], without: set[str]) -> list[Any]:
    """What every macro answers for every moment, leaving out some ids; a copy's original counts for nothing."""
    answers = []
    with connect(lake) as con:
        for macro, column in MACROS.items():
            left_out = "* EXCLUDE (duplicate_of)" if macro == "articles_as_of" else "*"
            for at in moments:
                rows = con.execute(
                    f"SELECT {column}, hash(x) FROM (SELECT {left_out} FROM {macro}($at)) x ORDER BY ALL", {"at": at}
                )
                answers.append((macro, at, [row for row in rows.fetchall() if row[0] not in without]))
    return answers


def moments_of(lake: Path) -> list[datetime]:
    """Before anything, in November, in December, and long after."""
    with connect(lake) as con:
        times = [t for (t,) in con.sql("SELECT DISTINCT available_at FROM lake.outcomes ORDER BY 1").fetchall()]
    return [times[0] - timedelta(seconds=1), times[0], times[2], times[-1] + timedelta(days=400)]


if __name__ == "__main__":
    from tests.run.killed import watch

    passed: list[str] = []
    watch(sys.argv[1], passed)
    take_down(Settings.from_env(os.environ), Target(sys.argv[2]), "by request", lambda: datetime(2026, 12, 15, 12, tzinfo=UTC))
    print(len(passed))
