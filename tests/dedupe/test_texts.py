"""The hash of a text: equal in exact copies, and in nothing else."""

import pytest

from pipeline.dedupe import text_hash

BODY = (
    "Der Maschinenbauer hat seine Prognose für das laufende Jahr angehoben. Der Umsatz soll nun um 3,5 Prozent steigen, "
    "teilte das Unternehmen am Dienstag mit. Bisher waren es 2 Prozent gewesen; Analysten hatten mehr erwartet."
)
EQUAL_BODIES = [
    BODY,
    "FRANKFURT (dpa-AFX) - " + BODY,
    "NEW YORK, March 3 (Reuters) – " + BODY,
    "(Dow Jones Newswires)--" + BODY,
    BODY.upper(),
    BODY.replace(". ", "\n\n– ").replace(";", " ..."),
    BODY.replace("Maschinenbauer", "Maschinen\u00adbauer").replace(" ", "\u00a0"),
    BODY.replace("ü", "u\u0308"),
]
OTHER_BODIES = [
    BODY.replace("3,5", "3,6"),
    BODY.replace("3,5", "35"),
    BODY.replace("3,5", "-3,5"),
    BODY + " Die Aktie stieg.",
    "Nordwerk (NWK) - " + BODY,
    "BAY – " + BODY,
]


def test_a_copy_is_equal_whatever_its_title_punctuation_and_agency() -> None:
    assert {text_hash(f"Titel {n}", body) for n, body in enumerate(EQUAL_BODIES)} == {text_hash("", BODY)}


@pytest.mark.parametrize("body", OTHER_BODIES)
def test_another_number_sign_word_or_company_is_another_text(body: str) -> None:
    assert text_hash("Titel", body) != text_hash("Titel", BODY)


def test_short_texts_need_the_same_title() -> None:
    assert text_hash("Alpha: profit up", "No comment.") == text_hash("ALPHA – profit up", "“No comment”")
    assert text_hash("Alpha: profit up", "No comment.") != text_hash("Beta: profit up", "No comment.")


def test_a_text_without_words_has_no_hash() -> None:
    assert [text_hash("A title", text) for text in ("", " \n", "– … –", "(Reuters) - ")] == [""] * 4
