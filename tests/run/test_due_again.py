"""A page of the sample wire that answers 503 while its feed answers 304: due again at named times, then read or given up.

The article stands on a wire of its own: the shipped one is busy for minutes only, so that its readers need not wait.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.run.ledger import MAX_ATTEMPTS
from pipeline.wire import newsroom
from tests.run.publisher import START, Desk, Publisher
from tests.wire.visit import Clock, running

TITLE = "Ratingagentur stuft Deutsche Bank herauf"
SECOND = "status 503; second try, the first: status 503"
OUTCOME = "SELECT code, final, kept, attempts, detail FROM outcomes"


class Newsroom:
    """A lake fed by one feed of the wire with one article, whose page is unavailable for so many minutes."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk, self._clock, self.rows = desk, clock, desk.rows

    def at(self, minutes: float) -> dict[str, dict[str, int]]:
        self._clock.now = START + timedelta(minutes=minutes)
        return self._desk.batch(self._clock.now - self._desk.now)


@contextmanager
def newsroom_of(run_dir: Path, unavailable_minutes: float) -> Iterator[Newsroom]:
    (article,) = (a for a in newsroom.articles() if a.title == TITLE)
    (placement,) = article.placements
    busy = replace(article, placements=(replace(placement, minutes=0, unavailable_minutes=unavailable_minutes),))
    clock = Clock(START)
    with running(run_dir, clock, [busy]) as wire:
        desk = Desk(run_dir, Publisher(wire.port))
        ankerblatt = newsroom.publishers()["ankerblatt"]
        catalogue = desk.settings.catalogue.read_text()
        here = f"http://127.0.0.1:{wire.port}/feed"
        desk.settings.catalogue.write_text(catalogue.replace(here, f"http://{ankerblatt.host}:{wire.port}{ankerblatt.feed_path}"))
        yield Newsroom(desk, clock)


NOTHING_NEW = {"pull": {"came_in": 1, "unchanged": 1}, "read": {}, "tag": {}}
STILL_BUSY = NOTHING_NEW | {"read": {"came_in": 1, "http_error": 1, "due again": 1}}


def test_an_hour_of_503_behind_a_feed_that_answers_304_loses_nothing(tmp_path: Path) -> None:
    with newsroom_of(tmp_path, unavailable_minutes=60) as news:
        assert news.at(0) == STILL_BUSY | {"pull": {"came_in": 1, "parsed": 1, "entries seen": 1, "entries new": 1}}
        # waits of 5, 20 and 80 minutes, each counted from the attempt before
        for minutes in (5, 25):
            assert news.at(minutes - 1) == NOTHING_NEW
            assert news.at(minutes) == STILL_BUSY
            assert news.rows(OUTCOME) == [("http_error", False, False, 2 if minutes == 5 else 3, SECOND)]
        assert news.at(61) == NOTHING_NEW, "the page is there, and its time has not come"
        assert news.rows("SELECT due_at FROM outcomes") == [(START + timedelta(minutes=105),)]
        assert news.at(104) == NOTHING_NEW
        last = news.at(105)
        assert last["read"] == {"came_in": 1, "article": 1} and last["tag"]["tagged"] == 1
        assert news.rows(OUTCOME) == [("article", True, True, 4, None)]
        assert news.rows("SELECT title FROM articles") == [(TITLE,)]
        at = [START + timedelta(minutes=m) for m in (0, 5, 25, 105)]
        assert news.rows("SELECT ended_at, code FROM lake.outcomes ORDER BY 1") == list(
            zip(at, ["http_error"] * 3 + ["article"], strict=True)
        )
        statuses = news.rows("SELECT status, count(*) FROM lake.visits GROUP BY 1 ORDER BY 1")
        assert statuses == [(200, 2), (304, 6)], "once an hour its 304 is doubted"
        assert news.at(24 * 60) == NOTHING_NEW


def test_a_page_that_never_comes_is_given_up_after_its_sixth_attempt(tmp_path: Path) -> None:
    with newsroom_of(tmp_path, unavailable_minutes=7 * 24 * 60) as news:
        for number, minutes in enumerate((0, 5, 25, 105, 425), start=1):
            assert news.at(minutes)["read"] == {"came_in": 1, "http_error": 1, "due again": 1}
            assert news.rows(OUTCOME) == [("http_error", False, False, number, SECOND)]
        assert news.at(1704) == NOTHING_NEW
        assert news.at(1705) == NOTHING_NEW | {"read": {"came_in": 1, "given_up": 1}}
        assert MAX_ATTEMPTS == 6
        reason = f"after 6 attempts, the last: {SECOND}"
        assert news.rows(OUTCOME) == [("given_up", True, False, 6, reason)]
        assert news.rows("SELECT title, due_at FROM outcomes") == [(TITLE, None)]
        assert news.at(8 * 24 * 60) == NOTHING_NEW, "nothing is tried any more"
        assert news.rows("SELECT count(*) FROM articles") == [(0,)]
