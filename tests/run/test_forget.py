"""Takedown: gone from every view and every file, whatever became of the day it came in; the rest as it was; for good."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError, LakeBusy, NotFound
from pipeline.lake import connect
from pipeline.lake.layout import CLOSER, BatchRef, Lake
from pipeline.lake.lock import guarded, hold
from pipeline.lake.retire import Rules
from pipeline.lake.search import Pass, catch_up
from pipeline.lake.search.shards import shards_of
from pipeline.lake.verify import verify
from pipeline.lake.watermark import late, watermark
from pipeline.run import Target, batch, close_days, plan_takedown, run_once, settle, take_down, work_shard
from pipeline.why import find
from tests import begun
from tests import test_command_line as command_line
from tests.run.publisher import Desk, page_of, publishing
from tests.run.takedowns import COPY, WORDS, as_filled, as_of, fill, item, moments_of, text_of, unfit_records, words_left

POINTS = int(os.environ.get("NEWSMILL_KILL_POINTS", "8"))
ROOT = Path(__file__).parents[2]
WHY = "by request"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory):
    with publishing() as publisher:
        yield fill(tmp_path_factory.mktemp("filled") / "run", publisher)


@pytest.fixture
def desk(filled: Desk):
    """The filled lake to change at will; the publisher is as it was again afterwards."""
    publisher = filled.publisher
    before = (list(publisher.items or []), dict(publisher.pages))
    publisher.asked.clear()
    yield as_filled(filled)
    publisher.items, publisher.pages = before


def article(desk: Desk, name: str) -> str:
    ((found,),) = desk.rows(f"SELECT article_id FROM articles WHERE title = '{WORDS[name][1]}'")
    return found


def take(desk: Desk, name: str, **how: bool) -> str:
    desk.now += timedelta(minutes=1)
    return str(take_down(desk.settings, Target(name, **how), WHY, lambda: desk.now))


def marks(desk: Desk) -> set[str]:
    return {i for (i,) in desk.rows("SELECT id FROM lake.forgotten WHERE what IN ('article', 'entry')")}


@pytest.mark.parametrize("name", ["month", "day", "hot"])
def test_an_article_is_gone_from_every_file_and_every_answer_and_the_rest_is_as_it_was(desk: Desk, name: str) -> None:
    lake, gone = desk.settings.lake, article(desk, name)
    slug, title, animal = WORDS[name]
    words = [slug, title.partition(" &")[0], *([animal] if name != "month" else [])]  # a copy of the other stays
    moments = moments_of(lake)
    had = as_of(lake, moments, set())
    assert {w for _, w in words_left(lake, *words)} == set(words)
    with connect(lake) as reader:  # opened before, asked after
        take(desk, gone)
        assert reader.execute("SELECT count(*) FROM lake.articles WHERE article_id = ?", [gone]).fetchall() == [(0,)]
    assert words_left(lake, *words) == set() and unfit_records(lake) == []
    assert len(marks(desk)) == 3, "the article, and its entry in either feed"
    expected = [(macro, at, [row for row in rows if row[0] not in marks(desk)]) for macro, at, rows in had]
    assert as_of(lake, moments, set()) == expected != had
    for table in ("articles", "mentions", "sentiments", "taggings", "article_keys", "relations"):
        assert desk.rows(f"FROM lake.{table} WHERE article_id = '{gone}'") == []
    left = "SELECT DISTINCT title, url, key, code FROM lake.entries JOIN lake.outcomes USING (entry_id, revision, title, url)"
    ids = ", ".join(f"'{i}'" for i in marks(desk))
    assert desk.rows(f"{left} WHERE entry_id IN ({ids}) ORDER BY code") == []
    assert sorted(desk.rows(f"SELECT title, url, code FROM lake.outcomes WHERE entry_id IN ({ids})")) == [
        ("", None, "article"),
        ("", None, "known_article"),
    ]
    view = f"SELECT DISTINCT title, url, code, kept, final, article_id FROM outcomes WHERE entry_id IN ({ids})"
    assert desk.rows(view) == [("", None, "forgotten", False, True, None)]


def test_days_close_and_months_too_after_a_takedown(desk: Desk) -> None:
    lake = desk.settings.lake
    for name in ("month", "day", "hot"):
        take(desk, article(desk, name))
    moments = moments_of(lake)
    before = as_of(lake, moments, set())
    for _ in range(2):  # the second deletes what the first has moved
        close_days(desk.settings, lambda _line: None, lambda: desk.now + timedelta(days=30), grace=timedelta(0))
    assert as_of(lake, moments, set()) == before and unfit_records(lake) == []
    assert words_left(lake, *(WORDS[name][0] for name in ("month", "day", "hot"))) == set()
    assert not list(lake.glob("hot/date=2026*/*/articles.parquet")), "what was moved is deleted"


@pytest.mark.parametrize("how", ["article", "version", "entry", "address", "another address"])
def test_it_may_be_named_in_many_ways(desk: Desk, how: str) -> None:
    gone = article(desk, "hot")
    ((version, entry, url),) = desk.rows(f"SELECT version_id, entry_id, url FROM articles WHERE article_id = '{gone}'")
    named = {
        "article": gone,
        "version": version,
        "entry": entry,
        "address": url,
        "another address": f"{url}/?utm_source=mail#top",
    }
    plan = plan_takedown(desk.settings, Target(named[how]))
    assert [(a["article_id"], a["title"], a["versions"]) for a in plan.articles] == [(gone, WORDS["hot"][1], 1)]
    assert (plan.entries, plan.addresses, plan.sources) == (2, 1, ())
    take(desk, named[how])
    assert desk.rows(f"FROM lake.articles WHERE article_id = '{gone}'") == [] and gone in marks(desk)
    assert not plan_takedown(desk.settings, Target(named[how])) and take(desk, named[how]) == "None"
    if how != "version":  # of that nothing is kept, not even a tombstone
        with connect(desk.settings.lake) as con, pytest.raises(NotFound, match=r"was taken down on 20.* UTC"):
            find(con, named[how])


def indexed(desk: Desk, word: str) -> dict[str, bool]:
    """The months that have an index, and whether the word stands in its files, also of documents that were deleted."""
    shards = {shard.month: shard.opened() for shard in shards_of(Lake(desk.settings.lake))}
    fields = ("text_en", "text_de", "text_xx")
    return {m: any(s[0].searcher().terms_with_prefix(f, word) for f in fields) for m, s in shards.items() if s}


def test_the_search_index_has_its_words_no_more(desk: Desk) -> None:
    pytest.importorskip("tantivy")
    lake, animal = Lake(desk.settings.lake), WORDS["hot"][2][:4]  # as it is stemmed
    with connect(lake.root) as con, catch_up(Pass(lake=lake, con=con)):
        assert indexed(desk, animal) == {"2026-11": False, "2026-12": True}
    with guarded(lake, "search"):
        assert "batches are at work" in take(desk, article(desk, "hot"))
    assert indexed(desk, animal)["2026-12"], "somebody was writing the index"
    close_days(desk.settings, lambda _line: None, lambda: desk.now)
    assert indexed(desk, animal) == {"2026-11": False}, "a month without its words stays"
    with connect(lake.root) as con, catch_up(Pass(lake=lake, con=con)) as (_, done):
        assert (done.articles, done.anew) == (3, ())
    assert indexed(desk, animal) == {"2026-11": False, "2026-12": False}


def test_what_is_not_known_is_said_with_the_remedy(desk: Desk) -> None:
    for named in ("a_nothing", "v_nothing", "e_nothing", "https://nowhere.example/x", "nonsense"):
        with pytest.raises(InputError, match=r"the lake knows nothing under .*; give the id of an article"):
            take(desk, named)
    with pytest.raises(InputError, match="did you mean 't'"):
        take(desk, "Tt", is_source=True)
    assert desk.rows("FROM lake.forgotten") == []


def test_the_copy_stays_an_article_of_its_own_in_its_story(desk: Desk) -> None:
    original = article(desk, "month")
    copy = f"SELECT title, duplicate_of, story_id FROM %s WHERE title = '{COPY[1]}'"
    assert desk.rows(copy % "articles") == [(COPY[1], original, original)]
    assert plan_takedown(desk.settings, Target(original)).articles[0]["copies_that_stay"] == 1
    take(desk, original)
    assert (
        desk.rows(copy % "articles") == desk.rows(copy % "articles_as_of(now() + INTERVAL 1 DAY)") == [(COPY[1], None, original)]
    )
    # a third with that text joins the story, as a copy of the one that stays
    desk.publisher.items = [{"guid": "3", "title": "A third", "path": "/third"}, *(desk.publisher.items or [])]
    desk.publisher.pages["/third"] = page_of("A third", *text_of("quokka"))
    desk.batch(timedelta(hours=1))
    ((stays,),) = desk.rows(f"SELECT article_id FROM articles WHERE title = '{COPY[1]}'")
    assert desk.rows("SELECT duplicate_of, story_id FROM articles WHERE title = 'A third'") == [(stays, original)]


def test_it_does_not_come_back(desk: Desk) -> None:
    """The same entry, the entry with another headline, another entry with that address, and pages that lead there."""
    lake, publisher = desk.settings.lake, desk.publisher
    gone = article(desk, "hot")
    take(desk, gone)
    slug, title, animal = WORDS["hot"]
    was = item("hot")
    others = [i for i in publisher.items or [] if i["guid"] != was["guid"]]
    publisher.items = [
        {**was, "title": f"Update: {title}"},
        {"guid": "again", "title": f"{title} after all", "path": f"/news/{slug}?utm_source=x"},
        {"guid": "short", "title": "A short link", "path": "/s/1"},
        {"guid": "names", "title": "A page that names it", "path": "/amp/1"},
        {"guid": "new", "title": "Something else", "path": "/else"},
        *others,
    ]
    publisher.pages["/s/1"] = f"/news/{slug}"
    canonical = f'<link rel="canonical" href="{publisher.base}/news/{slug}">'
    publisher.pages["/amp/1"] = page_of(title, *text_of(animal), head=canonical)
    publisher.pages["/else"] = page_of("Something else", *text_of("kookaburra"))
    publisher.asked.clear()
    counts = desk.batch(timedelta(hours=1))
    assert counts["pull"]["taken down"] == 4 and counts["read"]["forgotten"] == 4 and counts["read"]["article"] == 1
    assert sorted(set(publisher.asked) - {"feed", "robots.txt", f"news/{slug}"}) == ["amp/1", "else", "s/1"]
    assert publisher.asked.count(f"news/{slug}") == 1, "by the redirect alone"
    codes = desk.rows(
        "SELECT feed_id, code, count(*) FROM outcomes WHERE code IN ('forgotten', 'waiting') GROUP BY ALL ORDER BY ALL"
    )
    assert codes == [("t", "forgotten", 5), ("u", "forgotten", 5)]
    assert desk.rows("SELECT title, feed_id FROM articles WHERE seen_at > '2026-12-15 09:30:00+00'") == [("Something else", "t")]
    # what the pages led to is known from the batch's own tombstones; the next closing takes the words of their entries
    assert {w for _, w in words_left(lake, slug, title, animal)} == set()
    close_days(desk.settings, lambda _line: None, lambda: desk.now)
    assert words_left(lake, slug, title, animal, "A short link", "A page that names it", "/s/1", "/amp/1") == set()
    assert unfit_records(lake) == []
    kinds = desk.rows("SELECT what, why, count(*) FROM lake.forgotten WHERE why <> 'by request' GROUP BY ALL ORDER BY ALL")
    assert kinds == [("entry", "leads to what was taken down", 4), ("key", "leads to what was taken down", 2)]
    publisher.asked.clear()
    assert desk.batch(timedelta(hours=1))["read"] == {}
    assert set(publisher.asked) <= {"feed", "robots.txt"}


def test_under_its_own_key_it_is_not_taken_for_another(desk: Desk) -> None:
    """An entry with its title and time stays; it comes with another address while the feed does not list that one."""
    publisher, others = desk.publisher, list(desk.publisher.items or [])
    date = "<pubDate>Tue, 15 Dec 2026 08:30:00 GMT</pubDate>"
    twin = {"title": "Told twice", "more": date}
    publisher.items = [{**twin, "guid": "one", "path": "/t/1"}, {**twin, "guid": "two", "path": "/t/2"}, *others]
    publisher.pages |= {
        f"/t/{n}": page_of("Told twice", *text_of(animal)) for n, animal in ((1, "ibis"), (2, "emu"), (3, "ibis"))
    }
    desk.batch(timedelta(hours=1))
    take(desk, f"{publisher.base}/t/1")
    publisher.items = [{**twin, "guid": "one", "path": "/t/3", "more": f"{date}<description>Again</description>"}, *others]
    assert desk.batch(timedelta(hours=1))["pull"]["taken down"] == 2
    assert desk.rows("SELECT url FROM articles WHERE title = 'Told twice'") == [(f"{publisher.base}/t/2",)]


def test_an_address_that_many_articles_lead_to_does_not_take_them_all_along(desk: Desk) -> None:
    """A page that shows what is newest: it tells articles apart only with their words."""
    publisher = desk.publisher
    publisher.pages |= {"/c/1": "/newest", "/newest": page_of("First of the newest", *text_of("ibis"))}
    publisher.items = [{"guid": "c1", "title": "First of the newest", "path": "/c/1"}, *(publisher.items or [])]
    desk.batch(timedelta(hours=1))
    ((gone,),) = desk.rows("SELECT article_id FROM articles WHERE title = 'First of the newest'")
    take(desk, gone)
    assert desk.rows("SELECT what, count(*) FROM lake.forgotten GROUP BY ALL ORDER BY ALL") == [
        ("article", 1), ("entry", 2), ("key", 1), ("place", 1), ("words", 2),
    ]  # fmt: skip
    publisher.pages |= {"/c/2": "/newest", "/c/3": "/newest3", "/newest3": "/newest"}
    publisher.items = [{"guid": "c3", "title": "First of the newest", "path": "/c/3"}, *publisher.items]
    assert desk.batch(timedelta(hours=1))["read"]["forgotten"] == 2, "another way to the same words"
    publisher.pages["/newest"] = page_of("Second of the newest", *text_of("emu"))
    publisher.items = [{"guid": "c2", "title": "Second of the newest", "path": "/c/2"}, *publisher.items]
    assert desk.batch(timedelta(hours=1))["read"]["article"] == 1
    assert desk.rows("SELECT title FROM articles WHERE title LIKE '%newest'") == [("Second of the newest",)]


def test_a_source_goes_whole_and_is_not_visited_any_more(desk: Desk) -> None:
    lake = desk.settings.lake
    plan = plan_takedown(desk.settings, Target("T", is_source=True))
    assert plan.sources == ("T",) and plan.entries == desk.rows("SELECT count(DISTINCT entry_id) FROM lake.entries")[0][0]
    take(desk, "T", is_source=True)
    words = [word for name in WORDS for word in (WORDS[name][0], WORDS[name][2])]
    assert words_left(lake, *words) == set() and unfit_records(lake) == []
    assert [f for f in verify(Lake(lake), desk.now, Rules(timedelta(hours=6))) if f.severity == "error"] == []
    assert desk.rows("FROM articles") == desk.rows("FROM lake.mentions") == []
    lines: list[str] = []
    desk.publisher.asked.clear()
    desk.now += timedelta(hours=1)
    desk.publisher.items = [{"guid": "n", "title": "Told by U alone", "path": "/else"}, *(desk.publisher.items or [])]
    desk.publisher.pages["/else"] = page_of("Told by U alone", *text_of("kookaburra"))
    run_once(desk.settings, lines.append, lambda: desk.now)
    assert any("not visited, as they were taken down: t;" in line for line in lines)
    assert desk.publisher.asked.count("feed") == 1, "the other feed"
    assert desk.rows("SELECT title, source FROM articles") == [("Told by U alone", "U")]
    assert words_left(lake, *words) == set(), "nor in the bytes of the other feed, which still lists them"


def test_entries_that_wait_end_as_forgotten_without_their_page(desk: Desk) -> None:
    desk.publisher.items = [{"guid": "w", "title": "Waits", "path": "/news/waits"}, *(desk.publisher.items or [])]
    desk.publisher.pages["/news/waits"] = page_of("Waits", *text_of("emu"))
    desk.publisher.page_status = 503
    desk.batch(timedelta(hours=1))
    desk.publisher.page_status = 200
    ((entry,),) = desk.rows("SELECT entry_id FROM outcomes WHERE title = 'Waits' AND feed_id = 't' AND code = 'http_error'")
    take(desk, entry)
    desk.publisher.asked.clear()
    assert desk.batch(timedelta(hours=1))["read"] == {"came_in": 2, "forgotten": 2}
    assert "news/waits" not in desk.publisher.asked
    assert words_left(desk.settings.lake, "Waits", "/news/waits") == set()


@pytest.mark.parametrize("stage", ["pull", "read", "tag"])
def test_a_batch_under_way_leaves_out_what_is_taken_down_meanwhile(desk: Desk, stage: str) -> None:
    """Taken down when the shard is done but not settled: settling knows of it, and drops the bytes it had kept."""
    lake, say = desk.settings.lake, (lambda _line: None)
    desk.publisher.items = [{"guid": "n", "title": "Nowhere else", "path": "/else"}, *(desk.publisher.items or [])]
    desk.publisher.pages["/else"] = page_of("Nowhere else", *text_of("kookaburra"))
    if stage == "pull":  # the entry again, with other words and another link
        desk.publisher.items = [i | {"guid": WORDS["hot"][0]} for i in desk.publisher.items[:1]] + [
            i for i in desk.publisher.items if i["guid"] not in ("n", WORDS["hot"][0])
        ]
    desk.now += timedelta(hours=1)
    for each in ("pull", "read", "tag"):
        work_shard(desk.settings, each, "20261215T100000Z", 0, say, lambda: desk.now)
        if each == stage:
            entry = "SELECT entry_id FROM lake.entries WHERE title = '%s'" % (
                "Nowhere else" if stage != "pull" else WORDS["hot"][1]
            )
            assert stage == "tag" or "staging" in {
                name.partition("/")[0] for name, _ in words_left(lake, "kookaburra", "Nowhere else")
            }
            take(desk, desk.rows(entry)[0][0])
        settle(desk.settings, each, "20261215T100000Z", say, lambda: desk.now)
    assert words_left(lake, "kookaburra", "Nowhere else", "/else") == set() and unfit_records(lake) == []
    assert desk.rows("FROM articles WHERE title = 'Nowhere else'") == desk.rows("FROM lake.taggings WHERE news_at > now()") == []
    assert not list((lake / "staging").glob("2*"))


def test_a_batch_that_was_decided_before_is_decided_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The takedown comes between a batch's decision and its commit."""
    from pipeline.run import read

    desk.publisher.items = [{"guid": "n", "title": "Nowhere else", "path": "/else"}, *(desk.publisher.items or [])]
    desk.publisher.pages["/else"] = page_of("Nowhere else", *text_of("kookaburra"))
    times: list[int] = []

    class Meanwhile:
        work, settled_before = staticmethod(read.work), staticmethod(read.settled_before)

        @staticmethod
        def decide(con: Any, merged: Any) -> Any:
            decided = read.decide(con, merged)
            if not times:
                take(desk, desk.rows("SELECT entry_id FROM lake.entries WHERE title = 'Nowhere else'")[0][0])
            times.append(decided.tables["articles"].num_rows)
            return decided

    monkeypatch.setitem(batch._STEPS, "read", Meanwhile)
    assert desk.batch(timedelta(hours=1))["read"] == {"came_in": 2, "forgotten": 2}
    assert times == [1, 0]
    close_days(desk.settings, lambda _line: None, lambda: desk.now)
    assert words_left(desk.settings.lake, "kookaburra", "Nowhere else", "/else") == set()


def test_while_days_are_closed_it_is_hidden_at_once_and_erased_by_the_next_closing(desk: Desk) -> None:
    lake, gone = desk.settings.lake, article(desk, "day")
    slug = WORDS["day"][0]
    with connect(lake) as reader, hold(Lake(lake), BatchRef("20261215T090000Z", CLOSER), "close", last=True):
        with pytest.raises(LakeBusy, match=r"No view shows what was taken down; the next `newsmill lake close` erases its bytes"):
            take(desk, gone)
        for view in ("articles", "mentions", "sentiments", "evidence", "articles_as_of(now())", "mentions_as_of(now())"):
            assert reader.execute(f"SELECT 1 FROM {view} WHERE article_id = ?", [gone]).fetchall() == []
        assert reader.sql(f"SELECT 1 FROM outcomes WHERE url LIKE '%{slug}%' OR title LIKE 'Cassio%'").fetchall() == []
        assert words_left(lake, slug)
    lines: list[str] = []
    close_days(desk.settings, lines.append, lambda: desk.now)
    assert lines[0].startswith("taken down: words erased from ")
    assert words_left(lake, slug) == set()
    lines.clear()
    close_days(desk.settings, lines.append, lambda: desk.now)
    assert not any("taken down" in line for line in lines), "once"


def content(desk: Desk) -> dict[str, Any]:
    """Everything a lake says, but for the ids and times of the takedown itself."""
    tables = ("entries", "outcomes", "pages", "articles", "article_keys", "relations", "taggings", "mentions", "sentiments")
    rows = {name: sorted(map(repr, desk.rows(f"FROM lake.{name}"))) for name in (*tables, "visits", "feed_state", "bodies")}
    return {**rows, "forgotten": sorted(desk.rows("SELECT what, id, why FROM lake.forgotten"))}


def run_killed(desk: Desk, where: str, gone: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "NEWSMILL_RUN": str(desk.settings.lake.parent)}
    command = ["-m", "tests.run.takedowns", where, gone]
    return begun.run(*command, stdin="", environ=environ, timeout=100)


@pytest.fixture(scope="module")
def undisturbed(filled: Desk) -> tuple[int, dict[str, Any]]:
    """How many steps a takedown takes, and what it leaves when nobody disturbs it."""
    desk = as_filled(filled)
    done = run_killed(desk, "0", article(desk, "month"))
    assert done.returncode == 0, done.stderr
    return int(done.stdout), content(desk)


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_anywhere_it_ends_in_the_same_state(desk: Desk, point: int, undisturbed: Any) -> None:
    steps, left = undisturbed
    assert steps > POINTS
    gone, lake = article(desk, "month"), desk.settings.lake
    done = run_killed(desk, str(1 + point * (steps - 1) // POINTS), gone)
    assert done.returncode == -9, done.stderr
    if point % 2 or not desk.rows("FROM lake.forgotten"):
        take(desk, gone)
    else:
        close_days(desk.settings, lambda _line: None, lambda: desk.now)
    assert content(desk) == left and unfit_records(lake) == []
    slug, title, _ = WORDS["month"]
    assert words_left(lake, slug, title) == set()
    assert not list((lake / "staging").glob(".*"))


def test_the_command_asks_and_refuses_where_nobody_can_be_asked(desk: Desk) -> None:
    gone = article(desk, "hot")

    def newsmill(*words: str) -> subprocess.CompletedProcess[str]:
        return command_line.newsmill("lake", "forget", *words, "--lake", str(desk.settings.lake))

    no_reason = newsmill(gone, "--yes")
    assert no_reason.returncode == 2 and '--why "…"' in no_reason.stderr
    dry = newsmill(gone, "--dry-run")
    assert dry.returncode == 0 and WORDS["hot"][1] in dry.stdout and "1 articles, 2 entries, 1 addresses" in dry.stdout
    refused = newsmill(gone, "--why", WHY)
    assert refused.returncode == 2 and "--yes" in refused.stderr and WORDS["hot"][1] in refused.stdout
    unknown = newsmill("--source", "Tt", "--why", WHY, "--yes")
    assert unknown.returncode == 2 and "did you mean 't'?" in unknown.stderr
    assert marks(desk) == set()
    done = newsmill(gone, "--why", WHY, "--yes", "--json")
    said = json.loads(done.stdout)
    assert (said["articles"][0]["article_id"], said["entries"], said["addresses"]) == (gone, 2, 1)
    assert said["erased"]["complete"] and said["erased"]["files"] > 0
    assert json.loads(newsmill(gone, "--why", WHY, "--json").stdout)["erased"] is None, "nothing goes: nobody is asked"
    assert words_left(desk.settings.lake, WORDS["hot"][0]) == set()


def test_tombstones_that_came_too_late_for_their_day_are_committed_again(desk: Desk) -> None:
    """Where the file system has no locks, a takedown's rename can come after its day was closed."""
    take(desk, article(desk, "hot"))
    lake, there = Lake(desk.settings.lake), marks(desk)
    (place,) = lake.root.glob("hot/date=*/*-forget")
    place.rename(lake.hot_day(watermark(lake).through) / place.name)
    assert marks(desk) == set() and len(there) == 3
    close_days(desk.settings, lambda _line: None, lambda: desk.now)
    assert marks(desk) == there and late(lake) == []
