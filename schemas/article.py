"""Articles: what was read, under which keys, and how one relates to another."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.columns import col


class Access(StrEnum):
    FREE = "free"
    TEASER = "teaser"  # a paywall left the beginning only
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One line of the text: text[start:end]."""

    kind: str = col("heading, paragraph, list_item, table_row, caption or quote")
    start: int = col("offset of the first character in text")
    end: int = col("offset after the last character in text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promo:
    """One piece that was taken out of the text."""

    kind: str = col("promotion, related, newsletter, disclaimer, credit, consent or comment")
    text: str = col("the words taken out")
    at: int = col("offset in text where it stood")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why a page gave no article: a value of schemas.outcome.OutcomeCode, and words."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A page as read. Text is NFC; title and promotion are not part of it."""

    title: str
    text: str
    blocks: tuple[Block, ...] = ()
    promo: tuple[Promo, ...] = ()
    published_at: datetime | None = None
    published_precision: str | None = None
    published_basis: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    canonical_url: str | None = None
    access: Access = Access.UNKNOWN
    genre: str | None = None
    opt_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One version of an article."""

    article_id: str = col("id of the article, derived from the first URL key it was seen under")
    version_id: str = col("id of this version: the article and the visit that first showed it")
    entry_id: str = col("the feed entry that led to it")
    revision: str = col("the entry's revision")
    feed_id: str = col("the feed that carried it")
    source: str = col("the publisher, as named in the catalogue")
    host: str | None = col("host of the page", default=None)
    url: str | None = col("address of the page, after redirects", default=None)
    canonical_url: str | None = col("address the page claims for itself", default=None)
    title: str = col("headline")
    text: str = col("the article without title and promotion, its lines joined by one newline")
    blocks: tuple[Block, ...] = col("what kind each line of text is", default=())
    promo: tuple[Promo, ...] = col("what was taken out, with its kind and place", default=())
    promo_share: float = col("characters taken out as promotion, over all characters", default=0.0)
    language: str | None = col("language of the text, two letters", default=None)
    authors: tuple[str, ...] = col("authors", default=())
    published_at: datetime | None = col("when the publisher says it was published; never decides what counts", default=None)
    published_precision: str | None = col("second, minute or day", default=None)
    published_basis: str | None = col("where published_at was found: json-ld, meta, page or feed", default=None)
    seen_at: datetime = col("when a feed first showed this revision to us; where its page alone was changed, when that was read")
    access: Access = col("free, teaser or unknown", default=Access.UNKNOWN)
    genre: str | None = col("promotion where the article is recognised as one, its mentions then count for nothing", default=None)
    change_type: str = col("new, or revised for a later version of a known article", default="new")
    text_hash: str = col("hash of the normalised text: equal in exact copies")
    body_sha256: str | None = col("the bytes it was read from, the key into bodies", default=None)
    extractor: str = col("name and version of what read the page")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleKey:
    """One key under which an article is known."""

    key: str = col("normalised URL, or the id of an entry that led to it")
    article_id: str = col("the article")
    basis: str = col("where the key came from: link, entry, final or canonical")
    rule: str = col("version of the rules that made the key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How one article version relates to an earlier one."""

    version_id: str = col("the later version")
    article_id: str = col("its article")
    other_version_id: str = col("the earlier version")
    other_article_id: str = col("its article")
    kind: str = col("duplicate_of or update_of")
    method: str = col("how it was found, with version")
    containment: float = col("share of the smaller text's shingles that both have; 1 for exact copies")
    lag_s: float = col("seconds from the earlier version's first sight to the later's")
    story_id: str = col("the story both belong to: the article_id of its first article")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at one revision of an entry, before the batch decides what it adds to the lake.

    `code` says how far it came: a value of schemas.outcome.OutcomeCode; or null where the page was read (`article` holds
    it under provisional ids, `shown_by` is the visit that showed it), or where another entry of the batch leads to the same
    address (`article` is null then).
    """

    entry_id: str
    revision: str
    feed_id: str
    source: str
    attempt: int
    seen_at: datetime
    position: int
    title: str
    url: str | None = None
    link_key: str
    final_key: str | None = None
    canonical_key: str | None = None
    code: str | None = None
    article_id: str | None = None
    detail: str | None = None
    retry_after_s: float | None = None
    ended_at: datetime
    shown_by: str | None = None
    article: Article | None = None
