"""When an article appeared by its publisher's account, from what its feed and its page say of that. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from schemas.article import Reading
from schemas.feed import DateQuality, Entry

#: So far ahead of its fetch a page's date is believed: the furthest zone is 14 hours ahead, and some clocks are wrong.
AHEAD = timedelta(days=1)


def published_at(entry: Entry, read: Reading, at: datetime) -> tuple[datetime | None, str | None, str | None]:
    """When the publisher says it was published, how precisely, and where it says so: the page, unless the feed knows the time.

    A page of the time `at` that states a later day than any clock shows then is not believed, as the feed is not.
    """
    if read.published_at is not None and read.published_at > at + AHEAD:
        read = replace(read, published_at=None, published_precision=None, published_basis=None)
    on_page = read.published_at, read.published_precision, read.published_basis
    if entry.published_at is None:
        return on_page
    of_feed = entry.published_at, "day" if entry.date_quality == DateQuality.DAY else "second", "feed"
    if read.published_at is None:
        return of_feed
    same_day = abs(entry.published_at - read.published_at) <= timedelta(hours=36)
    return of_feed if read.published_precision == "day" and of_feed[1] == "second" and same_day else on_page
