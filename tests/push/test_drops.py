"""What is dropped into the inbox by hand comes into the lake like any other news, or is put aside with a reason."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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
    found = [name for (name,) in desk.rows("SELECT key FROM lake.entries ORDER BY key")]
    assert found == sorted(f"{letter}{number}" for letter in "AB" for number in range(len(STEPS)))
    assert desk.rows("SELECT count(*), count(DISTINCT visit_id) FROM lake.visits") == [(2 * len(STEPS),) * 2]
