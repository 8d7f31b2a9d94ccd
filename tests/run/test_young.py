"""Young articles are read again: one page over its first days, corrected, unchanged or gone, while its feed says nothing of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.lake.young import MOST_A_HOST
from pipeline.run.replay import Days, replay_days
from pipeline.lake.layout import Lake
from tests.run.publisher import STORIES, Desk, page_of, publishing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGAIN = "SELECT code, kept, final, detail FROM lake.outcomes WHERE reread ORDER BY ended_at"
VERSIONS = "SELECT change_type, text LIKE '%fünf Prozent%' FROM lake.articles ORDER BY available_at"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with publishing() as publisher:
        publisher.items = [{"guid": "sap", "title": "SAP-Aktie fällt", "path": "/a"}]
        publisher.pages["/a"] = page_of("SAP-Aktie fällt", "Die Aktie von SAP fiel um vier Prozent.", "Das teilte SAP mit.")
        yield Desk(tmp_path, publisher)


def correct(desk: Desk) -> None:
    desk.publisher.pages["/a"] = desk.publisher.pages["/a"].replace("vier Prozent", "fünf Prozent")


def test_a_silent_correction_is_a_version_and_what_was_said_before_stays_known(desk: Desk) -> None:
    assert desk.batch(timedelta(0))["read"] == {"came_in": 1, "article": 1}
    ((before,),) = desk.rows("SELECT max(available_at) FROM lake.articles")
    assert desk.batch(HOUR / 2)["read"] == {}, "no age is reached yet"
    assert desk.batch(HOUR)["read"] == {"came_in": 1, "unchanged": 1}
    assert desk.rows("SELECT outcome, status FROM lake.pages ORDER BY fetched_at") == [("ok", 200), ("not_modified", 304)]
    assert desk.batch(HOUR)["read"] == {}, "once for each age"
    correct(desk)
    report = desk.batch(6 * HOUR)
    assert report["read"] == {"came_in": 1, "article": 1} and report["tag"]["tagged"] == 1
    assert desk.rows(AGAIN) == [("unchanged", True, True, None), ("article", True, True, None)]
    assert desk.rows(VERSIONS) == [("new", False), ("revised", True)]
    assert desk.rows("SELECT seen_at FROM articles") == [(desk.now,)]
    assert desk.rows(f"SELECT text LIKE '%vier Prozent%' FROM articles_as_of('{before}')") == [(True,)]
    # how the entry ended is as it was
    assert desk.rows("SELECT code, attempts, final FROM outcomes") == [("article", 1, True)]
    assert [desk.batch(DAY)["read"].get("unchanged") for _ in range(5)] == [1, None, 1, None, None]
    assert desk.publisher.asked.count("a") == 5


def test_what_was_missed_is_made_up_for_once(desk: Desk) -> None:
    desk.batch(timedelta(0))
    assert desk.batch(30 * HOUR)["read"] == {"came_in": 1, "unchanged": 1}
    assert desk.batch(HOUR)["read"] == {}


def test_what_is_no_change_makes_no_version(desk: Desk) -> None:
    page = desk.publisher.pages["/a"]
    desk.publisher.pages["/a"] = page.replace("</article>", "<p>Stand: 23.11.2026, 9:00 Uhr</p></article>")
    desk.batch(timedelta(0))
    desk.publisher.pages["/a"] = page.replace("</article>", "<p>Stand: 23.11.2026, 10:30 Uhr</p></article>")
    assert desk.batch(2 * HOUR)["read"] == {"came_in": 1, "unchanged": 1}
    assert desk.rows("SELECT outcome FROM lake.pages ORDER BY fetched_at") == [("ok",), ("ok",)]
    assert desk.rows("SELECT count(*) FROM lake.articles") == [(1,)]


@pytest.mark.parametrize(
    ("page", "code", "detail"),
    [
        ("", "gone", "status 404; what was read before stands"),
        ("/b", "gone", "leads to another page now: {}/b; what was read before stands"),
    ],
)
def test_an_article_that_is_gone_stays_and_the_loss_is_told(desk: Desk, page: str, code: str, detail: str) -> None:
    desk.batch(timedelta(0))
    desk.publisher.pages |= {"/a": page, "/b": page_of("Alle Nachrichten", "Mehr von heute.", "Und von gestern.")}
    assert desk.batch(2 * HOUR)["read"] == {"came_in": 1, code: 1}
    assert desk.rows(AGAIN) == [(code, True, True, detail.format(desk.publisher.base))]
    assert desk.rows("SELECT title FROM articles") == [("SAP-Aktie fällt",)]
    assert desk.rows("SELECT code, kept FROM outcomes") == [("article", True)]


def test_only_what_is_young_and_its_own_is_read_again(desk: Desk) -> None:
    """Not a copy, not what was published long ago, nothing where it is switched off; and of one host so many at once."""
    story = page_of("Boeing hands over fewer jets", "Boeing delivered fewer jets.", "The company said so.")
    old = story.replace("<head>", '<head><meta property="article:published_time" content="2026-11-01T09:00:00Z">')
    many = {f"/m{n}": page_of(f"News {n}", f"News of {n} came.", f"And more of {n}.") for n in range(MOST_A_HOST + 5)}
    desk.publisher.pages |= {"/copy": desk.publisher.pages["/a"], "/old": old, **many}
    desk.publisher.items = [{"guid": path, "title": path, "path": path} for path in desk.publisher.pages]
    desk.batch(timedelta(0))
    desk.settings = replace(desk.settings, reread_h=())
    assert desk.batch(2 * HOUR)["read"] == {}
    desk.settings = replace(desk.settings, reread_h=(1,))
    assert desk.batch(timedelta(0))["read"] == {"came_in": MOST_A_HOST, "unchanged": MOST_A_HOST}
    desk.batch(timedelta(minutes=1))
    left = {path.strip("/"): desk.publisher.asked.count(path.strip("/")) for path in desk.publisher.pages}
    assert left == {path.strip("/"): 1 if path in ("/copy", "/old") else 2 for path in desk.publisher.pages}


def test_a_replay_gives_the_same_rows(desk: Desk, tmp_path: Path) -> None:
    desk.batch(timedelta(0))
    correct(desk)
    desk.batch(2 * HOUR)
    desk.batch(6 * HOUR)
    desk.publisher.pages["/a"] = ""
    desk.batch(DAY)
    assert [code for code, *_ in desk.rows(AGAIN)] == ["article", "unchanged", "gone"]
    replay_days(desk.settings, Lake(tmp_path / "again"), Days())
    tables = ("outcomes", "pages", "articles", "superseded", "article_keys")
    stamped = "EXCLUDE (available_at, pipeline_version)"
    told = [desk.rows(f"SELECT * {stamped} FROM lake.{table} ORDER BY ALL") for table in tables]
    desk.settings = replace(desk.settings, lake=tmp_path / "again")
    assert [desk.rows(f"SELECT * {stamped} FROM lake.{table} ORDER BY ALL") for table in tables] == told
