# ruff: noqa: E501 -- sample sentences stay whole
"""Pages of our own to whole readings."""

import json
import time
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipeline.read import EXTRACTOR, promotion_spans, read_page, read_text
from schemas.article import Reading, Unreadable

GOLDEN = Path(__file__).parent / "golden"
URL = "https://news.example/wirtschaft/artikel.html"
DE = (
    "Der Softwarekonzern Nordlicht hat im dritten Quartal zwölf Prozent mehr umgesetzt als ein Jahr zuvor, teilte das Unternehmen mit.",
    "Die Finanzchefin sprach von einem ordentlichen Geschäft, verwies aber auf die höheren Kosten für Rechenzentren und Löhne.",
    "Für das kommende Jahr erwartet der Vorstand größere Aufträge aus Österreich und der Schweiz, nannte aber keine Zahlen.",
)


def page(*paragraphs: str, head: str = "", lang: str = "de") -> str:
    body = "".join(f"<p>{p}</p>" for p in paragraphs or DE)
    return f'<!DOCTYPE html><html lang="{lang}"><head><title>Nordlicht wächst</title>{head}</head><body><article><h1>Nordlicht wächst</h1>{body}</article></body></html>'


def read(html: str | bytes, **options: Any) -> Reading:
    reading = read_page(html.encode() if isinstance(html, str) else html, URL, **options)
    assert isinstance(reading, Reading), reading
    return reading


def as_json(reading: Reading) -> dict[str, Any]:
    fields = asdict(reading)
    lines = [[b.kind, reading.text[b.start : b.end]] for b in reading.blocks]
    promo = [[p.kind, p.text, reading.text[p.at :][:20]] for p in reading.promo]
    published = reading.published_at.isoformat() if reading.published_at else None
    del fields["text"]
    return json.loads(json.dumps(fields | {"blocks": lines, "promo": promo, "published_at": published}))


@pytest.mark.parametrize("name", sorted(p.stem for p in GOLDEN.glob("*.html")))
def test_golden_pages(name: str) -> None:
    reading = read((GOLDEN / f"{name}.html").read_bytes())
    assert as_json(reading) == json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def test_blocks_divide_the_text_and_promotion_lies_within() -> None:
    for path in GOLDEN.glob("*.html"):
        reading = read(path.read_bytes())
        lines = reading.text.split("\n")
        assert [reading.text[b.start : b.end] for b in reading.blocks] == lines
        assert all(line and line == " ".join(line.split()) for line in lines)
        assert all(0 <= p.at <= len(reading.text) for p in reading.promo)
        assert [p.at for p in reading.promo] == sorted(p.at for p in reading.promo)
        assert unicodedata.is_normalized("NFC", reading.text + reading.title)
        assert promotion_spans(reading.title, reading.text, reading.language) == ()


def test_reading_a_reading_again_changes_nothing() -> None:
    for path in GOLDEN.glob("*.html"):
        reading = read(path.read_bytes())
        again = read_text(reading.text, URL)
        assert (again.title, again.text, again.promo) == ("", reading.text, ())


@pytest.mark.parametrize(
    ("encoding", "head", "content_type"),
    [
        ("utf-8", "", None),
        ("utf-8", '<meta charset="iso-8859-1">', "text/html; charset=ISO-8859-1"),
        ("utf-8-sig", "", None),
        ("latin-1", "", "text/html; charset=ISO-8859-1"),
        ("cp1252", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "text/html"),
        ("iso-8859-15", '<meta charset="iso-8859-15">', None),
        ("utf-16", "", "text/html"),
        ("latin-1", "", None),
        ("latin-1", '<meta charset="no-such-charset">', None),
        ("utf-8", '<?xml version="1.0" encoding="utf-8"?>', "application/xhtml+xml; charset=utf-8"),
    ],
)
def test_charsets(encoding: str, head: str, content_type: str | None) -> None:
    html = head + page() if head.startswith("<?xml") else page(head=head)
    assert read(html.encode(encoding), content_type=content_type).text.split("\n") == list(DE)


ARTICLE = (
    '"@type": "NewsArticle", "datePublished": "2024-11-05T09:30:15+01:00", "author": {"@type": "Person", "name": "Petra Ahrens"}'
)


@pytest.mark.parametrize(
    "source",
    [
        f"{{{ARTICLE}}}",
        f"[{{{ARTICLE}}}]",
        f'{{"@graph": [{{"@type": "WebSite"}}, {{{ARTICLE}}}]}}',
        f'{{"@type": "WebPage", "mainEntity": {{{ARTICLE}}}}}',
        f"<!-- {{{ARTICLE}}} -->",
        f"//<![CDATA[\n{{{ARTICLE}}}\n//]]>",
        f"{{{ARTICLE},}};",
        f'{{"description": "one\nline\tmore", {ARTICLE}}}',
        f'</script><script type="application/ld+json">{{{ARTICLE}}}',
        f'{{"broken": </script><script type="application/ld+json">{{{ARTICLE}}}',
        f'{"[" * 100_000}</script><script type="application/ld+json">{{{ARTICLE}}}',
    ],
)
def test_json_ld_however_written(source: str) -> None:
    reading = read(page(head=f'<script type="application/ld+json">{source}</script>'))
    assert (reading.published_at and reading.published_at.isoformat(), reading.authors) == (
        "2024-11-05T08:30:15+00:00",
        ("Petra Ahrens",),
    )
    assert (reading.published_precision, reading.published_basis) == ("second", "json-ld")


@pytest.mark.filterwarnings("ignore:tzname")
@pytest.mark.parametrize(
    ("value", "lang", "expected"),
    [
        ("2024-11-05T09:30:00Z", "de", ("2024-11-05T09:30:00+00:00", "second")),
        ("2024-11-05T09:30:00.123+0100", "de", ("2024-11-05T08:30:00+00:00", "second")),
        ("2024-07-05T09:30", "de", ("2024-07-05T07:30:00+00:00", "minute")),
        ("2024-07-05 09:30:00", "en", ("2024-07-05T09:30:00+00:00", "second")),
        ("05.07.2024, 09:30 Uhr", "de", ("2024-07-05T07:30:00+00:00", "minute")),
        ("2024-11-05 09:30:00 CET", "de", ("2024-11-05T08:30:00+00:00", "second")),
        ("Tue, 05 Nov 2024 09:30:00 +0100", "de", ("2024-11-05T08:30:00+00:00", "second")),
        ("2024-11-05", "de", ("2024-11-05T00:00:00+00:00", "day")),
        ("20241105", "de", ("2024-11-05T00:00:00+00:00", "day")),
        ("5.11.2024", "de", ("2024-11-05T00:00:00+00:00", "day")),
        ("5. Juli 2024, 09:30 Uhr", "de", ("2024-07-05T07:30:00+00:00", "minute")),
        ("Freitag, 5. Juli 2024 09:30 Uhr", "de", ("2024-07-05T07:30:00+00:00", "minute")),
        ("Nov. 5, 2024", "en", ("2024-11-05T00:00:00+00:00", "day")),
        ("5 November 2024 09:30 GMT", "en", ("2024-11-05T09:30:00+00:00", "minute")),
        ("31. Juni 2024, 09:30 Uhr", "de", None),
        ("5. Brumaire 2024", "de", None),
        ("0000-00-00T00:00:00", "de", None),
        ("1899-12-30", "de", None),
        ("9999-12-31T23:59:59-12:00", "de", None),
        ("2024-13-45", "de", None),
        ("2024-11-05T99:99", "de", ("2024-11-05T00:00:00+00:00", "day")),
        ("2024-11-05T09:30 XYZ", "de", ("2024-11-05T00:00:00+00:00", "day")),
        ("soon", "de", None),
        ("", "de", None),
    ],
)
def test_dates(value: str, lang: str, expected: tuple[str, str] | None) -> None:
    english = ("The software maker raised its outlook on Tuesday after a strong quarter, the company said in a statement.",) * 3
    reading = read(
        page(*(DE if lang == "de" else english), head=f'<meta property="article:published_time" content="{value}">', lang=lang)
    )
    got = (reading.published_at.isoformat(), reading.published_precision) if reading.published_at else None
    assert got == expected


def test_a_time_on_the_page_is_used_where_the_head_says_nothing() -> None:
    reading = read(page('<time datetime="2024-11-05T09:30:00+01:00">5. November 2024</time>', *DE))
    assert reading.published_at is not None
    assert (reading.published_at.isoformat(), reading.published_basis) == ("2024-11-05T08:30:00+00:00", "page")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ("", "unknown"),
        ('<script type="application/ld+json">{"@type": "Article", "isAccessibleForFree": "False"}</script>', "teaser"),
        ('<script type="application/ld+json">{"@type": "Article", "isAccessibleForFree": true}</script>', "free"),
        ('<meta property="article:content_tier" content="locked">', "teaser"),
    ],
)
def test_access(claims: str, expected: str) -> None:
    assert read(page(head=claims)).access == expected


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ("<title>Nordlicht wächst – auch im Ausland</title>", "Nordlicht wächst"),
        ('<meta property="og:title" content="Konzern wächst – auch im Ausland">', "Konzern wächst – auch im Ausland"),
        (
            '<meta property="og:title" content="Konzern wächst | Küstenblatt"><meta property="og:site_name" content="Küstenblatt">',
            "Konzern wächst",
        ),
        ("<title>Nordlicht wächst * Küstenblatt * von Petra Ahrens</title>", "Nordlicht wächst"),
        ('<meta property="og:title" content="Nordlicht &amp;amp; Co. wachsen">', "Nordlicht & Co. wachsen"),
    ],
)
def test_titles(titles: str, expected: str) -> None:
    assert read(page().replace("<title>Nordlicht wächst</title>", titles)).title == expected


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("Petra Ahrens", ["Petra Ahrens"]),
        ("Von Petra Ahrens und Jens Beispiel", ["Petra Ahrens", "Jens Beispiel"]),
        ("Ann Example, Bob Sample &amp; Cleo Probe", ["Ann Example", "Bob Sample", "Cleo Probe"]),
        ("Petra Ahrens; petra@news.example", ["Petra Ahrens"]),
        ("Von der Finanzredaktion · 23. November 2026, 17:30 Uhr", ["Finanzredaktion"]),
        ("By Ann Example –", ["Ann Example"]),
        ("Ursula von der Probe |", ["Ursula von der Probe"]),
        ("Küstenblatt", []),
        ("news.example", []),
        ("News Example", []),
        ("petra-ahrens", []),
        ("https://news.example/petra", []),
    ],
)
def test_authors(author: str, expected: list[str]) -> None:
    head = f'<meta property="og:site_name" content="Küstenblatt"><meta name="author" content="{author}">'
    assert list(read(page(head=head)).authors) == expected


def test_a_byline_that_is_only_shown_loses_its_preposition_and_date() -> None:
    shown = '<p class="byline">Von der Finanzredaktion · 23. November 2026, 17:30 Uhr</p>'
    assert read(page().replace("</h1>", f"</h1>{shown}")).authors == ("Finanzredaktion",)


def test_language_is_that_of_the_text() -> None:
    assert read(page(lang="en")).language == "de"
    assert read(page("12.345,67 Punkte um 17:35 Uhr, +0,12 %", lang="")).language is None
    assert read(page("12.345,67 Punkte um 17:35 Uhr, +0,12 %", lang=""), language="de-AT").language == "de"


def test_an_advertorial_is_promotion() -> None:
    sold = "Sichern Sie sich jetzt den kostenlosen Sonderreport zu den fünf besten Dividendenaktien des Jahres, die unsere Redaktion gefunden hat!"
    assert read(page(DE[0], sold, sold.replace("fünf", "zehn"), sold.replace("Jahres", "Monats"))).genre == "promotion"
    assert read(page()).genre is None


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ('<meta property="article:section" content="Anzeige">', "promotion"),
        ('<meta property="article:section" content="– Sponsored content –">', "promotion"),
        ('<script type="application/ld+json">{"@type": "NewsArticle", "articleSection": ["Advertorial"]}</script>', "promotion"),
        ('<script type="application/ld+json">{"@type": "AdvertiserContentArticle"}</script>', "promotion"),
        ('<meta property="article:section" content="Werbung & Medien">', None),
    ],
)
def test_an_advertorial_that_says_so_is_promotion(claims: str, expected: str | None) -> None:
    assert read(page(head=claims)).genre == expected


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", None, "not_html"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "text/html", "not_html"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "not_html"),
        (b"<html></html>", "video/mp4", "not_html"),
        (bytes(range(16)) * 200 + b"\0" * 600, None, "not_html"),
        (b"\0" * 600, "text/html", "not_html"),
        (b"", "text/html", "no_text"),
        (b"   \n ", None, "no_text"),
        (b"<html><head></head><body></body></html>", "text/html", "no_text"),
        (
            b"<html><body><nav><ul><li><a href='/'>Start</a></li><li><a href='/x'>Sport</a></li></ul></nav></body></html>",
            None,
            "no_text",
        ),
    ],
)
def test_what_is_no_article(body: bytes, content_type: str | None, code: str) -> None:
    outcome = read_page(body, URL, content_type=content_type)
    assert isinstance(outcome, Unreadable)
    assert (outcome.code, bool(outcome.detail)) == (code, True)


@pytest.mark.parametrize(
    "opening", ["<div>", "<ul><li>", "<table><tr><td>", "<blockquote>", "<b>", "<a href=x>", "<p><span>", "<!--", "<"]
)
def test_hostile_nesting_ends_soon(opening: str) -> None:
    started = time.monotonic()
    outcome = read_page(("<html><body>" + opening * 5_000 + "".join(f"<p>{p}</p>" for p in DE)).encode(), URL)
    assert time.monotonic() - started < 5
    assert isinstance(outcome, Reading | Unreadable)


def test_hostile_json_ld_ends_soon() -> None:
    started = time.monotonic()
    many = ", ".join('{"@type": "Article", "author": [{"name": "x"}]}' for _ in range(30_000))
    assert read(page(head=f'<script type="application/ld+json">[{many}]</script>')).text.split("\n") == list(DE)
    assert time.monotonic() - started < 5


def test_plain_text_with_a_clear_title() -> None:
    reading = read_text(
        "Nordlicht wächst weiter kräftig\n\n" + DE[0] + "\n* Erster Punkt\n* Zweiter Punkt\nAnzeige\n" + DE[1] + "\n", URL
    )
    assert reading.title == "Nordlicht wächst weiter kräftig"
    assert reading.text.split("\n") == [DE[0], "Erster Punkt", "Zweiter Punkt", DE[1]]
    assert [b.kind for b in reading.blocks] == ["paragraph", "list_item", "list_item", "paragraph"]
    assert [(p.kind, p.text, reading.text[p.at :]) for p in reading.promo] == [("promotion", "Anzeige", DE[1])]
    assert reading.language == "de"


@pytest.mark.parametrize("first", [DE[2], "Von Petra Ahrens, Kiel", "Das Wichtigste:", "* Erster Punkt der Liste"])
def test_plain_text_without_a_clear_title(first: str) -> None:
    assert read_text("\n".join([first, *DE]), URL).title == ""


def test_plain_text_sent_as_a_page() -> None:
    assert isinstance(read_page(b" \n", URL, content_type="text/plain"), Unreadable)
    reading = read("\n".join(DE), content_type="text/plain; charset=utf-8")
    assert reading.text.split("\n") == list(DE)


SEED = Path(__file__).resolve().parents[3] / "shared" / "seed" / "alibaba_de.txt"


@pytest.mark.skipif(not SEED.exists(), reason="the seed article lies beside the checkout")
def test_the_seed_article() -> None:
    raw = SEED.read_text("utf-8").splitlines()
    reading = read_text(SEED.read_text("utf-8"), URL)
    assert reading.title == ""
    assert reading.text.split("\n") == [line.removeprefix("* ") for i, line in enumerate(raw) if i not in (9, 14, 15, 16)]
    assert [(p.kind, p.text) for p in reading.promo] == [("promotion", raw[i]) for i in (9, 14, 15, 16)]
    assert [b.kind for b in reading.blocks] == [
        *["paragraph", "heading", "paragraph", "paragraph", "heading", "paragraph"],
        *["list_item", "list_item", "list_item", "paragraph", "heading", "paragraph", "paragraph"],
    ]


def test_the_extractor_names_library_and_rules() -> None:
    library, _, rules = EXTRACTOR.partition("+")
    assert library.startswith("trafilatura-2.") and rules.startswith("newsmill-")


def test_a_paragraph_that_is_one_link_is_kept_as_what_it_is() -> None:
    """The extractor drops such paragraphs unseen; they belong to what was taken out, at the place where they stood."""
    said = "".join(
        f"<p>The company raised its forecast for {year} after orders rose, it said in a statement.</p>" for year in (1, 2)
    )
    link = '<!-- sold --><p><a href="https://ads.example/x">Acme: kaufen oder verkaufen? Hier weiterlesen...</a></p>'
    page = f"<html><body><article><h1>Acme</h1>{said}{link}<p>{'A second part says why orders rose. ' * 4}</p></article></body></html>"
    reading = read_page(page.encode(), "https://news.example/acme")
    assert isinstance(reading, Reading)
    assert [(p.text, reading.text[: p.at].count("forecast")) for p in reading.promo] == [
        ("Acme: kaufen oder verkaufen? Hier weiterlesen...", 2)
    ]
    assert "weiterlesen" not in reading.text and reading.promo[0].kind in {"promotion", "related"}


def test_a_bullet_written_out_in_a_list_item_is_no_part_of_its_text() -> None:
    prose = "".join(
        f"<p>Der Umsatz der Sparte {n} stieg im dritten Quartal um {n} Prozent, teilte der Konzern mit.</p>" for n in "234"
    )
    page = f"<html lang='de'><body><article>{prose}<ul><li>• Gewinn stieg leicht auf drei Millionen</li></ul></article></body></html>"
    reading = read_page(page.encode(), "https://publisher.example/a")
    assert isinstance(reading, Reading)
    assert reading.text.splitlines()[-1] == "Gewinn stieg leicht auf drei Millionen"
