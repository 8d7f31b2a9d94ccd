"""Whose date counts: the feed's, the page's, or none."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.run.published import published_at
from schemas.article import Reading
from schemas.feed import DateQuality, Entry, KeyBasis

FETCHED = datetime(2026, 11, 23, 14, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = datetime(2026, 11, 23, tzinfo=UTC)


def entry(at: datetime | None, quality: DateQuality = DateQuality.EXACT) -> Entry:
    given = {"entry_id": "e", "revision": "r", "wording": "w", "feed_id": "f", "source": "s", "visit_id": "v", "key": "k"}
    return Entry(**given, seen_at=FETCHED, position=0, key_basis=KeyBasis.LINK, title="T", published_at=at, date_quality=quality)


def page(at: datetime | None, precision: str = "second") -> Reading:
    return Reading(title="T", text="t", published_at=at, published_precision=precision if at else None, published_basis="meta")


@pytest.mark.parametrize(
    ("of_feed", "on_page", "expected"),
    [
        (entry(None), page(MORNING), (MORNING, "second", "meta")),
        (entry(MORNING), page(DAY, "day"), (MORNING, "second", "feed")),
        (entry(MORNING), page(DAY - timedelta(days=9), "day"), (DAY - timedelta(days=9), "day", "meta")),
        (entry(DAY, DateQuality.DAY), page(None), (DAY, "day", "feed")),
        (entry(None, DateQuality.IMPLAUSIBLE), page(FETCHED + timedelta(days=3)), (None, None, None)),
        (entry(MORNING), page(FETCHED + timedelta(hours=25)), (MORNING, "second", "feed")),
        (entry(None), page(FETCHED + timedelta(hours=23)), (FETCHED + timedelta(hours=23), "second", "meta")),
    ],
)
def test_whose_date_counts(of_feed: Entry, on_page: Reading, expected: tuple[datetime | None, str | None, str | None]) -> None:
    assert published_at(of_feed, on_page, FETCHED) == expected
