"""What `local = true` opens: the feed's own ip:port for its own entries, and nothing for anybody else."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.run.publisher import Desk, Publisher, page_of, publishing


class Rooms:
    """Three publishers on loopback: one's own, a stranger's, and a third that nobody may ask. The stranger's is let in as the
    sample wire is, as no test can be on the public internet."""

    def __init__(self, run_dir: Path, own: Publisher, stranger: Publisher, third: Publisher) -> None:
        self.own, self.stranger, self.third = own, stranger, third
        self.desk = Desk(run_dir, stranger)
        self.catalogue = run_dir / "feeds.toml"
        for publisher in (own, stranger, third):
            publisher.items = []
        self.list_feeds(local=True)

    def list_feeds(self, *, local: bool) -> None:
        feed = '[[feed]]\nfeed_id = "{}"\nurl = "{}/feed"\nevery_minutes = 1\nlanguage = "en"\n{}'
        opens = "local = true\n" if local else ""
        self.catalogue.write_text(feed.format("own", self.own.base, opens) + feed.format("stranger", self.stranger.base, ""))

    def outcomes(self) -> dict[str, str]:
        return dict(self.desk.rows("SELECT feed_id || ' ' || title, code FROM outcomes"))


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    with ExitStack() as stack:
        yield Rooms(tmp_path / "run", *(stack.enter_context(publishing()) for _ in range(3)))


def _item(name: str, path: str) -> dict[str, str]:
    return {"guid": name, "title": name, "path": path}


def _page(name: str) -> str:
    return page_of(name, f"{name} says something of its own about Siemens.", f"{name} goes on at some length.")


def test_a_local_feed_and_its_pages_are_read(rooms: Rooms) -> None:
    rooms.own.items, rooms.own.pages = [_item("A", "/a")], {"/a": _page("A")}
    rooms.desk.batch(timedelta(0))
    assert rooms.outcomes() == {"own A": "article"}


def test_a_strangers_entry_cannot_lead_there_even_beside_the_own_one(rooms: Rooms) -> None:
    """Both entries name one page; whichever is first, the stranger's asks nothing and the own one is read."""
    rooms.own.items, rooms.own.pages = [_item("A", "/a")], {"/a": _page("A"), "/secret": _page("S")}
    rooms.stranger.feed = lambda: (  # type: ignore[method-assign]
        '<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>'
        f"<item><guid>S</guid><title>S</title><link>{rooms.own.base}/secret</link></item>"
        f"<item><guid>A</guid><title>A too</title><link>{rooms.own.base}/a</link></item></channel></rss>"
    )
    rooms.desk.batch(timedelta(0))
    assert rooms.outcomes() == {"own A": "article", "stranger S": "forbidden_address", "stranger A too": "forbidden_address"}
    assert rooms.own.asked.count("a") == 1 and "secret" not in rooms.own.asked


def test_neither_redirects_nor_links_leave_the_own_port_for_another(rooms: Rooms) -> None:
    rooms.own.pages = {"/to-third": f"{rooms.third.base}/x", "/to-stranger": f"{rooms.stranger.base}/y"}
    rooms.own.pages = {path: f"//{target.removeprefix('http://')}" for path, target in rooms.own.pages.items()}
    rooms.own.items = [_item("by redirect", "/to-third"), _item("to the stranger", "/to-stranger")]
    rooms.stranger.items, rooms.stranger.pages = [_item("back", "/back")], {"/back": f"//127.0.0.1:{rooms.own.port}/a"}
    rooms.stranger.pages["/y"] = _page("Y")
    rooms.own.pages["/a"] = _page("A")
    rooms.desk.batch(timedelta(0))
    assert rooms.outcomes() == {
        "own by redirect": "forbidden_address",
        "own to the stranger": "article",
        "stranger back": "forbidden_address",
    }
    assert rooms.third.asked == [] and "a" not in rooms.own.asked


def test_without_it_the_refusal_names_it(rooms: Rooms) -> None:
    rooms.list_feeds(local=False)
    rooms.desk.batch(timedelta(0))
    assert rooms.own.asked == []
    assert rooms.desk.rows("SELECT outcome, detail FROM feeds WHERE feed_id = 'own'") == [
        ("forbidden_address", "127.0.0.1: loopback; where it is your own, set local = true for this feed in the catalogue")
    ]


def test_taken_back_it_opens_nothing_more(rooms: Rooms) -> None:
    rooms.own.items, rooms.own.pages = [_item("A", "/a")], {"/a": _page("A")}
    rooms.desk.batch(timedelta(0))
    asked = len(rooms.own.asked)
    rooms.list_feeds(local=False)
    rooms.desk.batch(timedelta(minutes=5))
    assert len(rooms.own.asked) == asked


def test_a_name_opens_where_it_leads(rooms: Rooms) -> None:
    rooms.catalogue.write_text(rooms.catalogue.read_text().replace(f"127.0.0.1:{rooms.own.port}", f"localhost:{rooms.own.port}"))
    rooms.own.items, rooms.own.pages = [_item("A", "/a")], {"/a": _page("A")}
    rooms.desk.batch(timedelta(0))
    assert rooms.outcomes() == {"own A": "article"}
