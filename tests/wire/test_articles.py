"""The written articles and the pages they stand on."""

import json
import re
from collections import Counter
from html import unescape

import pytest

from pipeline.wire.newsroom import Article, articles, publishers
from pipeline.wire.reports import report
from tests.wire.visit import Wire

WRITTEN = [article for article in articles() if article.body]


def body_of(page: str) -> list[str]:
    """Paragraphs of an article's body as they stand on the page, promotion included."""
    return [unescape(re.sub("<[^>]+>", "", text)) for text in re.findall(r"<p>(.*?)</p>", page, re.DOTALL)]


def page_of(wire: Wire, host: str, path: str) -> str:
    reply = wire.get(host, path)
    assert reply.status == 200
    return reply.body.decode("windows-1252" if host == "tickerspatz" else "utf-8")


def test_half_are_german_half_english() -> None:
    languages = Counter(article.language for article in WRITTEN)
    assert languages.total() >= 70
    assert set(languages) == {"de", "en"} and abs(languages["de"] - languages["en"]) <= 4


def test_every_publisher_and_every_kind_of_page_is_there_and_sections_are_those_of_the_publisher() -> None:
    known = publishers()
    placements = [placement for article in articles() for placement in article.placements]
    assert {placement.publisher for placement in placements} == set(known) and len(known) == 5
    assert {placement.page for placement in placements} == {"article", "paywall", "consent", "slow", "amp"}
    assert {placement.feed for placement in placements} == {"", "sitemap"}
    assert [p for p in placements if p.section not in known[p.page_at or p.publisher].sections] == []
    assert [p for p in placements if p.feed == "sitemap" and not known[p.publisher].sitemap_path] == []


def test_revisions_change_words_that_are_there() -> None:
    revised = [(article, revision) for article in WRITTEN for revision in article.revisions]
    assert len(revised) > 0
    missing = [(a.slug, old) for a, revision in revised for old, _ in revision.replace if old not in a.body]
    assert missing == []
    assert [a.slug for a, r in revised if a.revised(r) == a] == []


@pytest.mark.parametrize("article", WRITTEN, ids=lambda article: article.slug)
def test_promotion_stands_between_blocks_and_never_after_a_heading(article: Article) -> None:
    assert len(article.body.split()) > 60
    for promotion in (promotion for placement in article.placements for promotion in placement.promotion):
        assert 1 <= promotion.after <= len(article.blocks)
        assert not article.blocks[promotion.after - 1].startswith("## ")


def test_one_text_at_two_publishers_differs_in_promotion_only(wire: Wire) -> None:
    ankerblatt = body_of(page_of(wire, "ankerblatt", "/unternehmen/rheinmetall-grossauftrag.html"))
    tickerspatz = body_of(page_of(wire, "tickerspatz", "/aktien/rheinmetall-grossauftrag.html"))
    (article,) = [article for article in WRITTEN if article.slug == "rheinmetall-grossauftrag"]
    paragraphs = [block for block in article.blocks if not block.startswith("## ")]
    assert [text for text in ankerblatt if text in paragraphs] == paragraphs
    assert [text for text in tickerspatz if text in paragraphs] == paragraphs
    promotion = [{text.text for text in placement.promotion} for placement in article.placements]
    assert promotion[0] <= set(ankerblatt) and promotion[1] <= set(tickerspatz)
    assert not promotion[0] & promotion[1]


def test_the_promoted_piece_has_four_lines_of_promotion(wire: Wire) -> None:
    page = body_of(page_of(wire, "tickerspatz", "/aktien/novo-nordisk-tablette.html"))
    middle = page.index("Sollten Aktionäre nun aussteigen? Oder ist Novo Nordisk gerade jetzt ein Kauf?")
    start = page.index(
        "Novo-Nordisk-Aktie: Kaufen oder verkaufen?! Neue Novo-Nordisk-Analyse vom 23. November 2026 liefert die Antwort:"
    )
    assert page[start + 2] == "Novo Nordisk: Kaufen oder verkaufen? Hier weiterlesen..."
    assert 3 < middle < start


@pytest.mark.parametrize(
    ("host", "path", "minutes", "where"),
    [
        ("ankerblatt", "/unternehmen/sap-hebt-prognose-an.html", 0, {"json", "meta", "time"}),
        ("ankerblatt", "/unternehmen/volkswagen-gewinnwarnung.html", 0, {"meta", "time"}),
        ("ankerblatt", "/maerkte/deutsche-bank-rating.html", 3, set()),
    ],
)
def test_where_a_page_tells_its_date(wire: Wire, host: str, path: str, minutes: float, where: set[str]) -> None:
    wire.clock.after(minutes)
    page = page_of(wire, host, path)
    found = {"json": "application/ld+json" in page, "meta": "article:published_time" in page, "time": "<time" in page}
    assert {name for name, there in found.items() if there} == where
    assert re.search(r"23\. November 2026, \d\d:\d\d Uhr", page)


def test_json_ld_is_json(wire: Wire) -> None:
    wire.clock.after(3)
    page = page_of(wire, "tidewater", "/technology/microsoft-openai-contract")
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert json.loads(text) == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "Microsoft and OpenAI rewrite their contract",
        "description": "The software group gives up its first claim on new computing orders and gets a longer license in return.",
        "inLanguage": "en",
        "datePublished": "2026-11-23T09:01:30-05:00",
        "dateModified": "2026-11-23T09:01:30-05:00",
        "author": {"@type": "Organization", "name": "Technology desk"},
        "publisher": {"@type": "Organization", "name": "The Tidewater Ledger"},
        "mainEntityOfPage": f"http://tidewater.localhost:{wire.port}/technology/microsoft-openai-contract",
    }


def test_a_table_is_one(wire: Wire) -> None:
    page = page_of(wire, "tidewater", "/technology/nvidia-results-outlook")
    assert "<tr><td>Gaming</td><td>$4.2 billion</td><td>+21%</td></tr>" in page


def test_reports_differ_from_each_other() -> None:
    reports = [report(number) for number in range(400)]
    assert len({each.slug for each in reports}) == len({each.title + each.summary for each in reports}) == 400
    assert [each.slug.rpartition("-")[0] for each in reports[:23]] != [each.slug.rpartition("-")[0] for each in reports[1:24]]
    assert len({each.slug.rpartition("-")[0] for each in reports[:23]}) == 23
    assert len({(each.slug.rpartition("-")[0], each.language) for each in reports[:46]}) == 46
    assert not [each for each in reports if "{" in each.title + each.summary + each.body]


def test_a_report_never_changes() -> None:
    assert (report(0).language, report(0).title, report(0).summary) == (
        "de",
        "SAP-Aktie verliert 4,40 Prozent auf 220,31 Euro",
        "Die SAP-Aktie hat im Xetra-Handel um 4,40 Prozent auf 220,31 Euro nachgegeben.",
    )
