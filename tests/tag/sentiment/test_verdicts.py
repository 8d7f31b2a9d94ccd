"""What holds of every verdict, whatever the input; and how verdicts of an article come together."""

import random
import time

import pytest

from pipeline.tag.sentiment import judge_article, judge_company, judge_span
from schemas.tag import Span, Verdict
from tests.tag.sentiment.golden import golden


def check(verdict: Verdict, title: str, text: str) -> None:
    parts = (verdict.p_negative, verdict.p_neutral, verdict.p_positive)
    assert abs(sum(parts) - 1) <= 1e-9
    assert all(0 <= part <= 1 for part in parts)
    for span in verdict.evidence:
        whole = {"title": title, "text": text}[span.field]
        assert 0 <= span.start < span.end <= len(whole)
        assert whole[span.start : span.end].strip() == whole[span.start : span.end]
    assert verdict.sentiment == 0 or verdict.evidence


def rubbish(seed: int) -> str:
    rng = random.Random(seed)
    words = [word for language in ("de", "en") for expected in golden(language) for word in expected.text.split()]
    marks = ["%", "+3,2 %", ";", "–", "\n", "?", "\x00", "😀", "<A.B>", "a\u0308", "ſ", "İ", "-", "1.2.3", ". "]
    return " ".join(rng.choice(words if rng.random() < 0.6 else marks) for _ in range(rng.randint(0, 60)))


def test_invariants_hold_for_rubbish_and_answers_repeat() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        text, title = rubbish(seed), rubbish(seed + 10_000)
        spans = [
            Span(field=rng.choice(["title", "text"]), start=a, end=a + rng.randint(-2, 12)) for a in rng.sample(range(-2, 400), 5)
        ]
        language = rng.choice(["de", "en", None, "fr", ""])
        for span in spans:
            verdict = judge_span(title, text, span, spans, language)
            check(verdict, title, text)
            assert verdict == judge_span(title, text, span, spans, language)
        check(judge_article(title, text, language), title, text)
        check(judge_company(title, text, spans[:2], spans[2:], language, topic=True), title, text)


@pytest.mark.parametrize(
    "span", [Span(field="text", start=0, end=0), Span(field="text", start=5, end=3), Span(field="title", start=0, end=9)]
)
def test_nothing_to_read_is_neutral(span: Span) -> None:
    assert (judge_span("", "", span, (), "de").sentiment, judge_article("", "", None).sentiment) == (0, 0)


@pytest.mark.parametrize("unit", ["x", "Kessler fällt um 3 Prozent. ", "steigt ", "a ", "1,", "\n", "(((", "nicht "])
def test_a_megabyte_takes_no_longer_than_a_second(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    spans = [Span(field="text", start=at, end=at + 7) for at in range(0, 900_000, 28_000)]
    began = time.perf_counter()
    for span in spans:
        judge_span("", text, span, spans, None)
    judge_company("", text, spans, (), None, topic=True)
    judge_article("", text, None)
    assert time.perf_counter() - began < 1.5


def test_evidence_is_the_words_themselves() -> None:
    text = "Die Aktie von Tessala gab am Montag um 2,4 Prozent auf 31,70 Euro nach."
    verdict = judge_span("", text, Span(field="text", start=14, end=21), (), "de")
    assert [text[s.start : s.end] for s in verdict.evidence] == [
        "Aktie von Tessala gab am Montag um 2,4 Prozent auf 31,70 Euro nach"
    ]


def test_a_hedge_pulls_towards_neutral() -> None:
    span = Span(field="text", start=0, end=7)
    plain = judge_span("", "Kessler misled investors", span, (), "en")
    alleged = judge_span("", "Kessler allegedly misled investors", span, (), "en")
    assert (plain.hedged, alleged.hedged) == (False, True)
    assert plain.p_neutral < alleged.p_neutral


def test_a_company_is_judged_over_all_its_sentences_and_both_sides_show() -> None:
    text = "Kessler steigert den Umsatz. Der Gewinn von Kessler bricht ein. Kessler lädt zur Hauptversammlung."
    spans = [Span(field="text", start=at, end=at + 7) for at in range(len(text)) if text.startswith("Kessler", at)]
    verdict = judge_company("", text, spans, (), "de", topic=False)
    assert verdict.mixed
    assert [text[s.start : s.end] for s in verdict.evidence] == ["steigert den Umsatz", "Gewinn von Kessler bricht ein"]


def test_sentences_that_name_nobody_count_for_the_topic_only() -> None:
    text = "Kessler lädt zur Hauptversammlung. Der Aktienkurs fiel um 5 Prozent."
    spans = (Span(field="text", start=0, end=7),)
    assert judge_company("", text, spans, (), "de", topic=True).score < -0.2
    assert judge_company("", text, spans, (), "de", topic=False).evidence == ()


def test_the_headline_outweighs_the_text() -> None:
    good, bad = "Kessler steigert den Gewinn", "Kessler senkt die Prognose."
    assert judge_article(good, bad, "de").score > 0 > judge_article(bad, good, "de").score


def found(text: str, name: str, others: tuple[str, ...], language: str) -> tuple[int, list[str]]:
    spans = [Span(field="text", start=text.index(word), end=text.index(word) + len(word)) for word in (name, *others)]
    verdict = judge_span("", text, spans[0], spans[1:], language)
    return verdict.sentiment, [text[s.start : s.end] for s in verdict.evidence]


@pytest.mark.parametrize(
    ("language", "text", "first", "second"),
    [
        ("de", "Kessler erhöht den Ausblick, Tessala warnt", (1, ["erhöht den Ausblick"]), (-1, ["warnt"])),
        ("de", "Kessler verdient mehr, Tessala enttäuscht", (1, ["verdient mehr"]), (-1, ["enttäuscht"])),
        ("en", "Kessler stock tumbles as Tessala adds customers", (-1, ["stock tumbles"]), (0, [])),
        ("en", "Kessler profit drops while Tessala raises outlook", (-1, ["profit drops"]), (1, ["raises outlook"])),
    ],
)
def test_evidence_is_what_bears_out_the_verdict(
    language: str, text: str, first: tuple[int, list[str]], second: tuple[int, list[str]]
) -> None:
    assert found(text, "Kessler", ("Tessala",), language) == first
    assert found(text, "Tessala", ("Kessler",), language) == second


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Kessler lädt ein. Auch Tessala hatte sich beworben. Sie ging leer aus. Ihre Aktie fiel.", 0.0, 0.0),
        ("Kessler lädt ein. Auch Tessala hatte sich beworben. Die Aktie fiel.", -1.0, -0.2),
        ("Auch Tessala hatte sich beworben. Kessler lädt ein. Sie senkte die Prognose.", -1.0, -0.2),
    ],
)
def test_a_pronoun_belongs_to_who_was_named_last(text: str, least: float, most: float) -> None:
    at, other = text.index("Kessler"), text.index("Tessala")
    spans = [Span(field="text", start=begin, end=begin + 7) for begin in (at, other)]
    verdict = judge_company("", text, spans[:1], spans[1:], "de", topic=True)
    assert least <= verdict.score <= most
