"""A lake made anew from another's bytes: the same rows from the same code, nobody asked, what was taken down stays away."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import InputError, LakeError, LakeFormat
from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.lake.verify import Finding, verify
from pipeline.lake.watermark import watermark
from pipeline.parse import parse_feed
from pipeline.run import Days, Target, pull, read, rederive, replay_days, run_once, take_down
from pipeline.settings import Settings
from pipeline.wire import catalogue
from tests import begun
from tests.run import takedowns
from tests.run.publisher import STORIES, Desk, publishing
from tests.run.replays import content, files_of, made_anew, read_otherwise
from tests.wire.visit import Clock, running

ROOT = Path(__file__).parents[2]
POINTS = int(os.environ.get("NEWSMILL_KILL_POINTS", "5"))
SOON, HOURS = timedelta(minutes=2), timedelta(hours=7)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The lake of the sample wire after four batches, with a takedown in between; the wire is gone."""
    run_dir = tmp_path_factory.mktemp("wire")
    start = datetime.now(UTC) - timedelta(minutes=10)
    clock = Clock(start)
    with running(run_dir, clock) as served:
        (run_dir / "feeds.toml").write_text(catalogue(served.port))
        (run_dir / "wire-address").write_text(f"127.0.0.1:{served.port}")
        settings = Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"})
        for minutes in (0, 1, 7, 9):
            clock.now = start + timedelta(minutes=minutes)
            run_once(settings, lambda _line: None, clock)
            if minutes == 1:  # an original of which copies stay
                with connect(settings.lake) as con:
                    ((gone,),) = con.sql("SELECT min(other_article_id) FROM lake.relations").fetchall()
                assert take_down(settings, Target(gone), "by request", clock)
    return settings


def test_the_same_code_gives_the_same_rows_and_asks_nobody(wire: Settings, tmp_path: Path) -> None:
    before, old = files_of(wire.lake), content(wire.lake)
    done = made_anew(wire, tmp_path / "new")
    assert (done.without_bytes, done.before, done.orphans) == ((), 0, 0)
    assert content(tmp_path / "new") == old
    assert files_of(wire.lake) == before, "the old lake is only read"
    with connect(wire.lake) as con:
        codes = {code for (code,) in con.sql("SELECT DISTINCT code FROM lake.outcomes").fetchall()}
        assert {"article", "copy", "http_error", "known_article", "gone", "consent"} <= codes
        assert con.sql("SELECT count(*) > 0 FROM lake.superseded").fetchall() == [(True,)]
        assert con.sql("SELECT count(*) > 0 FROM lake.pages WHERE len(redirects) > 0").fetchall() == [(True,)]
        assert con.sql("SELECT count(*) > 0 FROM lake.relations JOIN lake.forgotten f ON id = other_article_id").fetchall() == [
            (True,)
        ], "a copy of what was taken down is still that"
    assert findings(tmp_path / "new", datetime.now(UTC)) == []


def findings(lake: Path, now: datetime) -> list[Finding]:
    return verify(Lake(lake), now, Rules(timedelta(hours=6), None, timedelta(hours=6)), raw=True)


def test_times_are_those_of_the_commit_and_news_is_as_old_as_it_was(wire: Settings, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    made_anew(wire, tmp_path / "new")
    with connect(tmp_path / "new") as con:
        query = "SELECT min(a.available_at), max(t.news_at) FROM lake.articles a JOIN lake.taggings t USING (version_id)"
        ((available, news),) = con.sql(query).fetchall()
        assert news < began < available
        assert con.execute("SELECT count(*) FROM articles_as_of($at)", {"at": began}).fetchall() == [(0,)]
    made_anew(replace(wire, lake=tmp_path / "new"), tmp_path / "newer")
    assert content(tmp_path / "newer") == content(wire.lake), "news_at too, from one replay to the next"


def test_a_replay_that_is_complete_adds_nothing(wire: Settings, tmp_path: Path) -> None:
    made_anew(wire, tmp_path / "new")
    before = files_of(tmp_path / "new")
    made_anew(wire, tmp_path / "new")
    changed = {name for name, file in files_of(tmp_path / "new").items() if before.get(name) != file}
    assert {name for name in changed if not name.startswith("locks/")} == set()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A lake with a closed month, a closed day and an open one; three articles were taken down, one of each, and came again."""
    with publishing() as publisher:
        desk = takedowns.fill(tmp_path_factory.mktemp("closed"), publisher)
        titles = {title: article for article, title in desk.rows("SELECT article_id, title FROM articles")}
        for name in ("month", "day", "hot"):
            take_down(
                desk.settings, Target(titles[takedowns.WORDS[name][1]]), "by request", lambda: desk.now + timedelta(hours=1)
            )
        publisher.items = [{"guid": "again", "title": "Once more", "path": "/news/aurelia-17"}, *(publisher.items or [])]
        desk.batch(timedelta(hours=2))
    return desk


def test_closed_days_are_replayed_and_closed_and_what_was_taken_down_stays_away(closed: Desk, tmp_path: Path) -> None:
    replay_days(closed.settings, Lake(tmp_path / "new"), Days(), clock=lambda: closed.now)
    assert content(tmp_path / "new") == content(closed.settings.lake)
    assert watermark(Lake(tmp_path / "new")) == watermark(Lake(closed.settings.lake))
    assert findings(tmp_path / "new", closed.now) == []
    words = [word for name in ("month", "day", "hot") for word in takedowns.WORDS[name][:2]]
    assert takedowns.words_left(tmp_path / "new", *words) == set()


def test_days_before_are_carried_over_and_days_after_left_out(closed: Desk, tmp_path: Path) -> None:
    done = made_anew(closed.settings, tmp_path / "new", Days(date(2026, 12, 1), date(2026, 12, 10)))
    assert (done.since, done.until, done.batches, done.before, done.without_bytes) == (
        date(2026, 12, 1), date(2026, 12, 10), 3, 6, (),
    )  # fmt: skip
    within = "stage = 'forget' OR date <= DATE '2026-12-10'"
    assert content(tmp_path / "new") == content(closed.settings.lake, within)


def test_batches_whose_bytes_have_expired_are_named_and_carried_over(closed: Desk, tmp_path: Path) -> None:
    desk = takedowns.copy_of(closed, tmp_path / "copy")
    shutil.rmtree(desk.settings.lake / "raw/date=2026-12-10")
    done = made_anew(desk.settings, tmp_path / "new")
    assert [name[:8] + name[-5:] for name in done.without_bytes] == ["20261210-pull", "20261210-read"]
    assert "2 batches are as they were, their raw bytes are not there: 20261210T" in str(done)
    assert content(tmp_path / "new") == content(desk.settings.lake)
    shutil.rmtree(desk.settings.lake / "raw/date=2026-11-23")
    assert made_anew(desk.settings, tmp_path / "later").since == date(2026, 12, 15)
    with pytest.raises(InputError, match=r"no raw bytes of any day up to 2026-12-14 are left in .*; NEWSMILL_RAW"):
        made_anew(desk.settings, tmp_path / "none", Days(until=date(2026, 12, 14)))
    with pytest.raises(InputError, match=r"no raw bytes of 2027-01-01 are left .*; raw bytes are there of 2026-12-15 to "):
        made_anew(desk.settings, tmp_path / "none", Days(since=date(2027, 1, 1)))
    assert not (tmp_path / "none").exists()


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        yield Desk(tmp_path / "run", publisher)


def test_a_batch_that_was_broken_off_comes_when_it_came(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept under one id, and brought into the lake hours later under a derived one: the order is that of the commits."""
    publisher = desk.publisher
    publisher.slugs = ["sap", "boeing"]
    desk.batch(SOON)
    publisher.slugs = list(STORIES)
    publisher.page_status = 503
    with monkeypatch.context() as broken:
        broken.setattr(read, "_to_read", lambda *_: 1 / 0)
        with pytest.raises((ZeroDivisionError, TypeError)):
            desk.batch(SOON)
    publisher.page_status = 200
    desk.batch(HOURS)
    desk.batch(HOURS)
    assert [n for (n,) in desk.rows("SELECT max(attempt) FROM lake.outcomes")] == [2]
    assert desk.rows("SELECT count(*) FROM lake.pages WHERE batch_id LIKE '%.2'") == [(2,)]
    asked = list(publisher.asked)
    publisher.pages, publisher.slugs = {}, []
    made_anew(desk.settings, tmp_path / "new")
    assert content(tmp_path / "new") == content(desk.settings.lake)
    assert publisher.asked == asked


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_anywhere_it_goes_on(point: int, wire: Settings, tmp_path: Path) -> None:
    environ = {**os.environ, "NEWSMILL_RUN": str(wire.lake.parent)}

    def killed(where: str, new: Path) -> subprocess.CompletedProcess[str]:
        command = ["-m", "tests.run.replays", where, str(new)]
        return begun.run(*command, stdin="", environ=environ, timeout=100)

    done = killed(str(3 + 60 * point), tmp_path / "new")
    assert done.returncode == -9, done.stderr
    made_anew(wire, tmp_path / "new")
    assert content(tmp_path / "new") == content(wire.lake)


def test_called_again_it_takes_in_what_came_since_and_what_was_taken_down(desk: Desk, tmp_path: Path) -> None:
    desk.publisher.slugs = ["sap", "boeing"]
    desk.batch(SOON)
    made_anew(desk.settings, tmp_path / "new")
    ((gone,),) = desk.rows("SELECT article_id FROM articles WHERE title LIKE 'SAP%'")
    assert take_down(desk.settings, Target(gone), "by request", lambda: desk.now)
    desk.publisher.slugs = list(STORIES)
    desk.batch(HOURS)
    made_anew(desk.settings, tmp_path / "new")
    assert content(tmp_path / "new") == content(desk.settings.lake)
    assert takedowns.words_left(tmp_path / "new", "nach den Quartalszahlen") == set()


# --- other code


def test_what_other_code_reads_out_of_a_page_is_another_text_of_the_same_version(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.batch(SOON)
    monkeypatch.setattr(read, "read_page", read_otherwise)
    made_anew(desk.settings, tmp_path / "new")
    old, new = content(desk.settings.lake), content(tmp_path / "new")
    assert {table for table in old if old[table] != new[table]} == {"articles", "mentions", "taggings"}
    with connect(tmp_path / "new") as con:
        ids = "SELECT article_id, version_id FROM lake.articles ORDER BY ALL"
        assert con.sql(ids).fetchall() == desk.rows(ids)
        ((text, promo),) = con.sql("SELECT text, promo FROM articles WHERE title LIKE 'BASF%'").fetchall()
    assert "teilte der Konzern" not in text and "teilte der Konzern" in promo[-1]["text"]


def parse_otherwise(*args, **known):
    """Another wording of every entry; the workers import it from here."""
    parsed = parse_feed(*args, **known)
    return replace(parsed, entries=tuple(replace(e, summary=f"{e.summary or ''} (sic)") for e in parsed.entries))


def test_pages_find_their_entries_under_another_wording(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.publisher.page_status = 503
    desk.batch(SOON)
    desk.publisher.page_status = 200
    desk.batch(HOURS)
    monkeypatch.setattr(rederive, "parse_feed", parse_otherwise)
    assert made_anew(desk.settings, tmp_path / "new").orphans == 0
    old, new = content(desk.settings.lake), content(tmp_path / "new")
    assert {t for t in old if len(old[t]) != len(new[t])} == set(), "as many rows of everything"
    with connect(tmp_path / "new") as con:
        same = "SELECT article_id, version_id, title, text FROM lake.articles ORDER BY ALL"
        assert con.sql(same).fetchall() == desk.rows(same) != []
        assert con.sql("SELECT 1 FROM lake.entries WHERE revision IN (SELECT revision FROM lake.outcomes)").fetchall()
        assert con.sql("SELECT count(*) FROM outcomes WHERE code = 'waiting'").fetchall() == [(0,)]
    assert findings(tmp_path / "new", desk.now) == []


def test_entries_that_this_code_does_not_find_are_counted(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.batch(SOON)
    monkeypatch.setattr(rederive, "parse_feed", parse_fewer)
    done = made_anew(desk.settings, tmp_path / "new")
    assert done.orphans == 1 and "1 attempts at entries that this code does not find" in str(done)
    rows = content(tmp_path / "new")
    assert [len(rows[t]) for t in ("entries", "outcomes", "articles", "pages")] == [3, 3, 3, 3]
    assert findings(tmp_path / "new", desk.now) == []


def parse_fewer(*args, **known):
    parsed = parse_feed(*args, **known)
    return replace(parsed, entries=parsed.entries[1:])


def test_what_only_this_code_finds_waits_and_is_read_when_the_new_lake_runs_on(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(pull, "parse_feed", parse_fewer)
        desk.batch(SOON)
    asked = list(desk.publisher.asked)
    made_anew(desk.settings, tmp_path / "new")
    assert desk.publisher.asked == asked
    desk.settings = replace(desk.settings, lake=tmp_path / "new")
    assert sorted(desk.rows("SELECT code FROM outcomes")) == [("article",)] * 3 + [("waiting",)]
    assert desk.batch(SOON)["read"] == {"came_in": 1, "article": 1}
    assert [path for path in desk.publisher.asked[len(asked) :] if path != "robots.txt"] == ["feed", "siemens"]


# --- refused


def test_it_says_what_cannot_be(wire: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"is the old lake, or one lies in the other; name another directory"):
        made_anew(wire, wire.lake)
    with pytest.raises(InputError, match=r"is the old lake, or one lies in the other"):
        made_anew(wire, wire.lake / "raw/again")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").touch()
    with pytest.raises(LakeError, match=r"other is there and was not begun by a replay; name a directory that is empty or not"):
        made_anew(wire, tmp_path / "other")
    with pytest.raises(LakeError, match="no lake at "):
        made_anew(replace(wire, lake=tmp_path / "nowhere"), tmp_path / "new")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "format.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(LakeFormat, match=r"has format 99, this Newsmill reads up to \d+: update Newsmill"):
        made_anew(replace(wire, lake=newer), tmp_path / "new")
    made_anew(wire, tmp_path / "new")
    with pytest.raises(LakeError, match=r"new holds another replay: since was '2.*', now '2020-01-01'; replay the same, or "):
        made_anew(wire, tmp_path / "new", Days(date(2020, 1, 1)))
    monkeypatch.setattr("pipeline.run.replay.EXTRACTOR", "another")
    with pytest.raises(LakeError, match=r"holds another replay: code was \[.*\], now \[.*'another'.*\]; replay"):
        made_anew(wire, tmp_path / "new")
