"""How the wire behaves on the line: validators, compression, charsets, redirects, robots, errors."""

import asyncio
import gzip
import re
import socket
import tomllib
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.wire import catalogue, serve
from pipeline.wire.hub import HUB_PATH
from pipeline.wire.newsroom import articles, publishers
from tests.wire.visit import Clock, Wire

PAGES = [
    ("ankerblatt", "/unternehmen/sap-hebt-prognose-an.html", "text/html; charset=utf-8"),
    ("tidewater", "/companies/boeing-airline-lawsuit", "text/html; charset=utf-8"),
    ("tickerspatz", "/aktien/novo-nordisk-tablette.html", "text/html; charset=windows-1252"),
    ("ankerblatt", "/rss/alles.xml", "application/rss+xml; charset=utf-8"),
    ("tidewater", "/feeds/latest.atom", "application/atom+xml; charset=utf-8"),
    ("tickerspatz", "/feed", "text/xml; charset=utf-8"),
    ("kontorblick", "/artikel/unternehmen/bayer-morgen-saatgut/", "text/html; charset=iso-8859-15"),
    ("kontorblick", "/nachrichten.rdf", "application/rdf+xml; charset=utf-8"),
    ("quayside", "/brief.rss", "application/rss+xml; charset=utf-8"),
    ("tidewater", "/sitemap-news.xml", "application/xml; charset=utf-8"),
    ("tidewater", "/amp/companies/pfizer-amp-vaccine-order", "text/html; charset=utf-8"),
]
every_page = pytest.mark.parametrize(("host", "path", "content_type"), PAGES)


@every_page
def test_a_validator_is_honoured(wire: Wire, host: str, path: str, content_type: str) -> None:
    first = wire.get(host, path)
    assert (first.status, first.headers["Content-Type"]) == (200, content_type)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert etag.startswith('"')
    for condition in ({"If_None_Match": etag}, {"If_None_Match": f'"other", {etag}'}, {"If_Modified_Since": modified}):
        again = wire.get(host, path, **condition)
        assert (again.status, again.body, again.headers["ETag"], again.headers["Last-Modified"]) == (304, b"", etag, modified)
    for condition in (
        {"If_None_Match": '"other"'},
        {"If_None_Match": '"other"', "If_Modified_Since": modified},
        {"If_Modified_Since": "Mon, 02 Nov 2026 00:00:00 GMT"},
    ):
        assert wire.get(host, path, **condition).status == 200


@every_page
def test_head_and_gzip_say_the_same_as_get(wire: Wire, host: str, path: str, content_type: str) -> None:
    plain = wire.get(host, path)
    packed = wire.get(host, path, Accept_Encoding="br, gzip")
    assert (packed.headers["Content-Encoding"], gzip.decompress(packed.body)) == ("gzip", plain.body)
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert wire.get(host, path, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"]).status == 304
    assert "Content-Encoding" not in wire.get(host, path, Accept_Encoding="gzip;q=0, identity").headers
    head = wire.get(host, path, method="HEAD")
    same = ("Content-Type", "Content-Length", "ETag", "Last-Modified")
    assert (head.status, head.body) == (200, b"")
    assert [head.headers[name] for name in same] == [plain.headers[name] for name in same]


def test_a_feed_changes_its_validators_with_its_entries(wire: Wire) -> None:
    first = wire.get("tickerspatz", "/feed")
    wire.clock.after(1)
    second = wire.get(
        "tickerspatz", "/feed", If_None_Match=first.headers["ETag"], If_Modified_Since=first.headers["Last-Modified"]
    )
    assert (second.status, second.headers["Last-Modified"]) == (200, "Mon, 23 Nov 2026 14:01:00 GMT")


def test_a_page_is_written_in_the_charset_it_declares(wire: Wire) -> None:
    body = wire.get("tickerspatz", "/aktien/novo-nordisk-tablette.html").body
    assert "„Meilenstein“" in body.decode("windows-1252")
    assert b'content="text/html; charset=windows-1252"' in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


@pytest.mark.parametrize(
    ("path", "minutes", "status", "target"),
    [
        ("/r/boeing-airline-lawsuit", 0, 301, "/companies/boeing-airline-lawsuit"),
        ("/r/microsoft-openai-contract", 2, 302, "/technology/microsoft-openai-contract"),
    ],
)
def test_a_redirect_leads_to_the_article(wire: Wire, path: str, minutes: float, status: int, target: str) -> None:
    wire.clock.after(minutes)
    moved = wire.get("tidewater", path)
    assert (moved.status, moved.headers["Location"]) == (status, f"http://tidewater.localhost:{wire.port}{target}")
    assert wire.get("tidewater", target).status == 200


def test_tracking_parameters_lead_to_the_same_page(wire: Wire) -> None:
    path = "/markets/apple-downgrade-iphone"
    assert wire.get("tidewater", f"{path}?cmpid=1&utm_source=x").body == wire.get("tidewater", path).body


def test_robots(wire: Wire) -> None:
    wire.clock.after(5)
    rules = wire.get("ankerblatt", "/robots.txt")
    assert (rules.headers["Content-Type"], rules.body) == (
        "text/plain; charset=utf-8",
        b"User-agent: *\nDisallow: /premium/\nDisallow: /suche\n",
    )
    assert wire.get("ankerblatt", "/premium/basf-uebernahmeangebot.html").status == 200
    assert wire.get("tidewater", "/robots.txt").status == 200
    assert wire.get("tickerspatz", "/robots.txt").status == 404


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("ankerblatt", "/unternehmen/lufthansa-frachttochter.html"),
        ("tickerspatz", "/markets/apple-downgrade-iphone.html"),
        ("tidewater", "/nowhere"),
        ("tidewater", "//"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(wire: Wire, host: str, path: str) -> None:
    missing = wire.get(host, path)
    assert (missing.status, missing.headers["Content-Type"].split(";")[0]) == (404, "text/html")
    assert b"<h1>" in missing.body


def test_a_page_that_is_unavailable_at_first_answers_503_until_its_time(wire: Wire) -> None:
    path = "/maerkte/deutsche-bank-rating.html"
    wire.clock.after(2.9)
    assert path.encode() in wire.get("ankerblatt", "/rss/alles.xml").body, "the feed names it all the same"
    busy = wire.get("ankerblatt", path)
    assert (busy.status, busy.headers["ETag"], busy.headers["Last-Modified"]) == (503, None, None)
    wire.clock.after(3)
    there = wire.get("ankerblatt", path)
    assert there.status == 200 and b"Deutsche Bank" in there.body


@pytest.mark.parametrize("host", list(publishers()))
def test_every_link_of_a_site_leads_somewhere(wire: Wire, host: str) -> None:
    wire.clock.after(30)
    paths, broken = ["/"], []
    for path in paths:
        reply = wire.get(host, path)
        broken += [path] if reply.status not in (200, 301, 302) else []
        here = re.findall(rf'href="(?:http://{host}\.localhost:{wire.port})?(/[^"]*)"', reply.body.decode("latin-1"))
        paths += [found for found in dict.fromkeys(here) if found not in (*paths, HUB_PATH)]  # which answers forms alone
    publisher = publishers()[host]
    announced_but_gone = [
        publisher.page_path.format(section=p.section, slug=a.slug)
        for a in articles()
        for p in a.placements
        if p.publisher == host and not a.body
    ]
    assert sorted(broken) == sorted(announced_but_gone)
    assert len(paths) > len(publisher.sections) + 2


def test_the_bare_address_lists_publishers_feeds_and_news(wire: Wire) -> None:
    page = wire.get("", "/").body.decode()
    for known in tomllib.loads(catalogue(wire.port))["feed"]:
        assert known["url"] in page
        assert known["source"] in page
    assert "Rheinmetall erhält Großauftrag" in page
    assert "Tesla deliveries" not in page
    coming = min(p.minutes for a in articles() for p in a.placements if p.minutes > 0)
    assert f"The next entry appears in {60 * coming:.0f} seconds." in page
    assert f"{len(articles())} stories are written" in page
    assert wire.get("", "/feed").status == 404
    assert wire.get("", "/", method="POST").status == 405


def test_catalogue() -> None:
    assert tomllib.loads(catalogue(8123)) == {
        "feed": [
            {
                "feed_id": "ankerblatt",
                "url": "http://ankerblatt.localhost:8123/rss/alles.xml",
                "source": "Ankerblatt",
                "language": "de",
                "every_minutes": 1,
            },
            {
                "feed_id": "tidewater",
                "url": "http://tidewater.localhost:8123/feeds/latest.atom",
                "source": "The Tidewater Ledger",
                "language": "en",
                "every_minutes": 1,
            },
            {
                "feed_id": "tidewater-sitemap",
                "url": "http://tidewater.localhost:8123/sitemap-news.xml",
                "source": "The Tidewater Ledger",
                "language": "en",
                "every_minutes": 1,
            },
            {
                "feed_id": "tickerspatz",
                "url": "http://tickerspatz.localhost:8123/feed",
                "source": "Tickerspatz",
                "every_minutes": 1,
            },
            {
                "feed_id": "kontorblick",
                "url": "http://kontorblick.localhost:8123/nachrichten.rdf",
                "source": "Kontorblick",
                "language": "de",
                "every_minutes": 1,
            },
            {
                "feed_id": "quayside",
                "url": "http://quayside.localhost:8123/brief.rss",
                "source": "Quayside Brief",
                "language": "en",
                "every_minutes": 1,
            },
        ]
    }


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as raised:
            asyncio.run(serve(tmp_path, port, clock=Clock(), ready=lambda _: None))
    assert (
        str(raised.value) == f"port {port} on 127.0.0.1 is taken; stop what listens there, or give the sample wire another port"
    )
