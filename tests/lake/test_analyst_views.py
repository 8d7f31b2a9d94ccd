"""What analysts ask a lake of: days of companies and of exchanges, news, movers; whole rows, on small lakes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.lake.upgrade import upgrade
from pipeline.lake.views import prepare
from schemas.outcome import Forgotten, Superseded
from tests.lake.prints import Print, add_company, add_prints
from tests.lake.sample import add, add_day, made, moment, shut


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return made(tmp_path / "lake")


def rows(lake: Lake, query: str) -> list[dict[str, Any]]:
    with connect(lake.root) as con:
        found: list[dict[str, Any]] = con.sql(query).to_arrow_table().to_pylist()
        return found


def values(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    with connect(lake.root) as con:
        return con.sql(query).fetchall()


def test_a_day_counts_a_story_once_by_relevance_without_promotion(lake: Lake) -> None:
    add_prints(
        lake,
        Print("1", "2026-11-20 08:00", {"sap": (0.8, 1.0), "other": (-0.5, 0.2)}),
        Print("2", "2026-11-20 09:00", {"sap": (0.8, 1.0)}, source="B", copy_of="1"),
        Print("3", "2026-11-20 10:00", {"sap": (-0.4, 0.5)}, source="C"),
        Print("4", "2026-11-20 11:00", {"sap": (0.1, 0.5)}, mixed=True),
        Print("5", "2026-11-20 12:00", {"sap": (0.0, 0.5)}),
        Print("6", "2026-11-20 13:00", {"sap": (1.0, 1.0)}, source="D", genre="promotion"),
        Print("7", "2026-11-21 08:00", {"sap": (0.8, 1.0)}, source="E", copy_of="1"),
    )
    friday, saturday, other = rows(lake, "FROM company_day ORDER BY company_id DESC, day")
    assert friday == {
        "day": date(2026, 11, 20), "company_id": "sap", "stories": 4, "articles": 5, "sources": 3,
        "score": pytest.approx((0.8 - 0.4 / 2 + 0.1 / 2) / 2.5), "positive": 1, "neutral": 1, "negative": 1, "mixed": 1,
        "about": 4,
        "headlines": 1, "relevance": 2.5, "title": "Title 1", "article_id": "a_1", "first_at": moment("2026-11-20 08:00"),
        "last_at": moment("2026-11-20 12:00"),
    }  # fmt: skip
    assert saturday == {
        "day": date(2026, 11, 21), "company_id": "sap", "stories": 0, "articles": 1, "sources": 1, "score": None, "positive": 0,
        "neutral": 0, "negative": 0, "mixed": 0, "about": 0, "headlines": 0, "relevance": 0, "title": "Title 7",
        "article_id": "a_7", "first_at": moment("2026-11-21 08:00"), "last_at": moment("2026-11-21 08:00"),
    }  # fmt: skip
    assert (other["company_id"], other["stories"], other["score"], other["about"]) == ("other", 1, pytest.approx(-0.5), 0)


def test_a_day_ends_at_midnight_utc_whenever_the_batch_began_and_wherever_the_reader_is(lake: Lake) -> None:
    add_prints(
        lake,
        Print("1", "2026-11-20 23:59:59.999999"),
        Print("2", "2026-11-21 00:00", begun="2026-11-20 23:58"),
        Print("3", "2026-11-21 05:58", begun="2026-11-20 23:58"),
    )
    counted = "SELECT day, stories FROM company_days('2026-11-{0}', DATE '2026-11-{1}') ORDER BY day"
    assert values(lake, counted.format(20, 20)) == [(date(2026, 11, 20), 1)]
    assert values(lake, counted.format(21, 22)) == [(date(2026, 11, 21), 2)]
    with connect(lake.root) as con:
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        assert con.sql("SELECT day, stories FROM company_day ORDER BY day").fetchall() == [
            (date(2026, 11, 20), 1),
            (date(2026, 11, 21), 2),
        ]


#: Where news at a moment (UTC) counts: exchange, moment, minutes before the close, session.
COUNTS_FOR = {
    "before the close": ("XETR", "2026-11-20 16:29:59", 0, "2026-11-20"),
    "at the close": ("XETR", "2026-11-20 16:30", 0, "2026-11-23"),
    "after Friday's close": ("XETR", "2026-11-20 19:00", 0, "2026-11-23"),
    "on a Sunday": ("XETR", "2026-11-22 12:00", 0, "2026-11-23"),
    "within the cut-off": ("XETR", "2026-11-23 16:00", 30, "2026-11-24"),
    "before the cut-off": ("XETR", "2026-11-23 15:59:59", 30, "2026-11-23"),
    "a cut-off after the close": ("XETR", "2026-11-23 16:40", -15, "2026-11-23"),
    "the last day of summer time": ("XETR", "2026-10-23 15:30", 0, "2026-10-26"),
    "the first day of winter time": ("XETR", "2026-10-26 16:29", 0, "2026-10-26"),
    "New York, an hour nearer to Europe": ("XNYS", "2026-10-26 20:00", 0, "2026-10-27"),
    "New York, in winter too": ("XNYS", "2026-11-02 20:59", 0, "2026-11-02"),
    "New York, in summer time before Europe": ("XNAS", "2027-03-15 20:00", 0, "2027-03-16"),
    "London, on the day summer time begins": ("XLON", "2027-03-28 12:00", 0, "2027-03-30"),
    "Easter": ("XETR", "2027-03-25 16:30", 0, "2027-03-30"),
    "Berlin works on the day of German unity": ("XETR", "2025-10-03 10:00", 0, "2025-10-03"),
    "Austria's holiday": ("XWBO", "2026-10-26 09:00", 0, "2026-10-27"),
    "Christmas to the last session, which closes early": ("XETR", "2026-12-30 12:59", 0, "2026-12-30"),
    "after the early close, into the new year": ("XETR", "2026-12-30 13:00", 0, "2027-01-04"),
    "the day after Thanksgiving closes early": ("XNYS", "2026-11-27 18:00", 0, "2026-11-30"),
    "Tokyo, before it is day in Europe": ("XTKS", "2026-11-24 06:29", 0, "2026-11-24"),
    "Tokyo, half an hour earlier until 2024": ("XTKS", "2024-11-01 06:00", 0, "2024-11-05"),
    "Hong Kong": ("XHKG", "2026-11-24 08:00", 0, "2026-11-25"),
}


@pytest.mark.parametrize(("mic", "at", "cut_off", "session"), COUNTS_FOR.values(), ids=COUNTS_FOR)
def test_news_counts_for_the_next_session_that_closes(lake: Lake, mic: str, at: str, cut_off: int, session: str) -> None:
    add_prints(lake, Print("1", at))
    day = date.fromisoformat(session)
    of_all = f"SELECT exchange, day, covered, stories FROM company_day_of('{mic}', cut_off := {cut_off})"
    assert values(lake, of_all) == [(mic, day, True, 1)]
    of_one = f"SELECT count(*) FROM company_day_of('{mic}', '{{0}}', '{{0}}', cut_off := {cut_off})"
    assert [values(lake, of_one.format(day + timedelta(days=n))) for n in (-1, 0, 1)] == [[(0,)], [(1,)], [(0,)]]


def test_a_session_says_when_it_closes_and_whether_its_holidays_are_known(lake: Lake) -> None:
    add_prints(lake, Print("1", "2026-11-26 12:00"), Print("2", "2031-12-24 23:00"))
    found = values(lake, "SELECT day, closes_at, early, covered FROM company_day_of('XNYS') ORDER BY day")
    assert found == [
        (date(2026, 11, 27), datetime(2026, 11, 27, 18, tzinfo=UTC), True, True),
        (date(2031, 12, 25), datetime(2031, 12, 25, 21, tzinfo=UTC), False, False),
    ]


def test_an_exchange_nobody_knows_is_named(lake: Lake) -> None:
    with pytest.raises(
        duckdb.Error, match=r"no exchange XXXX: FROM lake\.exchanges names those whose sessions are known, by MIC"
    ):
        rows(lake, "FROM company_day_of('XXXX')")


def test_news_is_found_under_every_name_of_a_company_newest_first_each_story_once(lake: Lake) -> None:
    add_company(lake, "2026-11-01", "meta", "Facebook", isin="US30303M1027", ticker="FB2A")
    add_company(lake, "2026-11-10", "meta", "Meta Platforms", isin="US30303M1027", ticker="FB2A")
    add_prints(
        lake,
        Print("1", "2026-11-18 08:00", {"meta": (0.8, 1.0)}, source="B"),
        Print("2", "2026-11-19 09:00", {"meta": (0.8, 1.0)}, source="A", copy_of="1"),
        Print("3", "2026-11-20 10:00", {"meta": (-0.4, 0.5), "sap": (0.1, 0.5)}, source="C"),
    )
    newest, oldest = rows(lake, "FROM news_for('meta', '2026-11-18', '2026-11-20')")
    assert oldest == {
        "news_at": moment("2026-11-18 08:00"), "title": "Title 1", "sentiment": 1, "score": 0.8, "mixed": False, "hedged": False,
        "relevance": 1.0, "in_headline": True, "words": ["Title", "Text"], "source": "B", "url": "https://b.example/1",
        "language": "de", "articles": 2, "sources": ["A", "B"], "company_id": "meta", "article_id": "a_1", "story_id": "a_1",
    }  # fmt: skip
    assert newest["article_id"] == "a_3"
    for name in ("US30303M1027", "us30303m1027", "XETR:FB2A", "Facebook", "META PLATFORMS"):
        assert rows(lake, f"FROM news_for('{name}')") == [newest, oldest]
    assert rows(lake, "FROM news_for('Meta Platforms', '2026-11-19', '2026-11-19')")[0]["article_id"] == "a_2"
    assert rows(lake, "FROM news_for('nobody')") == []
    assert values(lake, "SELECT name FROM movers('2026-11-20') WHERE company_id = 'meta'") == [("Meta Platforms",)]


def test_what_was_replaced_or_taken_down_is_nowhere(lake: Lake) -> None:
    names = ("1", "2", "3", "4")
    add_prints(lake, *(Print(name, f"2026-11-20 0{name}:00", source=f"S{name}") for name in names))
    add_prints(
        lake,
        *(Print(str(name), f"2026-11-2{day} 08:00", copy_of=of) for name, day, of in [(5, 1, "1"), (6, 1, "2"), (7, 2, "1")]),
    )
    older = Superseded(what="version", id="v_2", replaced_by="v_x", why="revised")
    retagged = Superseded(what="tagging", id="t_3", replaced_by="t_x", why="retagged")
    add(lake, moment("2026-11-23"), "read", superseded=[older, retagged])
    add(lake, moment("2026-11-23"), "forget", forgotten=[Forgotten(what="article", id="a_1", why="asked to")])
    left = [("a_4", "a_4", None), ("a_5", "a_1", None), ("a_6", "a_6", None), ("a_7", "a_1", "a_5")]
    assert (
        values(lake, "SELECT article_id, story_id, duplicate_of FROM company_news('2026-11-01', '2026-11-30') ORDER BY 1") == left
    )
    days = [(date(2026, 11, 20), 1, 1), (date(2026, 11, 21), 2, 2), (date(2026, 11, 22), 0, 1)]
    assert values(lake, "SELECT day, stories, articles FROM company_day ORDER BY day") == days
    assert values(lake, "SELECT article_id FROM news_for('sap') ORDER BY 1") == [("a_4",), ("a_5",), ("a_6",)]
    assert values(lake, "SELECT step, what, detail FROM why('a_1')") == [("taken down", "a_1", "asked to")]


def test_company_news_is_what_the_plain_views_say(lake: Lake) -> None:
    for day in (1, 2, 3):
        add_day(lake, date(2026, 11, day))
    shut(lake, "2026-11-03 12:00")
    add(lake, moment("2026-11-03 13:00"), "forget", forgotten=[Forgotten(what="article", id="a_1101101", why="asked to")])
    plain = """
        SELECT s.company_id, s.news_at, a.title, s.sentiment, s.score, s.mixed, s.hedged, s.relevance, s.in_headline, a.source,
               a.language, a.url, a.article_id, a.version_id, a.story_id, a.duplicate_of
        FROM sentiments s JOIN articles a USING (version_id)
        WHERE company_id IS NOT NULL AND genre IS DISTINCT FROM 'promotion' ORDER BY version_id, company_id"""
    found = "SELECT * EXCLUDE (words) FROM company_news('{0}', '{1}') ORDER BY version_id, company_id"
    whole = values(lake, plain)
    assert len(whole) == 5 and values(lake, found.format("2026-11-01", "2026-11-03")) == whole
    days = [values(lake, found.format(day, day)) for day in ("2026-11-01", "2026-11-02", "2026-11-03")]
    assert [row for day in days for row in day] == whole and all(days)


def test_judgements_older_than_their_headlines_get_them_from_the_articles(lake: Lake) -> None:
    said = {"sap": (0.8, 1.0)}
    add_prints(lake, Print("1", "2026-11-20 08:00", said), Print("2", "2026-11-20 09:00", said, genre="promotion"))
    shut(lake, "2026-11-21 12:00")
    for path in lake.root.rglob("sentiments*/**/data.parquet"):
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.drop([name for name in table.column_names if name.startswith("news_") and name != "news_at"]), path)
    upgrade(lake)
    assert lake.evolved() == {"sentiments"}
    add_prints(lake, Print("3", "2026-11-22 08:00", said))
    told = values(lake, "SELECT title, words, source, language, url FROM company_news('2026-11-01', '2026-11-30') ORDER BY title")
    assert told == [(f"Title {n}", ["Title", "Text"], "A", "de", f"https://a.example/{n}") for n in (1, 3)]
    lake.cold("articles", date(2026, 11, 20)).write_bytes(b"not to be opened")
    assert values(lake, "SELECT title FROM company_news('2026-11-22', '2026-11-30')") == [("Title 3",)]


def test_a_damaged_file_of_a_small_table_stops_only_who_needs_it(lake: Lake) -> None:
    add_company(lake, "2026-11-20 08:00", "sap", "SAP")
    add_prints(lake, Print("1", "2026-11-20 08:00", {"sap": (0.8, 1.0)}))
    shut(lake, "2026-11-21 12:00")
    (path,) = lake.root.glob("cold/companies/date=2*/data.parquet")
    whole = path.read_bytes()
    path.write_bytes(b"PAR1, and no more")
    (lake.root / "news.duckdb").unlink()
    prepare(lake)
    assert values(lake, "SELECT article_id FROM articles") == [("a_1",)]
    with pytest.raises(duckdb.Error, match=r"cold/companies/date=2026-11-20"):
        values(lake, "FROM companies")
    path.write_bytes(whole)
    assert values(lake, "SELECT name FROM companies") == [("SAP",)]


def test_movers_are_those_far_from_their_own_usual(lake: Lake) -> None:
    steady = {"busy": 4, "rare": 0, "turned": 2, "silent": 9}
    today = {"busy": 16, "rare": 1, "turned": 2, "silent": 0}
    prints = [
        Print(f"{company}{n}-{day}", f"2026-11-{day:02} 08:00", {company: (0.6, 1.0)})
        for company, each in steady.items()
        for day in range(1, 15)
        for n in range(each)
    ]
    last = [
        Print(f"{company}{n}-15", "2026-11-15 08:00", {company: (-0.8 if company in ("turned", "rare") else 0.6, 1.0)})
        for company, each in today.items()
        for n in range(each)
    ]
    passing = [Print(f"passing{n}", "2026-11-15 09:00", {"passing": (-0.9, 0.4)}) for n in range(20)]
    add_prints(lake, *prints, *last, *passing)
    told = "company_id, stories, usual_stories, volume_z, score, usual_score, score_z, stories_before, days_before, article_id"
    found = values(lake, f"SELECT {told} FROM movers('2026-11-15')")
    near = pytest.approx
    assert found == [
        ("busy", 16, 4.0, 6.0, near(0.6), near(0.6), near(0), 56, 14, "a_busy9-15"),
        ("turned", 2, 2.0, 0.0, near(-0.8), near(0.6), near(-1.4 / (0.5 / 2**0.5)), 28, 14, "a_turned1-15"),
        ("silent", 0, 9.0, -3.0, None, near(0.6), None, 126, 14, None),
        ("rare", 1, 0.0, 1.0, near(-0.8), None, None, 0, 14, "a_rare0-15"),
    ]
    young = values(lake, "SELECT DISTINCT days_before, volume_z, score_z FROM movers('2026-11-05')")
    assert young == [(4, None, None)]
