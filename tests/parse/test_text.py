"""Plain text out of what feeds call a title, and links that are safe to follow."""

import time
import unicodedata

import pytest

from pipeline.parse.text import plain_text, resolve_link


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Kurs  steigt\n weiter", "Kurs steigt weiter"),
        ("M&amp;A bei <b>Beispiel&nbsp;AG</b>", "M&A bei Beispiel AG"),
        ("M&A, S&P 500 & Co.", "M&A, S&P 500 & Co."),
        ("Gewinn &uuml;ber Vorjahr&#x21;", "Gewinn über Vorjahr!"),
        ("EPS < 2 und KGV > 10", "EPS < 2 und KGV > 10"),
        ("<i>EPS < 2</i> und KGV <5", "EPS < 2 und KGV <5"),
        ("vor<script>alert(1)</script>nach<style>p{}</style>", "vornach"),
        ("<p>Erster.</p><p>Zweiter.<br>Dritter</p>", "Erster. Zweiter. Dritter"),
        ("ein<b>ge</b>rahmt", "eingerahmt"),
        ("<!-- versteckt -->sichtbar<![CDATA[x]]>", "sichtbar"),
        ("&lt;b&gt;fett&lt;/b&gt; &amp;amp; mehr", "fett &amp; mehr"),
        ("Ver\u00adtrags\u200bbruch\u202e\x07", "Vertragsbruch"),
        ("U\u0308bernahme", "Übernahme"),
        ('<img src="x" onerror="y">Bild<a href="javascript:z">link</a>', "Bildlink"),
        ("<", "<"),
        ("</p>", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_words_remain_and_markup_goes(markup: str | None, text: str) -> None:
    got = plain_text(markup)
    assert got == text
    assert unicodedata.is_normalized("NFC", got)


@pytest.mark.parametrize("bomb", ["<" * 1_000_000, "<!--" * 50_000, "<b>" * 300_000, "&" * 1_000_000, "<a href='" * 100_000])
def test_bombs_cost_little(bomb: str) -> None:
    begun = time.process_time()
    plain_text(bomb)
    assert time.process_time() - begun < 5


FEED = "https://feeds.example.com/de/rss.xml"


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("HTTP://a.example/x", "http://a.example/x"),
        ("//a.example/x", "https://a.example/x"),
        ("/x", "https://feeds.example.com/x"),
        ("x/y.html", "https://feeds.example.com/de/x/y.html"),
        ("?id=7", "https://feeds.example.com/de/rss.xml?id=7"),
        (" https://a.example/\n x y ", "https://a.example/x%20y"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("mailto:a@b.example", None),
        ("http://", None),
        ("http:///x", None),
        ("http://[x/", None),
        ("http://a.example:port/", None),
        ("https://a.example/" + "x" * 5000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_http_links_survive_resolved(raw: str | None, url: str | None) -> None:
    assert resolve_link(raw, FEED) == url


def test_who_is_let_in_is_no_part_of_an_address() -> None:
    assert resolve_link("https://ann:secret@publisher.example:8443/1") == "https://publisher.example:8443/1"
    assert resolve_link("//bank.example@publisher.example/1", FEED) == "https://publisher.example/1"


def test_a_base_inside_the_feed_comes_before_its_address() -> None:
    assert resolve_link("x", "https://a.example/b/", FEED) == "https://a.example/b/x"
    assert resolve_link("x", "b/", FEED) == "https://feeds.example.com/de/b/x"


def test_a_base_that_is_no_address_leaves_whole_links_whole() -> None:
    assert resolve_link("https://publisher.example/1", "http://[") == "https://publisher.example/1"
    assert resolve_link("/1", "http://[") is None
