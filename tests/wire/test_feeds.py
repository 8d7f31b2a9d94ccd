"""The feeds as feedparser reads them, and the sitemap, against what every entry is to end as."""

import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import reduce
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from pipeline.parse import parse_feed
from pipeline.wire.newsroom import Article, articles, publishers
from schemas.feed import ParsedFeed
from schemas.outcome import OutcomeCode
from tests.wire.visit import START, Wire

FEEDS = {key: publisher.feed_path for key, publisher in publishers().items()}
EXPECTED = tomllib.loads((Path(__file__).parent / "expected.toml").read_text("utf-8"))


SITEMAP = "tidewater-sitemap"


@pytest.fixture
def feeds(wire: Wire) -> dict[str, Any]:
    wire.clock.after(5)
    return {key: feedparser.parse(wire.get(key, path).body) for key, path in FEEDS.items()}


@pytest.fixture
def sitemap(wire: Wire) -> ParsedFeed:
    wire.clock.after(5)
    url = f"http://tidewater.localhost:{wire.port}/sitemap-news.xml"
    parsed = parse_feed(wire.get("tidewater", "/sitemap-news.xml").body, url, received_at=wire.clock.now)
    assert isinstance(parsed, ParsedFeed)
    return parsed


def test_every_entry_is_expected_and_every_expectation_is_an_entry(feeds: dict[str, Any]) -> None:
    found = Counter((key, entry.title) for key, feed in feeds.items() for entry in feed.entries)
    assert found == Counter((entry["feed_id"], entry["title"]) for entry in EXPECTED["entry"] if entry["feed_id"] != SITEMAP)


def test_the_sitemap_lists_every_page_of_its_host_and_what_no_feed_has(
    wire: Wire, feeds: dict[str, Any], sitemap: ParsedFeed
) -> None:
    assert (sitemap.version, sitemap.language, sitemap.problem) == ("news-sitemap-0.9", "en", None)
    in_feed = {entry.title for entry in feeds["tidewater"].entries}
    alone = [entry.title for entry in sitemap.entries if entry.title not in in_feed]
    assert Counter(alone) == Counter(entry["title"] for entry in EXPECTED["entry"] if entry["feed_id"] == SITEMAP)
    paths = [(entry.url or "").removeprefix(f"http://tidewater.localhost:{wire.port}") for entry in sitemap.entries]
    slugs = [a.slug for a in articles() if a.body and any(p.publisher == "tidewater" and not p.page_at for p in a.placements)]
    assert sorted(path.rpartition("/")[2] for path in paths) == sorted(slugs)
    assert {wire.get("tidewater", path).status for path in paths} == {200}
    assert all(entry.keywords and entry.published_raw for entry in sitemap.entries)


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
        OutcomeCode.CONSENT,
    }
    assert {mood for entry in EXPECTED["entry"] for mood in entry.get("mood", {}).values()} <= {"+", "-", "±"}


def test_every_company_expected_is_named_on_the_page() -> None:
    texts = {}
    for article in articles():
        last = reduce(Article.revised, article.revisions, article)
        texts[last.title] = f"{last.title}\n{last.body}"
    missing = [
        (entry["title"], name)
        for entry in EXPECTED["entry"]
        for name in [*entry.get("companies", []), *entry.get("mood", {})]
        if name not in texts[entry["title"]]
    ]
    assert missing == []


def test_proper_feeds_are_well_formed_and_the_broken_one_is_not(wire: Wire, feeds: dict[str, Any]) -> None:
    assert {key: (feed.version, bool(feed.bozo)) for key, feed in feeds.items()} == {
        "ankerblatt": ("rss20", False),
        "tidewater": ("atom10", False),
        "tickerspatz": ("rss20", True),
        "kontorblick": ("rss10", False),
        "quayside": ("rss20", False),
    }
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(wire.get("tickerspatz", "/feed").body)


def test_links_carry_the_port_and_lead_to_pages(wire: Wire, feeds: dict[str, Any]) -> None:
    statuses = Counter()
    entries = [entry for key, feed in feeds.items() if key != "quayside" for entry in feed.entries]
    for entry in entries:
        host, _, path = entry.link.removeprefix("http://").partition(f".localhost:{wire.port}")
        statuses[wire.get(host, path).status] += 1
    redirects = Counter(p.redirect for article in articles() for p in article.placements if p.redirect)
    gone = sum(entry.get("outcome") == "gone" for entry in EXPECTED["entry"])
    assert statuses == {**redirects, 404: gone, 200: len(entries) - redirects.total() - gone}
    assert set(redirects) == {301, 302} and gone > 0


def test_quayside_gives_whole_articles_and_no_links(wire: Wire, feeds: dict[str, Any]) -> None:
    entries = feeds["quayside"].entries
    assert entries and all("link" not in entry and not entry.guidislink for entry in entries)
    whole = [reduce(Article.revised, a.revisions, a) for a in articles() if any(p.publisher == "quayside" for p in a.placements)]
    feed = wire.get("quayside", "/brief.rss").body.decode()
    paragraphs = [" ".join(block.splitlines()) for a in whole for block in a.blocks if not block.startswith(("#", "-", "|"))]
    assert [text for text in paragraphs if f"<p>{escape(text, quote=False)}</p>" not in feed] == []
    assert sorted(entry.title for entry in entries) == sorted(a.title for a in whole)


def test_what_is_odd_about_the_broken_feed(wire: Wire) -> None:
    wire.clock.after(30)
    text = wire.get("tickerspatz", "/feed").body.decode("utf-8")
    feed = feedparser.parse(text.encode())
    assert len(feed.entries) == text.count("<item>") > 17
    assert "Chip stocks slide: ASML & Infineon hit by talk of tighter export rules" in [entry.title for entry in feed.entries]
    assert abs(sum("id" not in entry for entry in feed.entries) - len(feed.entries) / 3) < 1
    oddities = ("ASML & I", "&uuml;", "&nbsp;", "\x0b", " MEZ<", " CET<", "Mo, 23 Nov", "&wt_mc=")
    assert [oddity for oddity in oddities if oddity not in text] == []


def test_dates_are_those_of_the_timeline(feeds: dict[str, Any]) -> None:
    def date(entry: Any) -> datetime | None:
        return datetime(*entry.published_parsed[:6], tzinfo=UTC) if "published" in entry else None

    dates = {entry.title: date(entry) for key in ("ankerblatt", "tidewater") for entry in feeds[key].entries}
    assert dates["SAP hebt Prognose an: Cloudgeschäft wächst schneller als erwartet"] == START - timedelta(minutes=430)
    assert dates["Microsoft and OpenAI rewrite their contract"] == START + timedelta(minutes=1.5)
    undated = {a.title for a in articles() if any(not p.dated for p in a.placements)}
    assert {title for title, at in dates.items() if at is None} == undated
    assert "Allianz ordnet Vorstand neu: Finanzchefin wechselt ins Auslandsgeschäft" in undated


def test_a_summer_date_carries_the_summer_zone(wire: Wire) -> None:
    wire.clock.now = datetime(2027, 7, 14, 12, 0, tzinfo=UTC)
    text = wire.get("tickerspatz", "/feed").body.decode("utf-8")
    assert {zone for zone in ("MEZ", "MESZ", "CET", "CEST", "+0100", "+0200") if f" {zone}<" in text} == {"MESZ", "CEST", "+0200"}
