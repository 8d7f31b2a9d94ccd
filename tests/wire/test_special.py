"""Pages that are not simply the article, dates that are not true, wordings that change, and a clock that stands still."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest

from pipeline.errors import InputError
from pipeline.wire import stopped_at
from pipeline.wire.newsroom import Article, Placement, Promotion, Revision
from pipeline.wire.server import SLOW_S
from tests.wire.visit import START, Clock, Wire, running


def page_of(wire: Wire, host: str, path: str) -> str:
    reply = wire.get(host, path)
    assert reply.status == 200
    return reply.body.decode("iso-8859-15" if host == "kontorblick" else "windows-1252" if host == "tickerspatz" else "utf-8")


def json_ld(page: str) -> dict[str, object]:
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    return json.loads(text)


def test_a_paywall_shows_the_beginning_and_says_so(wire: Wire) -> None:
    page = page_of(wire, "kontorblick", "/artikel/premium-lesen/commerzbank-paywall-filialen/")
    assert "Unter dem Strich kamen 4.200 Betriebe hinzu" in page
    assert "Bielefeld" not in page and "Abonnenten vorbehalten" in page
    assert json_ld(page)["isAccessibleForFree"] is False


def test_a_consent_wall_is_nothing_else(wire: Wire) -> None:
    page = page_of(wire, "ankerblatt", "/maerkte/henkel-consent-waschmittel.html")
    assert "Alle akzeptieren" in page
    assert "Henkel" not in page and "newsletter" not in page.lower()


def test_a_slow_page_takes_its_time_and_holds_up_nobody_else(wire: Wire) -> None:
    begun = time.monotonic()
    page_of(wire, "tidewater", "/companies/ford-slow-battery-plant")
    assert SLOW_S <= time.monotonic() - begun < SLOW_S + 1


def test_a_feed_links_to_the_amp_version_and_that_to_its_page(wire: Wire) -> None:
    path = "/companies/pfizer-amp-vaccine-order"
    home = f"http://tidewater.localhost:{wire.port}"
    links = [entry.link for entry in feedparser.parse(wire.get("tidewater", "/feeds/latest.atom").body).entries]
    assert f"{home}/amp{path}" in links
    amp, page = page_of(wire, "tidewater", f"/amp{path}"), page_of(wire, "tidewater", path)
    assert f'<link rel="canonical" href="{home}{path}">' in amp and "<html amp" in amp
    assert f'<link rel="amphtml" href="{home}/amp{path}">' in page
    assert "reserve 48 million doses" in amp and "reserve 48 million doses" in page
    assert wire.get("tidewater", "/amp/companies/ford-slow-battery-plant").status == 404


def test_an_advertorial_is_marked(wire: Wire) -> None:
    page = page_of(wire, "tickerspatz", "/aktien/nvidia-advertorial-depotschule.html")
    assert json_ld(page)["@type"] == "AdvertiserContentArticle"
    assert '<meta property="article:section" content="Anzeige">' in page
    assert '<a href="/about?from=article" rel="sponsored">' in page
    assert "<p><small>Anzeige</small></p>" in page


def test_a_date_off_the_truth_is_so_in_feed_and_page(wire: Wire) -> None:
    entries = feedparser.parse(wire.get("kontorblick", "/nachrichten.rdf").body).entries
    (claimed,) = [datetime(*e.updated_parsed[:6], tzinfo=UTC) for e in entries if e.title.startswith("Bayer verkauft")]
    assert claimed == START - timedelta(minutes=58) + timedelta(hours=72)
    assert "26. November 2026, 14:02 Uhr" in page_of(wire, "kontorblick", "/artikel/unternehmen/bayer-morgen-saatgut/")


def test_a_revision_changes_feed_sitemap_and_page_from_its_moment_on(wire: Wire) -> None:
    path, first, later = "/companies/ford-slow-battery-plant", "battery line by nine months", "battery line by a year"

    def shown() -> list[bytes]:
        return [wire.get("tidewater", at).body for at in ("/feeds/latest.atom", "/sitemap-news.xml", "/", path)]

    wire.clock.after(2.2)
    before = wire.get("tidewater", path)
    assert all(first.encode() in text and later.encode() not in text for text in shown())
    wire.clock.after(2.25)
    assert all(later.encode() in text and first.encode() not in text for text in shown())
    after = wire.get("tidewater", path, If_None_Match=before.headers["ETag"])
    page = after.body.decode()
    assert (after.status, after.headers["Last-Modified"]) == (200, "Mon, 23 Nov 2026 14:02:15 GMT")
    assert "$160 million" in page and "<p>Correction: An earlier version" in page
    assert json_ld(page)["dateModified"] == "2026-11-23T09:02:15-05:00"
    (entry,) = [e for e in feedparser.parse(wire.get("tidewater", "/feeds/latest.atom").body).entries if later in e.title]
    assert (entry.published, entry.updated) == ("2026-11-22T17:55:00-05:00", "2026-11-23T09:02:15-05:00")


def test_revisions_add_up_and_those_before_publication_count_from_it() -> None:
    article = Article(
        slug="a",
        language="en",
        title="One",
        summary="S",
        author="A",
        body="First.\n\nSecond.",
        placements=(Placement(publisher="tidewater", minutes=3, section="markets"),),
        revisions=(
            Revision(minutes=4, note="Two notes.", replace=(("Third", "Fourth"),)),
            Revision(minutes=1, title="Two", replace=(("Second", "Third"),)),
        ),
    )
    clock = Clock()
    with running(START, clock, [article]) as wire:
        clock.after(3)
        assert "<published>2026-11-23T09:03:00-05:00</published>\n<updated>2026-11-23T09:03:00" in feed_of(wire)
        assert re.findall("<p>(.*)</p>", page_of(wire, "tidewater", "/markets/a"))[0:2] == ["First.", "Third."]
        clock.after(4)
        assert "<title>Two</title>" in feed_of(wire) and "<updated>2026-11-23T09:04:00" in feed_of(wire)
        assert re.findall("<p>(.*)</p>", page_of(wire, "tidewater", "/markets/a"))[0:3] == ["First.", "Fourth.", "Two notes."]


def feed_of(wire: Wire) -> str:
    return wire.get("tidewater", "/feeds/latest.atom").body.decode()


def test_english_walls_and_marks() -> None:
    def article(slug: str, **how: object) -> Article:
        placed = Placement(publisher="tidewater", minutes=-1, section="markets", **how)
        return Article(
            slug=slug, language="en", title=slug, summary="S", author="A", body="First.\n\nSecond.", placements=(placed,)
        )

    offer = Promotion(after=1, text="Open an account", link=True)
    articles = [
        article("wall", page="paywall"),
        article("consent", page="consent"),
        article("sold", sponsored=True, promotion=(offer,)),
    ]
    with running(START, Clock(), articles) as wire:
        wall, consent, sold = (page_of(wire, "tidewater", f"/markets/{a.slug}") for a in articles)
    assert "This article is for subscribers of The Tidewater Ledger" in wall and "$1" in wall and "Second." not in wall
    assert "We and our 143 partners use cookies" in consent and "First." not in consent
    assert "Sponsored content" in sold and 'rel="sponsored"><strong>Open an account' in sold


def test_a_clock_that_stands_still_shows_all_that_is_written_and_always_the_same(tmp_path: Path) -> None:
    def everything() -> list[bytes]:
        since, clock = stopped_at("2026-11-23T14:00Z")
        with running(since, clock) as wire:
            pages = [(key, path) for key, path in (("tidewater", "/sitemap-news.xml"), ("tickerspatz", "/feed"), ("", "/"))]
            return [re.sub(rb":%d" % wire.port, b"", wire.get(*page).body) for page in pages]

    first = everything()
    assert everything() == first
    assert b"Tesla deliveries" in first[1] and b"battery line by a year" in first[0]


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-23T14:00"])
def test_a_moment_that_is_none_is_named(moment: str) -> None:
    with pytest.raises(InputError, match=f"{moment!r} is no time with an offset"):
        stopped_at(moment)
