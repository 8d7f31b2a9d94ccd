"""The tagger: relevance, promotion, targets; the whole of it with the shipped registry and, where it is there, a real article."""

import re
from pathlib import Path

import pytest

from pipeline.tag import Tagger, tags_of
from schemas.article import Block
from schemas.tag import Link, Span, Tags

TITLE = "Kessler hebt Prognose an"
TEXT = (
    "Kessler steigert den Umsatz. Kessler hebt die Dividende an.\n"
    "Zuvor arbeitete der Finanzchef bei Orvento.\n"
    "Helion verfehlt die Erwartungen.\n"
    "Jetzt Report sichern: Tessala steigt weiter!"
)
AD = Block(kind="promotion", start=TEXT.index("Jetzt"), end=len(TEXT))
SEED = Path(__file__).resolve().parents[3] / "shared" / "seed" / "alibaba_de.txt"


def links(title: str, text: str, ads: tuple[Block, ...], **roles: str) -> tuple[Link, ...]:
    """Every mention of the invented companies, as a linker would give them."""
    found = []
    for field, whole in (("title", title), ("text", text)):
        for match in re.finditer("Kessler|Orvento|Helion|Tessala", whole):
            in_ad = field == "text" and any(ad.start <= match.start() < ad.end for ad in ads)
            found.append(_link(match, field, in_ad, roles.get(match[0].lower())))
    return tuple(found)


def _link(match: re.Match[str], field: str, in_ad: bool, role: str | None) -> Link:
    return Link(
        company_id=match[0].lower(),
        name=match[0],
        field=field,
        start=match.start(),
        end=match.end(),
        surface=match[0],
        alias_kind="name",
        link_score=1.0,
        role=role,
        in_ad=in_ad,
    )


@pytest.fixture(name="tags")
def _tags() -> Tags:
    return tags_of(TITLE, TEXT, "de", links(TITLE, TEXT, (AD,), orvento="former_employer"), (AD,))


def test_companies_come_by_relevance_and_promotion_counts_for_nothing(tags: Tags) -> None:
    assert [(c.company_id, c.in_headline, c.verdict.sentiment) for c in tags.companies] == [
        ("kessler", True, 1),
        ("helion", False, -1),
        ("orvento", False, 0),
    ]
    assert len(tags.links) == 6


def test_relevance_lies_between_0_and_1_and_falls(tags: Tags) -> None:
    values = [company.relevance for company in tags.companies]
    assert values == sorted(values, reverse=True)
    assert 1 >= values[0] > 0.8
    assert 0 < values[-1] < 0.2


def test_evidence_never_lies_in_promotion(tags: Tags) -> None:
    spans = [s for verdict in (tags.article, *(c.verdict for c in tags.companies)) if verdict for s in verdict.evidence]
    assert spans
    assert not [s for s in spans if s.field == "text" and s.end > AD.start]


def test_a_company_alone_in_its_article_is_all_it_is_about() -> None:
    title, text = "Kessler wächst", "Kessler steigert den Umsatz."
    assert [c.relevance for c in tags_of(title, text, "de", links(title, text, ())).companies] == [1.0]


def test_targets_are_scored_in_the_order_asked_known_or_not() -> None:
    text = "Unbekannt AG steigt um 4 Prozent, Fremd SE fällt um 2 Prozent"
    targets = (Span(field="text", start=34, end=42), Span(field="text", start=0, end=12), Span(field="title", start=0, end=3))
    assert [verdict.sentiment for verdict in tags_of("", text, None, (), (), targets).targets] == [-1, 1, 0]


@pytest.mark.parametrize(("title", "text"), [("", ""), ("\x00", "\n\n"), ("?", "😀" * 50)])
def test_nothing_to_tag(title: str, text: str) -> None:
    tags = tags_of(title, text, None, ())
    assert tags.article is not None
    assert (tags.companies, tags.targets, tags.article.sentiment) == ((), (), 0)


def test_an_article_full_of_names_is_tagged_in_time() -> None:
    text = "Kessler steigt, Orvento fällt und Helion legt zu. " * 20_000
    tags = tags_of("", text, "de", links("", text, ()))
    assert [(c.company_id, c.verdict.sentiment) for c in tags.companies] == [("kessler", 1), ("orvento", -1), ("helion", 1)]


@pytest.fixture(name="tagger", scope="module")
def _tagger() -> Tagger:
    return Tagger.load()


def test_the_shipped_tagger_names_its_versions(tagger: Tagger) -> None:
    assert tagger.version
    assert tagger.registry_version
    assert "microsoft" in {company.name.lower() for company in tagger.companies.values()}


def test_siemens_and_bayer_in_one_sentence(tagger: Tagger) -> None:
    tags = tagger.tag("Siemens hebt Prognose an, Bayer senkt Ausblick", "", "de")
    assert [(c.name.split()[0], c.verdict.sentiment, c.in_headline) for c in tags.companies] == [
        ("Siemens", 1, True),
        ("Bayer", -1, True),
    ]


@pytest.mark.skipif(not SEED.exists(), reason="the sample article is not beside this checkout")
def test_a_whole_german_article(tagger: Tagger) -> None:
    text = SEED.read_text("utf-8")
    lines = list(re.finditer(r"[^\n]+", text))
    promotion = [lines[at] for at in (9, -3, -2, -1)]
    ads = tuple(Block(kind="promotion", start=line.start(), end=line.end()) for line in promotion)
    tags = tagger.tag("", text, "de", ads)
    by_name = {company.name.split()[0]: company for company in tags.companies}
    assert tags.companies[0].name.startswith("Alibaba")
    assert {"Alibaba", "Microsoft", "OpenAI", "ByteDance", "DeepSeek"} <= by_name.keys()
    assert (by_name["Microsoft"].verdict.sentiment, by_name["Microsoft"].verdict.evidence) == (0, ())
    alibaba = by_name["Alibaba"].verdict
    said = " | ".join(text[s.start : s.end] for s in alibaba.evidence)
    assert (alibaba.mixed, alibaba.hedged) == (True, True)
    assert all(word in said for word in ("wuchs", "1,20 Prozent", "Untersuchungen"))
    assert not [s for s in alibaba.evidence for ad in ads if s.start < ad.end and ad.start < s.end]
