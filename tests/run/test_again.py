"""What a page that is read again may say without having changed, and what says that the article is lost."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.dedupe import text_hash
from pipeline.run.again import is_a_time, lost, says_the_same
from schemas.article import Access, Article

TEXT = "Die Aktie von SAP fiel nach den Quartalszahlen um vier Prozent, teilte die Börse mit.\nDer Umsatz stieg um 3 Prozent."
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def article(text: str = TEXT, title: str = "SAP fällt", url: str = "https://a.example/sap", **more: Any) -> Article:
    ids = dict.fromkeys(("article_id", "version_id", "entry_id", "revision", "feed_id", "source", "extractor"), "x")
    return Article(**ids, title=title, text=text, url=url, seen_at=AT, text_hash=text_hash(title, text), **more)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Updated: Nov 25, 2026, 2:05 p.m. ET", True), ("Stand: 25.11.2026, 14:05 Uhr", True), ("vor 3 Stunden", True),
        ("Last updated 2026-11-25T14:05:00Z", True), ("Zuletzt aktualisiert am Mittwoch, 25. November 2026", True),
        ("2 hours ago", True), ("12,5 13,1 14,0", False), ("2026", False), ("Umsatz 2026: 12.50", False), ("May", False),
        ("Der Kurs am 25.11.2026", False),
        ("SAP 14:05 +3,1 %", False), ("1" * 79 + "x", False), ("9:00 " + "1" * 74 + "x", False),
    ],
)  # fmt: skip
def test_a_line_that_says_a_time_alone(line: str, says: bool) -> None:
    assert is_a_time(line) is says


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (article(), True), (article(TEXT.replace(", ", " – ")), True), (article(f"{TEXT}\nStand: 25.11.2026, 14:05 Uhr"), True),
        (article(title="SAP steigt"), False), (article(TEXT.replace("vier", "fünf")), False),
        (article(TEXT.replace("um 3", "um -3")), False), (article(f"{TEXT}\nKorrektur: fünf Prozent."), False),
    ],
)  # fmt: skip
def test_a_change_is_one_of_words(now: Article, same: bool) -> None:
    assert says_the_same(article(f"Stand: 25.11.2026, 9:00 Uhr\n{TEXT}"), now) is same


@pytest.mark.parametrize(
    ("now", "how"),
    [
        (article(), None), (article("Dieser Artikel wurde zurückgezogen."), None), (article(f"{TEXT} Mehr."), None),
        (article(title="SAP fällt weiter"), None), (article(url="https://a.example/sap-neu"), None),
        (article("Die Aktie von SAP fiel …"), "only the beginning is shown now"),
        (article(f"{TEXT} Mehr.", access=Access.TEASER), "only a teaser is shown now"),
        (article(title="Nachrichten", url="https://a.example/"), "leads to another page now: https://a.example/"),
    ],
)  # fmt: skip
def test_a_page_that_shows_the_article_no_more(now: Article, how: str | None) -> None:
    found = lost(article(), now)
    assert (found[1] if found else None) == how
