"""News sitemaps: a golden pair, what is none, limits, and bytes meant to do harm."""

import dataclasses
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.parse import parse_feed
from schemas.article import Unreadable
from schemas.feed import DateQuality, KeyBasis, ParsedFeed, VisitCode

RECEIVED = datetime(2024, 3, 8, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
URL = "https://hafen.example/news-sitemap.xml"
NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


def page(loc: str, title: str, date: str = "2024-03-07T09:00:00Z", language: str = "en") -> str:
    publication = f"<news:publication><news:name>N</news:name><news:language>{language}</news:language></news:publication>"
    said = f"{publication}<news:publication_date>{date}</news:publication_date><news:title>{title}</news:title>"
    return f"<url><loc>{loc}</loc><news:news>{said}</news:news></url>"


def sitemap(*pages: str) -> str:
    return f"<urlset {NAMESPACES}>{''.join(pages)}</urlset>"


def parse(body: str | bytes) -> ParsedFeed | Unreadable:
    return parse_feed(body.encode() if isinstance(body, str) else body, URL, received_at=RECEIVED)


def feed_of(body: str | bytes) -> ParsedFeed:
    feed = parse(body)
    assert isinstance(feed, ParsedFeed)
    return feed


def test_golden() -> None:
    feed = feed_of((GOLDEN / "hafen_de.xml").read_bytes())
    got = json.loads(json.dumps(dataclasses.asdict(feed), default=datetime.isoformat, ensure_ascii=False))
    assert got == json.loads((GOLDEN / "hafen_de.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (sitemap("<url><loc>https://hafen.example/</loc></url>"),
         "a sitemap without news:news in it; name a news sitemap or a feed instead"),
        (sitemap(), "an empty sitemap"),
        (f'<?xml version="1.0"?><sitemapindex {NAMESPACES}><sitemap><loc>https://x.example/1.xml</loc></sitemap></sitemapindex>',
         "an index of sitemaps (1); name the news sitemap among them instead"),
    ],
)  # fmt: skip
def test_what_is_no_news_sitemap_is_named(body: str, detail: str) -> None:
    assert parse(body) == Unreadable(code=VisitCode.NOT_A_FEED, detail=detail)


def test_a_prefix_a_byte_order_mark_and_comments_before_the_root_do_not_matter() -> None:
    prefixed = (
        '<?xml version="1.0"?>\n<!-- a --><?xml-stylesheet href="a.xsl"?>\n<s:urlset xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"><s:url><s:loc>https://x.example/1</s:loc><n:news>'
        "<n:title>One</n:title></n:news></s:url></s:urlset>"
    )
    assert [(e.key, e.title) for e in feed_of(b"\xef\xbb\xbf" + prefixed.encode()).entries] == [("https://x.example/1", "One")]


def test_a_time_without_offset_is_meant_in_the_zone_of_the_entrys_language() -> None:
    pages = [page(f"https://x.example/{n}", "T", "2024-03-07 09:00", language) for n, language in enumerate(("de", "en"))]
    entries = feed_of(sitemap(*pages)).entries
    assert [(entry.published_at, entry.date_quality) for entry in entries] == [
        (datetime(2024, 3, 7, 8, tzinfo=UTC), DateQuality.ASSUMED_ZONE),
        (datetime(2024, 3, 7, 9, tzinfo=UTC), DateQuality.ASSUMED_ZONE),
    ]
    assert feed_of(sitemap(*pages)).language is None


def test_a_date_too_far_ahead_is_not_believed_and_an_address_that_is_none_is_no_link() -> None:
    (ahead, nowhere) = feed_of(sitemap(page("https://x.example/1", "T", "2024-03-11"), page("ftp://x/2", "U"))).entries
    assert (ahead.published_at, ahead.date_quality) == (None, DateQuality.IMPLAUSIBLE)
    assert (nowhere.url, nowhere.raw_url, nowhere.key, nowhere.key_basis) == (None, "ftp://x/2", "ftp://x/2 U", KeyBasis.TITLE)


def test_a_sitemap_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    feed = feed_of(sitemap(page("https://x.example/1", "A & B"), page("https://x.example/2", "Two"))[:-60])
    assert (feed.entries[0].url, feed.entries[0].title) == ("https://x.example/1", "A B")
    assert feed.problem is not None


def test_entries_over_the_cap_are_counted() -> None:
    feed = feed_of(sitemap(*[page(f"https://x.example/{n}", "T") for n in range(2100)]))
    assert (len(feed.entries), feed.dropped) == (2000, 100)


def test_entities_are_neither_loaded_nor_multiplied(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    declared = f'<!DOCTYPE urlset [<!ENTITY file SYSTEM "{secret.as_uri()}"><!ENTITY e0 "ha">{bomb}]>'
    begun = time.monotonic()
    feed = feed_of(declared + sitemap(page("https://x.example/1", "A &file; B"), page("https://x.example/2", "C &e29; D")))
    assert [entry.title for entry in feed.entries] == ["A", "C"]
    assert time.monotonic() - begun < 2


def test_what_stands_before_the_root_is_searched_once() -> None:
    begun = time.monotonic()
    assert parse("<!-- - -->" * 3000) == Unreadable(code=VisitCode.NOT_A_FEED, detail="XML without a feed in it")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "namespace", ["http://w}ww.sitemaps.org/schemas/sitemap/0.9", "http://{www.sitemaps.org/schemas/sitemap/0.9"]
)
def test_a_name_that_no_element_may_have_ends_by_name(namespace: str) -> None:
    found = parse(f'<urlset xmlns="{namespace}"><url><loc>https://x.example/1</loc></url></urlset>')
    assert isinstance(found, Unreadable) and found.code in (VisitCode.UNPARSABLE, VisitCode.NOT_A_FEED)
