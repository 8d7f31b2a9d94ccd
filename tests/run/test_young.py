"""Young articles are read again: pages over their first days, corrected, unchanged or gone, of which their feed says nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.lake import connect, young
from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.lake.verify import verify
from pipeline.lake.young import due_rereads
from pipeline.read import EXTRACTOR
from pipeline.run.forget import Target, take_down
from pipeline.run.replay import Days, replay_days
from pipeline.settings import REREAD_H
from pipeline.why import find, present, trail
from tests.run.publisher import START, Desk, page_of, publishing

HOUR = timedelta(hours=1)
FELL = page_of("SAP-Aktie fällt", "Die Aktie von SAP fiel um vier Prozent.", "Das teilte SAP mit.")
BOEING = page_of("Boeing hands over fewer jets", "Boeing delivered fewer jets.", "The company said so.")
OLD = '<head><meta property="article:published_time" content="2026-11-01T09:00:00Z">'
STAND = "<p>Stand: 23.11.2026, {} Uhr</p></article>"
PAGES = {
    "/corrected": FELL,
    "/copy": FELL,
    "/forgotten": page_of("Merck kauft zu", "Merck kauft zu.", "Der Preis ist geheim."),
    "/dated": page_of("BASF baut Stellen ab", "BASF baut ab.", "Das ist neu.").replace("</article>", STAND.format("9:00")),
    "/gone": page_of("Bayer zahlt weniger", "Bayer zahlt weniger.", "Die Dividende sinkt."),
    "/moved": BOEING,
    "/old": page_of("Ford recalls cars", "Ford recalls cars.", "It said so.").replace("<head>", OLD),
}
AGAIN = "SELECT url.regexp_extract('/[a-z]+$') AS path, code, detail FROM lake.outcomes WHERE reread ORDER BY ended_at, path"
STANDS = "what was read before stands"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with publishing() as publisher:
        yield of_pages(Desk(tmp_path, publisher), PAGES)


def of_pages(desk: Desk, pages: dict[str, str]) -> Desk:
    desk.publisher.pages = dict(pages)
    desk.publisher.items = [{"guid": path, "title": path, "path": path} for path in pages]
    desk.settings = replace(desk.settings, clock_tolerance=timedelta(0), reread_h=REREAD_H)
    return desk


def everything(desk: Desk) -> dict[str, list[object]]:
    tables = ("outcomes", "pages", "articles", "superseded", "article_keys", "relations")
    return {t: desk.rows(f"SELECT * EXCLUDE (available_at, pipeline_version) FROM lake.{t} ORDER BY ALL") for t in tables}


def due(desk: Desk, after: timedelta, ages: tuple[float, ...] = REREAD_H) -> list[str]:
    with connect(desk.settings.lake) as con:
        return sorted(d.entry.key for d in due_rereads(con, START + after, ages, EXTRACTOR))


def test_the_first_days_of_some_articles(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction is a version; a time alone is none; a loss is told and loses nothing; no copy and nothing old is asked."""
    assert desk.batch(timedelta(0))["read"] == {"came_in": 7, "article": 6, "copy": 1}
    take_down(desk.settings, Target(f"{desk.publisher.base}/forgotten"), "asked", clock=lambda: desk.now)
    own = ["/corrected", "/dated", "/gone", "/moved"]
    # what was missed is made up for, a day long
    assert [due(desk, HOUR * h) for h in (0.99, 1.21, 6, 90, 111)] == [[], own, own, own, []]
    assert due(desk, 2 * HOUR, ()) == [] == due(desk, 2 * HOUR, (3,))
    ((before,),) = desk.rows("SELECT max(available_at) FROM lake.articles")
    desk.publisher.pages |= {
        "/corrected": FELL.replace("vier Prozent", "fünf Prozent"),
        "/dated": PAGES["/dated"].replace("9:00 Uhr", "10:30 Uhr"),
        "/gone": "",
        "/moved": "/latest",
        "/latest": page_of("All the news", "More of today.", "And of yesterday."),
    }
    report = desk.batch(HOUR * 1.5)
    assert report["read"] == {"came_in": 4, "gone": 2, "article": 1, "unchanged": 1} and report["tag"]["tagged"] == 1
    once = [
        ("/corrected", "article", None),
        ("/dated", "unchanged", None),
        ("/gone", "gone", f"status 404; {STANDS}"),
        ("/moved", "gone", f"leads to another page now: {desk.publisher.base}/latest; {STANDS}"),
    ]
    assert desk.rows(AGAIN) == once
    corrected = "SELECT change_type, text LIKE '%fünf Prozent%', seen_at = TIMESTAMPTZ '{}' FROM {} WHERE url LIKE '%corrected'"
    assert desk.rows(corrected.format(desk.now, "articles")) == [("revised", True, True)]
    assert desk.rows(corrected.format(desk.now, f"articles_as_of('{before}')")) == [("new", False, False)]
    with connect(desk.settings.lake) as con:
        present(trail(con, find(con, f"{desk.publisher.base}/corrected")), Console(file=(out := StringIO()), width=200))
    assert "read again article after 90 minutes: the page has changed, which makes a new version" in out.getvalue()
    # an entry ended as it ended, and is kept
    assert Counter(desk.rows("SELECT code, kept, attempts FROM outcomes")) == {
        ("article", True, 1): 5,
        ("copy", True, 1): 1,
        ("forgotten", False, 1): 1,
    }
    assert desk.rows("SELECT count(*) FROM articles") == [(6,)]
    # what was a copy of what has been corrected may be corrected too
    assert (due(desk, 2 * HOUR), due(desk, 8 * HOUR)) == (["/copy"], sorted([*own, "/copy"])), "once for each age"
    monkeypatch.setattr(young, "MOST_A_HOST", 3)
    assert desk.batch(30 * HOUR)["read"]["came_in"] == 3 and len(due(desk, 32 * HOUR)) == 2, "of one host so many in a batch"
    assert [f for f in verify(Lake(desk.settings.lake), desk.now, Rules(HOUR, None, drain=HOUR)) if f.severity == "error"] == []
    replay_days(desk.settings, Lake(tmp_path / "again"), Days())
    told, desk.settings = everything(desk), replace(desk.settings, lake=tmp_path / "again")
    assert everything(desk) == told
