"""What is dropped into the inbox by hand comes into the lake like any other news, or is put aside with a reason."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.lake.verify import verify
from pipeline.push import inbox as inboxes
from pipeline.run import batch_id_of
from pipeline.run.batch import take_inbox
from tests.push.drops import DROPS, RUBBISH, TEXT, feed
from tests.run.publisher import Desk, Publisher


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(inboxes, "STILL_S", 0.0)
    publisher = Publisher(port=9)  # nobody is there, and nobody needs to be
    desk = Desk(tmp_path, publisher)
    desk.settings.catalogue.write_text('[[feed]]\nurl = "https://t.example/feed"\nfeed_id = "t"\nsource = "T"\nenabled = false\n')
    desk.settings.inbox.mkdir()
    return desk


def drop(desk: Desk, **files: str | bytes) -> None:
    for name, content in files.items():
        (desk.settings.inbox / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def take(desk: Desk) -> dict[str, int]:
    *_, report = take_inbox(desk.settings, batch_id_of(datetime.now(UTC)), lambda _line: None)
    return {what: n for what, n in report.counts.items() if n}


def left(desk: Desk) -> list[str]:
    root = desk.settings.inbox
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_every_kind_becomes_articles_without_a_fetch(desk: Desk) -> None:
    drop(desk, **DROPS)

    reports = desk.batch(after=timedelta(0))

    assert reports["push"] == {"came_in": 4, "parsed": 4, "entries seen": 6, "entries new": 6}
    assert reports["read"] == {"came_in": 6, "article": 6}
    assert desk.rows("SELECT count(*), count(DISTINCT feed_id), min(stage) FROM lake.visits") == [(4, 1, "push")]
    assert sorted(desk.rows("SELECT source, url, language, authors FROM articles")) == [
        ("Example Wire", "https://wire.example/siemens?utm_source=x", "en", ["Jo Doe"]),
        ("jets.example", None, "en", []),
        ("jets.example", None, "en", []),
        ("lines.example", "https://lines.example/BASF", "en", ["Jo Doe"]),
        ("lines.example", "https://lines.example/Bayer", "en", ["Jo Doe"]),
        ("news.example", "https://news.example/sap-outlook", "en", []),
    ]
    [(text,)] = desk.rows("SELECT text FROM articles WHERE source = 'Example Wire'")
    assert text.split() == TEXT.split()
    assert desk.rows("SELECT count(*) FROM lake.pages") == [(0,)]
    assert left(desk) == []


def test_what_cannot_be_taken_lies_aside_with_a_reason(desk: Desk) -> None:
    drop(desk, **{name: content for name, (content, _) in RUBBISH.items()}, big=b"<rss>" + b" " * 16_000_000, good=feed("Good"))

    assert take(desk) == {"came_in": 1, "parsed": 1, "entries seen": 1, "entries new": 1}
    rejected = desk.settings.inbox / "rejected"
    assert left(desk) == sorted(f"rejected/{name}{end}" for name in [*RUBBISH, "big"] for end in ("", ".reason"))
    reasons = {name: (rejected / f"{name}.reason").read_text() for name in RUBBISH}
    assert {name: why for name, (_, why) in RUBBISH.items() if why not in reasons[name]} == {}
    assert (rejected / "half.json").read_text() == RUBBISH["half.json"][0]


def test_a_name_a_link_and_a_file_that_cannot_be_read_hold_up_nothing(desk: Desk) -> None:
    inbox, long = desk.settings.inbox, f"{'ä' * 120}.xml"
    drop(desk, **{long: feed("Long"), f"{'b' * 245}.xml": "", "closed.xml": feed("Closed")})
    (inbox / "closed.xml").chmod(0)
    (inbox / os.fsdecode(b"\xff\n.json")).write_text("{")
    (inbox.parent / "secret.json").write_text(DROPS["article.json"])
    (inbox / "link.json").symlink_to(inbox.parent / "secret.json")

    counts = take(desk)

    reasons = {name: (inbox / name).read_text() for name in left(desk) if name.endswith(".reason")}
    assert "drop the file itself" in reasons["rejected/link.json.reason"]
    assert (len(reasons), counts["came_in"]) == ((4, 1) if os.getuid() else (3, 2))
    assert desk.rows("SELECT count(*) FROM lake.entries WHERE url LIKE '%wire.example%'") == [(0,)]


def test_what_is_pushed_for_a_feed_is_no_article_of_a_page_that_nobody_asked_for(desk: Desk) -> None:
    stranger = json.dumps({"url": "https://bank.example/results", "title": "T" * 2000, "text": TEXT})
    drop(desk, **{"hub.push": f"feed: t\n\n{stranger}", "hand.push": f"url: https://bank.example/\n\n{stranger}"})
    take(desk)
    entries = desk.rows("SELECT feed_id, whole, len(title) FROM lake.entries ORDER BY feed_id")
    assert entries == [("inbox", True, 1000), ("t", False, 1000)]


def test_one_title_and_time_of_two_publishers_are_two_entries(desk: Desk) -> None:
    wire = json.loads(DROPS["article.json"])
    drop(desk, **{"a.json": json.dumps(wire)})
    take(desk)
    drop(desk, **{"b.json": json.dumps({**wire, "url": "https://other.example/1", "source": "Other"})})
    take(desk)
    assert desk.rows("SELECT DISTINCT source FROM lake.entries ORDER BY 1") == [("Example Wire",), ("Other",)]


def test_one_id_of_two_publishers_is_two_entries(desk: Desk) -> None:
    for source in ("A", "B"):
        drop(desk, **{"a.json": json.dumps({"id": "1", "title": f"News of {source}", "text": TEXT, "source": source})})
        take(desk)
    drop(desk, **{"a.json": json.dumps({"id": "1", "title": "News of A, again", "text": TEXT, "source": "A"})})
    take(desk)
    assert desk.rows("SELECT source, number FROM lake.entries ORDER BY ALL") == [("A", 1), ("A", 2), ("B", 1)]


def test_an_entry_under_two_keys_in_two_pushes_of_one_batch_is_one(desk: Desk) -> None:
    def pushed(guid: str, words: str) -> str:
        return f"feed: t\n\n{feed('Boeing')}".replace("<guid>Boeing", f"<link>https://jets.example/1</link><guid>{guid}").replace(
            "delivered", words
        )

    drop(desk, **{"a.push": pushed("1", "delivered")})
    take(desk)
    drop(desk, **{"a.push": pushed("2", "sold"), "b.push": pushed("1", "lost"), "c.push": pushed("2", "lost")})
    counts = take(desk)
    assert (counts["entries new"], counts["entries absorbed"]) == (2, 1)
    assert desk.rows("SELECT key, number FROM lake.entries ORDER BY ALL") == [("1", 1), ("1", 2), ("1", 3)]


def test_a_batch_that_cannot_be_finished_holds_up_no_drop(desk: Desk) -> None:
    stuck = desk.settings.inbox / ".taken" / "20261101T000000Z" / "0-feed.xml"
    stuck.parent.mkdir(parents=True)
    stuck.write_text(feed("Stuck"))
    blocked = desk.settings.inbox / "rejected"
    blocked.write_text("no directory")
    (stuck.parent / "1-bad.xml").write_text("rubbish")
    drop(desk, **{"good.xml": feed("Good")})

    with pytest.raises(OSError, match="rejected"):
        take(desk)
    assert desk.rows("SELECT title FROM lake.entries") == [("Good hands over jets",)]


def test_what_is_dropped_again_adds_nothing_and_what_was_edited_a_revision(desk: Desk) -> None:
    drop(desk, **{"a.xml": feed("Boeing"), "b.xml": feed("Boeing"), "c.xml": feed("Boeing").replace("delivered", "handed over")})
    first = take(desk)
    drop(desk, **{"a.xml": feed("Boeing").replace("delivered", "handed over")})
    second = take(desk)

    assert (first["entries new"], first["entries known"]) == (2, 1)
    assert (second["entries known"], second.get("entries new")) == (1, None)
    assert desk.rows("SELECT number, summary LIKE '%handed over%' FROM lake.entries ORDER BY number") == [(1, False), (2, True)]
    assert verify(Lake(desk.settings.lake), datetime.now(UTC), Rules(desk.settings.grace, None), raw=True) == []


class Killed(BaseException):
    """As a kill: nothing of ours handles it."""


class Killer:
    """Stops this process at a step it takes on the file system: as much of a kill as one process can show of itself."""

    def __init__(self) -> None:
        self.at = ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if self.at and self.at in f"{event} {' '.join(map(str, args))}":
            self.at = ""
            raise Killed


KILLER = Killer()
#: Where: at the second claim, before the pack is placed, before the drops are removed, at the second, before the commit.
STEPS = [
    "os.rename {inbox}/b.xml",
    "os.rename {raw}",
    "os.remove {inbox}/.taken",
    "os.rmdir {inbox}/.taken",
    "os.rename {staging}",
]


def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_doubled(desk: Desk) -> None:
    lake = desk.settings.lake
    for number, step in enumerate(STEPS):
        drop(desk, **{"a.xml": feed(f"A{number}"), "b.xml": feed(f"B{number}")})
        KILLER.at = step.format(inbox=desk.settings.inbox, raw=f"{lake}/raw", staging=f"{lake}/staging/.commit")
        with pytest.raises(Killed):
            take(desk)
        assert KILLER.at == ""
        take(desk)

    assert left(desk) == []
    found = [name for (name,) in desk.rows("SELECT split_part(key, ' ', 2) AS key FROM lake.entries ORDER BY key")]
    assert found == sorted(f"{letter}{number}" for letter in "AB" for number in range(len(STEPS)))
    assert desk.rows("SELECT count(*), count(DISTINCT visit_id) FROM lake.visits") == [(2 * len(STEPS),) * 2]


def test_an_inbox_that_is_no_directory_is_told_of(desk: Desk) -> None:
    desk.settings.inbox.rmdir()
    desk.settings.inbox.write_text("a file")
    with pytest.raises(ConfigError, match="inbox: no directory; name one of this machine in NEWSMILL_INBOX"):
        take(desk)
