"""What is shown when: a function of the clock and of the kept start."""

from collections import Counter
from pathlib import Path

import feedparser
import pytest

from pipeline.errors import ConfigError
from pipeline.wire.newsroom import articles, publishers
from pipeline.wire.server import kept_start
from pipeline.wire.timeline import LATEST
from tests.wire.visit import START, Clock, Wire, running

FEEDS = {key: publisher.feed_path for key, publisher in publishers().items()}


def titles(wire: Wire, publisher: str) -> list[str]:
    feed = feedparser.parse(wire.get(publisher, FEEDS[publisher]).body)
    return [entry.title for entry in feed.entries]


@pytest.mark.parametrize(("minutes", "reports"), [(0, 0), (1.5, 0), (4, 0), (5.9, 0), (6, 1), (9, 2), (10, 3)])
def test_entries_appear_with_time(wire: Wire, minutes: float, reports: int) -> None:
    wire.clock.after(minutes)
    written = Counter(p.publisher for a in articles() for p in a.placements if p.minutes <= minutes and p.feed != "sitemap")
    written["tickerspatz"] += reports
    assert {publisher: len(titles(wire, publisher)) for publisher in FEEDS} == written


def test_everything_written_fits_into_its_feed_and_is_out_within_five_minutes(wire: Wire) -> None:
    placements = [p for a in articles() for p in a.placements]
    assert max(Counter(p.publisher for p in placements).values()) <= LATEST
    assert max(p.minutes for p in placements) <= 5 and min(p.minutes for p in placements) >= -7200
    assert max(r.minutes for a in articles() for r in a.revisions) <= 5


def test_a_feed_never_grows_longer_than_its_longest(wire: Wire) -> None:
    wire.clock.after(100_000)
    assert len(titles(wire, "tickerspatz")) == LATEST == 60


def test_an_article_is_not_there_before_its_time(wire: Wire) -> None:
    path = "/news/tesla-deliveries-miss.html"
    wire.clock.after(0.9)
    assert wire.get("tickerspatz", path).status == 404
    assert b"Tesla deliveries" not in wire.get("tickerspatz", "/").body
    wire.clock.after(1)
    assert wire.get("tickerspatz", path).status == 200
    assert b"Tesla deliveries" in wire.get("tickerspatz", "/").body


def test_a_redirect_is_not_there_before_its_time(wire: Wire) -> None:
    path = "/r/microsoft-openai-contract"
    assert wire.get("tidewater", path).status == 404
    wire.clock.after(2)
    assert wire.get("tidewater", path).status == 302


def test_reports_alternate_between_the_languages_and_stay_reachable(wire: Wire) -> None:
    wire.clock.after(6 + 2 * 29)
    feed = feedparser.parse(wire.get("tickerspatz", "/feed").body)
    feed.entries = feed.entries[:30]
    pages = [wire.get("tickerspatz", entry.link.partition(f":{wire.port}")[2]) for entry in feed.entries]
    assert [page.status for page in pages] == [200] * 30
    languages = ["en" if b'<html lang="en">' in page.body else "de" for page in pages]
    assert languages == ["en", "de"] * 15
    assert len({entry.title for entry in feed.entries}) == 30
    wire.clock.after(60 * 24 * 365)
    again = wire.get("tickerspatz", feed.entries[-1].link.partition(f":{wire.port}")[2])
    assert again.body == pages[-1].body


@pytest.mark.parametrize("path", ["/kurse/sap-5.html", "/kurse/siemens-999999999999999999.html", "/kurse/sap-9999999.html"])
def test_a_report_that_does_not_exist_is_not_found(wire: Wire, path: str) -> None:
    wire.clock.after(60)
    assert wire.get("tickerspatz", path).status == 404


def test_a_page_that_is_not_revised_never_changes(wire: Wire) -> None:
    path = "/aktien/novo-nordisk-tablette.html"
    first = wire.get("tickerspatz", path)
    wire.clock.after(500)
    assert (wire.get("tickerspatz", path).body, first.status) == (first.body, 200)


def test_a_restart_keeps_the_start(tmp_path: Path) -> None:
    run_dir = tmp_path / "deep" / "run"
    with running(run_dir, Clock()) as first:
        shown = titles(first, "tickerspatz")
    kept = (run_dir / "wire-started").read_bytes()
    clock = Clock()
    clock.after(6)
    with running(run_dir, clock) as second:
        assert titles(second, "tickerspatz")[-len(shown) :] == shown
        assert len(titles(second, "tickerspatz")) == len(shown) + 3
    assert (run_dir / "wire-started").read_bytes() == kept
    assert sorted(path.name for path in run_dir.iterdir()) == ["wire-started"]


def test_of_two_starts_at_once_the_first_counts(tmp_path: Path) -> None:
    later = Clock()
    later.after(10)

    def overtaken() -> object:
        kept_start(tmp_path, Clock())
        return later()

    assert kept_start(tmp_path, overtaken) == START  # type: ignore[arg-type]


def test_a_start_that_is_no_time_is_named(tmp_path: Path) -> None:
    (tmp_path / "wire-started").write_text("yesterday\n")
    with pytest.raises(ConfigError, match="wire-started holds no time; delete it"):
        kept_start(tmp_path, Clock())
