"""Texts whose accents are written apart are tagged like others, in their own offsets."""

import unicodedata
from itertools import pairwise

from pipeline.tag import Tagger
from pipeline.tag.composed import Composed
from schemas.tag import Span


def test_offsets_lead_both_ways() -> None:
    given = unicodedata.normalize("NFD", "Zürich, Müßiggang ệ und Öl")
    composed = Composed.of(given)
    assert composed.text == unicodedata.normalize("NFC", given)
    places = [composed.given(offset) for offset in range(len(composed.text) + 1)]
    assert [given[a:b] for a, b in pairwise(places)] == [unicodedata.normalize("NFD", character) for character in composed.text]
    assert [composed.composed(place) for place in places] == list(range(len(composed.text) + 1))
    assert composed.composed(10_000) == 10_000 - (len(given) - len(composed.text))


def test_a_decomposed_article_is_tagged_as_its_composed_one() -> None:
    title, text = (
        "Münchener Rück erhöht Prognose",
        "Für Nestlé kürzt die Müslisparte ihren Ausblick: Gewinnwarnung! Bei L’Oréal erhöht sich der Gewinn.",
    )
    apart = [unicodedata.normalize("NFD", part) for part in (title, text)]
    tagger = Tagger.load()
    target = Span(field="text", start=apart[1].index("Nest"), end=apart[1].index(" ku"))
    plain = tagger.tag(title, text, "de", (), (Span(field="text", start=4, end=10),))
    found = tagger.tag(apart[0], apart[1], "de", (), (target,))
    assert [link.surface for link in found.links] == [unicodedata.normalize("NFD", link.surface) for link in plain.links]
    assert all((apart[0] if x.field == "title" else apart[1])[x.start : x.end] == x.surface for x in found.links)
    assert [(c.company_id, c.verdict.p_positive) for c in found.companies] == [
        (c.company_id, c.verdict.p_positive) for c in plain.companies
    ]
    assert found.targets[0].p_negative == plain.targets[0].p_negative
    assert found.targets[0].sentiment == -1
