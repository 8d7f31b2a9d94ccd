"""The three feeds as feedparser reads them, against what every entry is to end as."""

import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from pipeline.wire.newsroom import articles, publishers
from schemas.outcome import OutcomeCode
from tests.wire.visit import START, Wire

FEEDS = {key: publisher.feed_path for key, publisher in publishers().items()}
EXPECTED = tomllib.loads((Path(__file__).parent / "expected.toml").read_text("utf-8"))


@pytest.fixture
def feeds(wire: Wire) -> dict[str, Any]:
    wire.clock.after(5)
    return {key: feedparser.parse(wire.get(key, path).body) for key, path in FEEDS.items()}


def test_every_entry_is_expected_and_every_expectation_is_an_entry(feeds: dict[str, Any]) -> None:
    found = Counter((key, entry.title) for key, feed in feeds.items() for entry in feed.entries)
    assert found == Counter((entry["feed_id"], entry["title"]) for entry in EXPECTED["entry"])
    assert found.total() == 18


def test_expectations_are_well_formed() -> None:
    members = Counter(entry["group"] for entry in EXPECTED["entry"] if "group" in entry)
    assert members == {name: len(outcomes) for name, outcomes in EXPECTED["groups"].items()}
    outcomes = [entry["outcome"] for entry in EXPECTED["entry"] if "outcome" in entry]
    grouped = [code for group in EXPECTED["groups"].values() for code in group]
    assert {OutcomeCode(code) for code in outcomes + grouped} == {
        OutcomeCode.ARTICLE,
        OutcomeCode.COPY,
        OutcomeCode.KNOWN_ARTICLE,
        OutcomeCode.GONE,
        OutcomeCode.DISALLOWED,
    }


def test_every_company_expected_is_named_on_the_page() -> None:
    texts = {article.title: f"{article.title}\n{article.body}" for article in articles()}
    missing = [
        (entry["title"], name)
        for entry in EXPECTED["entry"]
        for name in entry.get("companies", [])
        if name not in texts[entry["title"]]
    ]
    assert missing == []


def test_proper_feeds_are_well_formed_and_the_broken_one_is_not(wire: Wire, feeds: dict[str, Any]) -> None:
    assert {key: (feed.version, bool(feed.bozo)) for key, feed in feeds.items()} == {
        "ankerblatt": ("rss20", False),
        "tidewater": ("atom10", False),
        "tickerspatz": ("rss20", True),
    }
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(wire.get("tickerspatz", "/feed").body)


def test_links_carry_the_port_and_lead_to_pages(wire: Wire, feeds: dict[str, Any]) -> None:
    statuses = Counter()
    for feed in feeds.values():
        for entry in feed.entries:
            host, _, path = entry.link.removeprefix("http://").partition(f".localhost:{wire.port}")
            statuses[wire.get(host, path).status] += 1
    assert statuses == {200: 15, 301: 1, 302: 1, 404: 1}


def test_what_is_odd_about_the_broken_feed(wire: Wire) -> None:
    wire.clock.after(30)
    text = wire.get("tickerspatz", "/feed").body.decode("utf-8")
    feed = feedparser.parse(text.encode())
    assert len(feed.entries) == text.count("<item>") == 18
    assert [entry.title for entry in feed.entries if "&" in entry.title] == [
        "Chip stocks slide: ASML & Infineon hit by talk of tighter export rules"
    ]
    assert sum("id" not in entry for entry in feed.entries) == 6
    oddities = ("ASML & I", "&uuml;", "&nbsp;", "\x0b", " MEZ<", " CET<", "Mo, 23 Nov", "&wt_mc=")
    assert [oddity for oddity in oddities if oddity not in text] == []


def test_dates_are_those_of_the_timeline(feeds: dict[str, Any]) -> None:
    def date(entry: Any) -> datetime | None:
        return datetime(*entry.published_parsed[:6], tzinfo=UTC) if "published" in entry else None

    dates = {entry.title: date(entry) for key in ("ankerblatt", "tidewater") for entry in feeds[key].entries}
    assert dates["SAP hebt Prognose an: Cloudgeschäft wächst schneller als erwartet"] == START - timedelta(minutes=430)
    assert dates["Microsoft and OpenAI rewrite their contract"] == START + timedelta(minutes=1.5)
    assert [title for title, at in dates.items() if at is None] == [
        "Allianz ordnet Vorstand neu: Finanzchefin wechselt ins Auslandsgeschäft"
    ]


def test_a_summer_date_carries_the_summer_zone(wire: Wire) -> None:
    wire.clock.now = datetime(2027, 7, 14, 12, 0, tzinfo=UTC)
    text = wire.get("tickerspatz", "/feed").body.decode("utf-8")
    assert {zone for zone in ("MEZ", "MESZ", "CET", "CEST", "+0100", "+0200") if f" {zone}<" in text} == {"MESZ", "CEST", "+0200"}
