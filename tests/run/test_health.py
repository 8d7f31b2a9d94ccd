"""Health: what comes out against its own rhythm, and notices that tell of each alarm once; on made-up weeks of a lake."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, NewsmillError
from pipeline.lake.layout import Lake
from pipeline.run.alarms import watch
from pipeline.run.health import Alarm, check
from pipeline.run.notices import sender
from pipeline.settings import Settings
from schemas.article import Article
from schemas.feed import DateQuality, VisitCode
from schemas.outcome import OutcomeCode
from schemas.tag import Tagging
from tests.lake.sample import add, made, moment
from tests.lake.test_feed_status import entry, outcome, visit
from tests.test_command_line import newsmill

FIRST, LAST = datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 11, 25, 12, tzinfo=UTC)
FEEDS = ("a", "b", "c")


def weeks(place: Path, first: datetime = FIRST, until: str = "2026-11-25 12:00", **left_out: Any) -> Settings:
    """A lake whose three feeds bring two articles an hour on weekdays from 8 to 17, the last of them before a moment."""
    lake = made(place / "lake")
    hours = [first + timedelta(hours=n) for n in range(int((LAST - first) / timedelta(hours=1)) + 1)]
    busy = [at for at in hours if at.isoweekday() < 6 and 8 <= at.hour < 18 and at < moment(until)]
    many = left_out.get("many", {})
    entries = [
        replace(entry(at, n, feed), entry_id=f"e_{feed}{at:%m%d%H}{n}", date_quality=DateQuality.EXACT, published_at=at)
        for feed in FEEDS for at in busy for n in range(many.get(f"{at:%m%d}", 2))
    ]  # fmt: skip
    names = [e.entry_id[2:] for e in entries]
    articles = [
        Article(
            article_id=f"a_{name}", version_id=f"v_{name}", entry_id=e.entry_id, revision=e.revision, feed_id=e.feed_id,
            source=e.source, title=e.title, text="Text.", seen_at=e.seen_at, text_hash=name, extractor="x",
        ) for name, e in zip(names, entries, strict=True)
    ]  # fmt: skip
    taggings = [
        Tagging(
            tagging_id=f"t_{a.version_id}", version_id=a.version_id, article_id=a.article_id, news_at=a.seen_at, tagger="x",
            registry="y", mentions=1, companies=left_out.get("companies", 1),
        ) for a in articles
    ]  # fmt: skip
    add(lake, LAST, "pull", visits=[visit(at, feed) for at in hours for feed in FEEDS], entries=entries)
    add(lake, LAST, "read", articles=articles, outcomes=[outcome(e, OutcomeCode.ARTICLE) for e in entries])
    add(lake, LAST, "tag", taggings=taggings)
    return Settings(lake=lake.root, catalogue=place / "feeds.toml")


def alarms(settings: Settings, at: str) -> dict[str, str]:
    return {alarm.key: alarm.what for alarm in check(settings, moment(at)).alarms}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """It stops on a Monday at noon."""
    return weeks(tmp_path_factory.mktemp("stopped"), until="2026-11-23 12:00")


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        ("2026-11-21 18:00", {}),
        ("2026-11-22 12:00", {}),  # nothing for two days, as on any Sunday
        ("2026-11-23 07:30", {}),
        ("2026-11-23 14:00", {}),
        ("2026-11-23 16:00", {"newest article": "it is 5 h old, and in such a span 15 visits bring some"}),
        (
            "2026-11-24 10:00",
            {
                "newest article": "it is 23 h old, and in such a span 27 visits bring some",
                "volume": "6 new articles in 24 hours, where 60 are usual on this weekday",
            },
        ),
    ],
)
def test_what_comes_out_is_judged_by_the_lakes_own_week(stopped: Settings, at: str, wrong: dict[str, str]) -> None:
    assert alarms(stopped, at) == wrong


def test_then_its_feeds_are_silent_too(stopped: Settings) -> None:
    health = check(stopped, moment("2026-11-25 12:00"))
    assert health.states == {"silent": 3}
    assert [alarm.key for alarm in health.alarms] == ["newest article", "volume", "silent a", "silent b", "silent c"]
    assert health.alarms[-1] == Alarm(
        "silent", "it answers and brings nothing new, where 20.0 a day are usual", health.alarms[-1].remedy,
        moment("2026-11-23 11:00"), {"expected": 20, "seen": 0, "chance": health.alarms[-1].figures["chance"]}, "c",
    )  # fmt: skip


def test_far_more_than_usual_is_wrong_too(tmp_path: Path) -> None:
    wrong = alarms(weeks(tmp_path, many={"1124": 10}), "2026-11-24 19:00")
    assert wrong == {"volume": "300 new articles in 24 hours, where 60 are usual on this weekday"}


def test_a_first_fortnight_has_no_rhythm_but_a_limit_can_be_set(tmp_path: Path) -> None:
    young = weeks(tmp_path, first=datetime(2026, 11, 17, tzinfo=UTC), until="2026-11-20 12:00")
    assert alarms(young, "2026-11-23 10:00") == {}
    assert alarms(young, "2026-11-23 12:00") == {"newest article": "it is 3 days old"}
    assert alarms(replace(young, newest_h=2.5), "2026-11-20 13:00") == {}
    assert alarms(replace(young, newest_h=2.5), "2026-11-20 14:00") == {"newest article": "it is 3 h old"}


def test_what_is_not_done_is_told(tmp_path: Path) -> None:
    settings = weeks(tmp_path, companies=0)
    assert alarms(settings, "2026-11-24 19:00") == {
        "nothing tagged": "60 articles were tagged in 24 hours, and none names a company"
    }
    left = [entry(LAST, n, "d") for n in range(20)]
    add(made(settings.lake), LAST + timedelta(hours=1), "pull", visits=[visit(LAST, "d")], entries=left)
    wrong = alarms(settings, f"{datetime.now(UTC) + timedelta(days=1):%F %H:%M}")
    assert wrong["read waits"] == "20 wait for the stage read, the oldest for 24 h"
    assert wrong["unvisited"].endswith("and 4 are due")


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """A lake with a feed that is well, one that is refused, and one that nobody visits any more."""
    lake = made(tmp_path / "lake")
    bad = [replace(visit(LAST - timedelta(minutes=n), "bad", 2), outcome=VisitCode.REFUSED, detail="status 403") for n in (1, 30)]
    add(lake, LAST, "pull", visits=[visit(LAST, "a"), visit(LAST - timedelta(days=3), "dropped", 9), *bad])
    return Settings(lake=lake.root, catalogue=tmp_path / "feeds.toml")


def test_each_alarm_is_told_once_and_so_is_its_end(desk: Settings) -> None:
    told: list[tuple[str, str]] = []
    works = True

    def look(minutes: float) -> tuple[list[str], list[str], list[str]]:
        def send(title: str, text: str) -> bool:
            told.append((title, text))
            return works

        found = watch(desk, lambda _line: None, lambda: LAST + timedelta(minutes=minutes), send)
        return [a.key for a in found.new], list(found.over), [a.key for a in found.urgent]

    works = False
    with pytest.raises(NewsmillError, match="nobody took the notice of 1 newly wrong: check NEWSMILL_NOTIFY"):
        look(0)
    works = True
    assert look(15) == (["blocked bad"], [], ["blocked bad"]), "what nobody took is sent again"
    what = "blocked bad: 2 visits in a row ended in refused: status 403"
    remedy = "open it in a browser: where its publisher wants no robots, ask them or `newsmill feeds remove` it"
    assert told == [("1 newly wrong", f"new: {what}; {remedy}")] * 2
    assert look(30) == ([], [], ["blocked bad"])
    add(made(desk.lake), LAST + timedelta(days=1), "pull", visits=[visit(LAST + timedelta(hours=24, minutes=n), f) for n, f in
        enumerate(("a", "bad"))])  # fmt: skip
    assert look(24 * 60 + 16) == ([], [what], [])
    assert told[2:] == [("1 over", f"over: {what}")]
    assert json.loads((desk.lake / "health.json").read_text()) == {}


def test_a_feed_is_urgent_for_a_day(desk: Settings) -> None:
    def urgent(minutes: float) -> list[str]:
        return [a.key for a in watch(desk, lambda _line: None, lambda: LAST + timedelta(minutes=minutes)).urgent]

    assert [urgent(0), urgent(50)] == [["blocked bad"]] * 2
    add(made(desk.lake), LAST + timedelta(days=1), "pull", visits=[visit(LAST + timedelta(hours=24), "a")])
    assert urgent(24 * 60 + 1) == [] and json.loads((desk.lake / "health.json").read_text()).keys() == {"blocked bad"}


@pytest.fixture
def mailbox() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address of apprise, and what came to it."""
    came: list[dict[str, Any]] = []

    class Box(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append({"path": self.path, **json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Box) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}", came
        server.shutdown()


def test_notices_go_to_every_address_and_no_address_is_shown(
    mailbox: tuple[str, list[dict[str, Any]]], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    address, came = mailbox
    caplog.set_level("DEBUG", "apprise")
    assert sender(f"{address}/one, {address}/two")("2 over", "over: a\nover: b")
    assert sorted((n["path"], n["title"], n["message"]) for n in came) == [
        (path, "Newsmill: 2 over", "over: a\nover: b") for path in ("/one", "/two")
    ]
    assert not sender(f"{address}/broken-secret")("1 over", "over: a")
    with pytest.raises(ConfigError, match="NEWSMILL_NOTIFY holds an address that apprise does not know") as wrong:
        sender(f"{address}/one nonsense://hush-secret@host")
    assert "secret" not in caplog.text + str(wrong.value) + "".join(capfd.readouterr())


def test_the_command_tells_and_notifies(desk: Settings, mailbox: tuple[str, list[dict[str, Any]]]) -> None:
    address, came = mailbox
    lake = ("--lake", str(desk.lake))
    add(made(desk.lake), datetime.now(UTC), "pull", visits=[replace(visit(datetime.now(UTC), "bad", 3), outcome=VisitCode.LOGIN)])
    shown = newsmill("health", *lake)
    assert shown.returncode == 3 and shown.stdout.startswith("feeds  ") and "1 blocked" in shown.stdout.splitlines()[0]
    assert "✗ blocked bad: 3 visits in a row ended in login: busy" in shown.stdout and not (desk.lake / "health.json").exists()
    told = [newsmill("health", "--json", "--notify", *lake, NEWSMILL_NOTIFY=address) for _ in range(2)]
    assert [json.loads(t.stdout)["alarms"][0]["feed_id"] for t in told] == ["bad"] * 2
    assert [n["title"] for n in came] == ["Newsmill: 1 newly wrong"]
    (desk.lake / "health.json").unlink()
    unsent = newsmill("health", "--notify", *lake, NEWSMILL_NOTIFY=f"{address}/broken")
    assert (unsent.returncode, unsent.stdout) == (1, shown.stdout), "what nobody took is shown all the same"
    assert "nobody took the notice" in unsent.stderr


def test_what_is_pushed_hides_no_pull_that_stopped(tmp_path: Path) -> None:
    settings = weeks(tmp_path)
    at = moment("2026-11-27 12:00")
    pushed = [replace(visit(at, feed), visit_id=f"p_{feed}", due_rule="pushed") for feed in ("a", "inbox")]
    add(Lake(settings.lake), at, "push", visits=pushed)
    assert alarms(settings, "2026-11-27 12:30")["unvisited"] == "no feed has been visited for 2 days, and 3 are due"
    assert check(settings, moment("2026-11-27 12:30")).states == {"ok": 3}


def test_a_refusing_host_that_is_left_alone_is_no_other_alarm(tmp_path: Path) -> None:
    settings = weeks(tmp_path)
    refused, deferred = (
        replace(visit(LAST + timedelta(minutes=n), "a", 3), visit_id=f"f_{n}", outcome=code, due_rule="x")
        for n, code in ((1, VisitCode.REFUSED), (2, VisitCode.DEFERRED))
    )
    for one in (refused, deferred):
        add(Lake(settings.lake), one.visited_at, "pull", visits=[one])
        assert list(alarms(settings, "2026-11-25 12:30")) == ["blocked a"]


def test_a_lake_whose_feeds_stopped_on_their_first_day_is_judged_too(tmp_path: Path) -> None:
    settings = weeks(tmp_path, datetime(2026, 11, 2, 10, tzinfo=UTC), until="2026-11-02 11:00")
    assert "volume" not in alarms(settings, "2026-11-25 12:00")
