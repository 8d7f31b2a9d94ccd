"""What is too long in a feed is cut and said, and stops nothing."""

from pipeline.parse.caps import capped
from schemas.feed import KeyBasis, ParsedEntry, ParsedFeed
from tests.parse.test_feed import feed_of, rss


def entry(**more: object) -> ParsedEntry:
    return ParsedEntry(**{"key": "k", "key_basis": KeyBasis.GUID, "title": "T"} | more)  # type: ignore[arg-type]


def test_what_is_as_long_as_it_may_be_stays_as_it_is() -> None:
    full = entry(
        key="k" * 4096, title="t" * 1000, summary="s" * 50_000, raw_url="u" * 4096, published_raw="d" * 200,
        authors=tuple("a" * 199 + chr(97 + n % 26) for n in range(26)), keywords=tuple(f"{n:0200}" for n in range(100)),
    )  # fmt: skip
    feed = ParsedFeed(version="rss20", title="F" * 1000, entries=(full,), problem="malformed")
    assert capped(feed) is feed


def test_what_is_longer_is_cut_and_counted() -> None:
    long = entry(
        key="k" * 4097, title="t" * 1001, summary="s" * 50_001, raw_url="u" * 5000,
        published_raw="d" * 201, content_html="c" * 9999,
        authors=("a" * 201, "a" * 202, "b"), keywords=tuple(map(str, range(101))),
    )  # fmt: skip
    feed = capped(ParsedFeed(version="rss20", title="F" * 1001, entries=(long, entry(), entry(title="t" * 9999)), problem="bad"))
    assert feed.title == "F" * 1000
    assert feed.problem == (
        "bad; too long, cut: authors of 1, key of 1, keywords of 1, published_raw of 1, raw_url of 1, summary of 1, title of 2 "
        "entries; title of the feed cut"
    )
    cut, plain, other = feed.entries
    assert (plain, other) == (entry(), entry(title="t" * 1000))
    assert cut == entry(
        key=cut.key, title="t" * 1000, summary="s" * 50_000, raw_url="u" * 4096,
        published_raw="d" * 200, content_html="c" * 9999,
        authors=("a" * 200, "b"), keywords=tuple(map(str, range(100))),
    )  # fmt: skip
    other_key = capped(ParsedFeed(version="", entries=(entry(key="k" * 5000),))).entries[0].key
    assert len(cut.key) == len(other_key) == 40 and cut.key != other_key


def test_enormous_marks_in_a_document_cost_their_entry_its_length_alone() -> None:
    item = "<guid>{0}{1}</guid><title>{0}</title><link>https://a.example/{0}</link><description>{0} {0}</description>"
    feed = feed_of(rss(*(item.format("x" * 60_000, n) for n in (1, 2)), item.format("y", 3)))
    assert [(len(e.key), len(e.title), e.url, len(e.summary or "")) for e in feed.entries] == [
        (40, 1000, None, 50_000), (40, 1000, None, 50_000), (2, 1, "https://a.example/y", 3),
    ]  # fmt: skip
    assert feed.entries[0].key != feed.entries[1].key
    assert feed.problem == "too long, cut: key of 2, raw_url of 2, summary of 2, title of 2 entries"
