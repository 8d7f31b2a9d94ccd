"""Whole feeds: golden pairs, what is no feed, limits, and bytes meant to do harm."""

import dataclasses
import json
import random
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.parse import parse_feed
from schemas.article import Unreadable
from schemas.feed import KeyBasis, ParsedFeed, VisitCode

RECEIVED = datetime(2024, 3, 8, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
URL = "https://feeds.example.com/rss.xml"


def parse(body: bytes | str, **more: Any) -> ParsedFeed | Unreadable:
    return parse_feed(body.encode() if isinstance(body, str) else body, URL, received_at=RECEIVED, **more)


def feed_of(body: bytes | str, **more: Any) -> ParsedFeed:
    feed = parse(body, **more)
    assert isinstance(feed, ParsedFeed)
    return feed


def rss(*items: str) -> str:
    return f'<rss version="2.0"><channel><title>T</title>{"".join(f"<item>{item}</item>" for item in items)}</channel></rss>'


@pytest.mark.parametrize("name", ["boerse_de", "markets_en"])
def test_golden(name: str) -> None:
    feed = feed_of((GOLDEN / f"{name}.xml").read_bytes())
    got = json.loads(json.dumps(dataclasses.asdict(feed), default=datetime.isoformat, ensure_ascii=False))
    assert got == json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "empty body"),
        (b" \n ", "empty body"),
        (b"<!DOCTYPE html><html><head><title>Anmelden</title></head><body><form></form></body></html>",
         "an HTML page, perhaps a login or consent wall"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "JSON"),
        (b"<opml version='2.0'><body/></opml>", "XML without a feed in it"),
        (b"%PDF-1.4 ...", "neither XML nor HTML"),
        (b"/etc/hostname", "neither XML nor HTML"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_named(body: bytes, detail: str) -> None:
    assert parse(body) == Unreadable(code=VisitCode.NOT_A_FEED, detail=detail)


def test_a_body_that_is_a_path_is_not_opened(tmp_path: Path) -> None:
    hidden = tmp_path / "feed.xml"
    hidden.write_text(rss("<title>secret</title>"))
    assert parse(str(hidden)) == Unreadable(code=VisitCode.NOT_A_FEED, detail="neither XML nor HTML")


def test_an_empty_feed_is_a_feed() -> None:
    feed = feed_of('<rss version="2.0"><channel><title>Leer</title></channel></rss>')
    assert (feed.version, feed.title, feed.entries, feed.problem) == ("rss20", "Leer", (), None)


def test_keywords_are_the_categories_each_once_by_their_labels() -> None:
    (entry,) = feed_of(
        rss("<title>A</title><category>Banks &amp; Rates</category><category>Dax</category><category>Dax</category>")
    ).entries
    assert entry.keywords == ("Banks & Rates", "Dax")


def test_a_malformed_feed_is_read_as_far_as_it_goes() -> None:
    feed = feed_of(
        '<rss version="2.0"><channel><item><title>a & b</title><link>https://x.example/1</link></item><item><title>cut of'
    )
    assert [(entry.title, entry.url) for entry in feed.entries] == [("a & b", "https://x.example/1"), ("", None)]
    assert feed.problem
    assert feed.problem.endswith("not well-formed (invalid token)")


def test_entries_over_the_cap_are_counted() -> None:
    feed = feed_of(rss(*(f"<guid>{n}</guid>" for n in range(2005))))
    assert (len(feed.entries), feed.dropped, feed.entries[-1].key) == (2000, 5, "1999")


def test_a_guid_is_a_link_only_where_it_is_an_address() -> None:
    feed = feed_of(
        rss("<guid>4711</guid>", '<guid isPermaLink="false">https://x.example/1</guid>', "<guid>https://x.example/2</guid>")
    )
    assert [(entry.key, entry.url) for entry in feed.entries] == [
        ("4711", None),
        ("https://x.example/1", None),
        ("https://x.example/2", "https://x.example/2"),
    ]


def test_repeated_guids_are_seen_through() -> None:
    feed = feed_of(rss(*(f"<guid isPermaLink='false'>0</guid><link>/{n}</link>" for n in range(2))))
    assert [(entry.key_basis, entry.key) for entry in feed.entries] == [
        (KeyBasis.LINK, "https://feeds.example.com/0"),
        (KeyBasis.LINK, "https://feeds.example.com/1"),
    ]


@pytest.mark.parametrize(
    ("declared", "header", "encoding"),
    [
        ("", "text/xml; charset=iso-8859-1", "iso-8859-1"),
        ("", "text/xml", "utf-8"),
        ("", None, "windows-1252"),
        ("utf-8", "text/xml; charset=iso-8859-1", "utf-8"),
        ("iso-8859-1", None, "utf-8"),
        ("utf-8", None, "windows-1252"),
        ("utf-16", None, "utf-16"),
    ],
)
def test_umlauts_survive_what_is_said_of_the_encoding(declared: str, header: str | None, encoding: str) -> None:
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    feed = feed_of((prolog + rss("<title>Übernahme geglückt</title>")).encode(encoding), content_type=header)
    assert feed.entries[0].title == "Übernahme geglückt"


def test_the_catalogue_knows_the_language_better_than_the_feed() -> None:
    body = rss("<pubDate>2024-03-07T10:00:00</pubDate>").replace("<title>", "<language>en-us</language><title>")
    assert feed_of(body).entries[0].published_at == datetime(2024, 3, 7, 10, tzinfo=UTC)
    assert feed_of(body, language="de").entries[0].published_at == datetime(2024, 3, 7, 9, tzinfo=UTC)


def test_no_warning_and_no_date_of_now() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (entry,) = feed_of(rss("<title>x</title><pubDate>Thu, 07 Mar 2024 10:00:00 CET</pubDate>")).entries
    assert (entry.published_at, entry.updated_at) == (datetime(2024, 3, 7, 9, tzinfo=UTC), None)


def test_references_to_no_character_cost_the_character_only() -> None:
    broken = "<description>&#xD800;&#55357;a&#x110000;b&#0;c&#99999999999999999999999;d&#x1F4B6;</description>&"
    assert feed_of(rss(broken)).entries[0].summary == "abcd💶"


def test_entities_that_reach_outside_or_explode_do_neither() -> None:
    xxe = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + rss("<title>[&x;]</title>")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE r [<!ENTITY a0 "ha">{laughs}]>' + rss("<title>[&a9;]</title>")
    for body in (xxe, bomb):
        assert all(
            len(entry.title) < 100 and Path("/etc/hostname").read_text().strip() not in entry.title
            for entry in feed_of(body).entries
        )


SCRAPS = [b"&#xD800;", b"&#x110000;", b"<![CDATA[", b"]]>", b"<!--", b"\x00", b"\xff\xfe", b"&a;", b"<item>", b"</item>",
          b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<entry xml:base='javascript:x'>", b"<link href='http://[x'/>", b"<image>",
          b"<content type='xhtml'>", b"<dc:date>", b"</channel>", b"xmlns='http://www.w3.org/2005/Atom'", b"<a:b:c>",
          b"mode='base64'", b"<source>", b"<georss:polygon>1</georss:polygon>", b"<textinput>", b"encoding='utf-7'"]  # fmt: skip


def mutated(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(changed) + 1), chance.randint(1, 200)
        changes = {
            0: chance.choice(SCRAPS) * chance.randint(1, 3),
            1: bytes([chance.randrange(256)]),
            2: changed[at : at + size],
            3: b"",
        }
        what = chance.randrange(4)
        changed[at : at + (size if what == 3 else 0)] = changes[what]
    return bytes(changed)


@pytest.mark.parametrize("name", ["boerse_de", "markets_en"])
def test_mutated_feeds_end_in_a_feed_or_a_named_outcome(name: str) -> None:
    body = (GOLDEN / f"{name}.xml").read_bytes()
    chance = random.Random(7)
    ends = []
    for _ in range(100):
        begun = time.monotonic()
        end = parse(mutated(body, chance))
        assert time.monotonic() - begun < 5
        ends.append(end.code if isinstance(end, Unreadable) else "feed")
        for entry in end.entries if isinstance(end, ParsedFeed) else ():
            assert entry.key
            assert (entry.url or "http").startswith("http")
            repr(dataclasses.astuple(entry)).encode()
            (entry.title + entry.key + (entry.summary or "") + (entry.raw_url or "")).encode()
    assert set(ends) <= {"feed", VisitCode.NOT_A_FEED, VisitCode.UNPARSABLE}
    assert ends.count("feed") > 70


def test_an_element_that_bears_the_name_of_a_list_is_text() -> None:
    item = "<guid>1</guid><title>A</title><link>https://a.example/1</link><links>l</links><authors>a</authors><tags>t</tags>"
    feed = feed_of(f"<rss version='2.0'><channel><title>T</title><links>l</links><item>{item}</item></channel></rss>".encode())
    assert [(e.title, e.url, e.authors) for e in feed.entries] == [("A", "https://a.example/1", ())]
