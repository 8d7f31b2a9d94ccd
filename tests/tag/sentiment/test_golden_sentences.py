"""Every golden sentence gets the side, the hedge and the mixture that was written beside it."""

import pytest

from pipeline.tag.sentiment import judge_span
from tests.tag.sentiment.golden import Expected, golden

SENTENCES = [
    pytest.param(language, expected, id=f"{language}: {expected.text} @{expected.span.start}")
    for language in ("de", "en")
    for expected in golden(language)
]


def test_enough_sentences_in_both_languages() -> None:
    assert {language: len(golden(language)) >= 60 for language in ("de", "en")} == {"de": True, "en": True}


@pytest.mark.parametrize(("language", "expected"), SENTENCES)
def test_golden(language: str, expected: Expected) -> None:
    verdict = judge_span("", expected.text, expected.span, expected.others, language)
    sentiment = None if expected.sentiment is None else verdict.sentiment
    assert (sentiment, verdict.hedged, verdict.mixed) == (expected.sentiment, expected.hedged, expected.mixed)


@pytest.mark.parametrize("language", ["de", "en"])
def test_nearly_the_same_without_knowing_the_language(language: str) -> None:
    cases = [expected for expected in golden(language) if expected.sentiment is not None]
    right = sum(judge_span("", e.text, e.span, e.others, None).sentiment == e.sentiment for e in cases)
    assert right >= 0.93 * len(cases)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_title_is_read_like_the_text(language: str) -> None:
    for expected in golden(language):
        field = {"field": "title"}
        moved = [type(s)(**field, start=s.start, end=s.end) for s in (expected.span, *expected.others)]
        in_title = judge_span(expected.text, "", moved[0], moved[1:], language)
        assert in_title.score == judge_span("", expected.text, expected.span, expected.others, language).score
