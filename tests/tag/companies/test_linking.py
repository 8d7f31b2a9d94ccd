"""Golden sentences, traps and invariants of the linker. A golden line: language, sentence, mentions as surface=company_id."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.tag.companies import Registry, link
from schemas.article import Block

GOLDEN = [
    ("de", "Rheinmetall-Aktie springt nach Großauftrag um 4 Prozent", "Rheinmetall=rheinmetall"),
    (
        "de",
        "Die Zahlen der Deutschen Telekom gefallen, die der Deutschen Börse nicht",
        "Deutschen Telekom=deutsche-telekom Deutschen Börse=deutsche-boerse",
    ),
    ("de", "Deutsche-Bank-Chef warnt, die Novo-Nordisk-Papiere fallen", "Deutsche-Bank=deutsche-bank Novo-Nordisk=novo-nordisk"),
    ("de", "Teslas Umsatz sinkt, VWs Gewinn auch", "Tesla=tesla VW=volkswagen"),
    ("de", "SIEMENS HEBT PROGNOSE AN", "SIEMENS=siemens"),
    ("de", "Die Muenchener Rueck zahlt mehr Dividende", "Muenchener Rueck=munich-re"),
    ("de", "Allianz-Tochter meldet Zuflüsse", "Allianz=allianz"),
    ("de", "Telekom: Höttges bleibt", "Telekom=deutsche-telekom"),
    ("de", "Meta droht neuer Streit mit Brüssel", "Meta=meta"),
    ("de", "Der Versicherer Allianz stockt die Rückstellungen auf", "Allianz=allianz"),
    ("de", "Die Aktie von Linde gibt nach", "Linde=linde"),
    ("de", "Visa und Mastercard vergleichen sich mit Händlern", "Visa=visa Mastercard=mastercard"),
    ("de", "Der Ausblick der adidas AG bleibt; auch thyssenkrupp liefert", "adidas=adidas thyssenkrupp=thyssenkrupp"),
    ("de", "Qwen und TikTok wachsen, ChatGPT auch", "Qwen=alibaba TikTok=bytedance ChatGPT=openai"),
    ("de", "Das Papier (ISIN: DE0007164600) legte zu", "DE0007164600=sap"),
    ("de", "Porsche (ETR: PAH3) schreibt ab", "PAH3=porsche-se"),
    ("de", "Nestle und L'Oreal erhöhen Preise", "Nestle=nestle L'Oreal=loreal"),
    (
        "en",
        "Apple Inc. (NASDAQ: AAPL) and Alphabet Inc's <GOOGL.O> YouTube face a probe",
        "Apple=apple Alphabet=alphabet YouTube=alphabet",
    ),
    ("en", "Traders piled into $TSLA and (XETRA: RHM)", "TSLA=tesla RHM=rheinmetall"),
    ("en", "Target cuts full-year profit forecast", "Target=target"),
    ("en", "Shares of Block fell 4%", "Block=block"),
    ("en", "Devon Energy raised its payout. Devon also bought back shares.", "Devon Energy=devon-energy Devon=devon-energy"),
    ("en", "Linde’s CEO stays; Moody’s and McDonald’s agree", "Linde=linde Moody’s=moodys McDonald’s=mcdonalds"),
    (
        "en",
        "Nippon Steel wants U.S. Steel; Exxon Mobil does not",
        "Nippon Steel=nippon-steel U.S. Steel=us-steel Exxon Mobil=exxon",
    ),
    ("en", "Twitter, now X Corp, lost advertisers", "Twitter=x-corp X Corp=x-corp"),
]

TRAPS = [
    ("de", "Die Allianz der Willigen trifft sich in Paris"),
    ("de", "Eine Allianz aus Kommunen und Vereinen verlangt mehr Geld"),
    ("de", "Vor dem Block stand ein Mann"),
    ("de", "Auf der Meta-Ebene bleibt vieles offen"),
    ("de", "Die Linde (Baum) blüht im Juni, jede Linde duftet"),
    ("de", "Ein Visa-Antrag dauert acht Wochen"),
    ("de", "Der Dax schließt fester, der MDAX gibt nach, der Nasdaq Composite auch"),
    ("de", "Er fuhr mit seinem roten Audi gegen einen Zaun"),
    ("de", "Arm und Reich, Gates und Tore, Orange und Blau"),
    ("de", "Mehr unter www.amazon.de oder presse@siemens.com"),
    ("de", "Das schrieb sie auf Twitter und auf Instagram"),
    ("de", "Das Konzert in der Allianz Arena fällt aus, Bayer Leverkusen spielt trotzdem"),
    ("en", "She spent her Gap year in Peru"),
    ("en", "Analysts raised the target price for the whole sector"),
    ("en", "TARGET PRICE RAISED AFTER Q2"),
    ("en", "Grandma's Apple pie won a prize"),
    ("en", "Tickets for Apple Valley and the Toyota Stadium sell out"),
    ("en", "Harrison Ford lands a small plane"),
    ("en", "Next week the Fed meets; the S&P 500 and the Dow Jones Industrial Average were flat"),
    ("en", "Shell companies hide money, and Orange juice futures rose"),
    ("en", "The (CEO) of a (KEY) firm paid $A100"),
    ("de", "Schwab sprach in Davos, Lilly und Rossmann waren da"),
    ("en", "LONDON (Reuters) - Markets were calm"),
]


def named(registry: Registry, text: str, language: str | None) -> str:
    return " ".join(f"{m.surface}={m.company_id}" for m in link(registry, text, "", language, ()))


@pytest.mark.parametrize(("language", "text", "expected"), GOLDEN)
def test_golden_sentences(registry: Registry, language: str, text: str, expected: str) -> None:
    assert named(registry, text, language) == expected


@pytest.mark.parametrize(("language", "text"), TRAPS)
def test_what_only_looks_like_a_company_is_left_alone(registry: Registry, language: str, text: str) -> None:
    assert named(registry, text, language) == ""


def test_spans_are_literal_ordered_and_apart(registry: Registry) -> None:
    text = "\n".join(text for _, text, _ in GOLDEN) + "\n" + "\n".join(text for _, text in TRAPS)
    title = "Münchener\u00a0Rück und Siemens‑Energy-Aktie: K+S, 1&1, AT&T, H&M — Procter & Gamble 🚀 E.ON"
    links = link(registry, title, text, None, ())
    fields = {"title": title, "text": text}
    assert all(fields[m.field][m.start : m.end] == m.surface and 0 < m.link_score <= 1 for m in links)
    assert [m.surface for m in links if m.field == "title"] == [
        *("Münchener\u00a0Rück", "Siemens‑Energy", "K+S", "1&1", "AT&T", "H&M", "Procter & Gamble", "E.ON")
    ]
    order = [(m.field == "text", m.start) for m in links]
    assert order == sorted(order)
    assert all(a.end <= b.start for a, b in pairwise(links) if a.field == b.field)


def test_an_ambiguous_name_counts_once_the_article_is_surely_about_the_company(registry: Registry) -> None:
    text = "Mit dem Partner Linde ging es damals in den Garten. Gap blieb im Bild."
    assert link(registry, "", text, "de", ()) == ()
    sure = link(registry, "Gap Inc. und Linde plc legen Zahlen vor", text, "de", ())
    assert [(m.field, m.surface) for m in sure] == [
        ("title", "Gap Inc"),
        ("title", "Linde plc"),
        ("text", "Linde"),
        ("text", "Gap"),
    ]
    assert sure[0].link_score > sure[3].link_score


@pytest.mark.parametrize(
    ("language", "text", "company_id", "sure"),
    [
        ("de", "Merck hebt die Prognose an", "merck-kgaa", False),
        ("en", "Merck lifts its outlook", "merck-co", False),
        ("en", "Merck, the Darmstadt group in the DAX, lifts its outlook", "merck-kgaa", True),
        ("de", "Merck verdient weniger mit Keytruda, sagt der US-Pharmakonzern", "merck-co", True),
        ("de", "Merck (NYSE: MRK) steigt", "merck-co", None),
    ],
)
def test_two_companies_of_one_name_are_told_apart_and_doubt_shows(
    registry: Registry, language: str, text: str, company_id: str, sure: bool | None
) -> None:
    first = link(registry, text, "", language, ())[0]
    assert first.company_id == company_id
    assert (first.margin is None) if sure is None else ((first.margin or 0) > 0.3) is sure
    assert sure is not False or first.link_score < 0.7


@pytest.mark.parametrize(
    ("language", "text", "role"),
    [
        ("de", "Davor war sie ein Jahrzehnt lang bei SAP tätig, heute lehrt sie", "former_employer"),
        ("de", "Zuvor war er bei Infineon.", "former_employer"),
        ("de", "Der Ex-Wirecard-Vorstand schweigt", "former_employer"),
        ("de", "Die Marge war bei Infineon zuletzt höher", None),
        ("en", "She was previously chief economist at Barclays", "former_employer"),
        ("en", "A former Boeing engineer testified", "former_employer"),
        ("en", "Demand at Boeing was weak", None),
        ("en", "The iPhone sold well", "product"),
    ],
)
def test_roles(registry: Registry, language: str, text: str, role: str | None) -> None:
    assert [m.role for m in link(registry, "", text, language, ())] == [role]


def test_mentions_in_promotion_are_marked(registry: Registry) -> None:
    text = "Nvidia wächst.\nJetzt die Gratis-Analyse zu Nvidia lesen!"
    ad = Block(kind="paragraph", start=15, end=len(text))
    links = link(registry, "Nvidia", text, "de", (ad,))
    assert [(m.field, m.in_ad) for m in links] == [("title", False), ("text", False), ("text", True)]


def test_a_page_of_codes_and_names_is_no_trap(registry: Registry) -> None:
    text = "Merck (NYSE: MRK), $AAPL, ((((DE0007164600 Meta Block-" * 2_000
    started = time.process_time()
    assert len(link(registry, "", text, "en", ())) >= 4_000
    assert time.process_time() - started < 5


def test_no_text_no_mentions(registry: Registry) -> None:
    assert link(registry, "", "", None, ()) == ()


SEED = Path(__file__).resolve().parents[4] / "shared" / "seed" / "alibaba_de.txt"


@pytest.mark.skipif(not SEED.exists(), reason="the seed article is not beside this checkout")
def test_seed_article(registry: Registry) -> None:
    text = SEED.read_text("utf-8")
    start = text.index("Alibaba-Aktie: Kaufen")
    links = link(registry, "", text, "de", (Block(kind="paragraph", start=start, end=len(text)),))
    counted = [m.company_id for m in links if not m.in_ad]
    assert set(counted) == {"alibaba", "microsoft", "openai", "bytedance", "deepseek"}
    assert counted.count("alibaba") > len(counted) / 2
    assert {m.company_id for m in links if m.in_ad} == {"alibaba"}
    assert [(m.surface, m.role) for m in links if m.company_id in ("microsoft", "openai")] == [
        ("Microsoft", "former_employer"),
        ("ChatGPT", "product"),
    ]
    assert {m.company_id for m in links if m.surface == "Qwen"} == {"alibaba"}
