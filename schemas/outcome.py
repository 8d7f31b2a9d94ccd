"""The ledger: how every attempt at an entry ended, and what is no longer the last word."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.columns import col


class OutcomeCode(StrEnum):
    """How one attempt at one revision of an entry ended."""

    ARTICLE = "article"  # read; a new article or a new version of one
    COPY = "copy"  # read; the same text as an article known before, kept and related to it
    KNOWN_ARTICLE = "known_article"  # its address leads to an article that the lake has already
    UNCHANGED = "unchanged"  # a later revision of the entry, or a page read again, that says the same as before
    NO_LINK = "no_link"  # neither a usable link nor content of its own
    DISALLOWED = "disallowed"  # robots.txt says no
    GONE = "gone"  # 404 or 410
    REFUSED = "refused"  # 401, 403, 451; due again
    CHALLENGE = "challenge"  # a wall that wants to see a browser; due again
    CONSENT = "consent"  # a page that asks for consent; due again
    LOGIN = "login"  # a page that asks to log in; due again
    FORBIDDEN_ADDRESS = "forbidden_address"  # leads to an address that no public server has
    NOT_HTML = "not_html"  # a PDF, an image, a video
    NO_TEXT = "no_text"  # a page without an article on it
    TOO_LARGE = "too_large"
    REDIRECT_LOOP = "redirect_loop"
    UNREADABLE = "unreadable"  # the extractor failed, or was killed at its limit
    UNREACHABLE = "unreachable"  # no answer; due again
    HTTP_ERROR = "http_error"  # 429, 5xx and the like; due again
    DEFERRED = "deferred"  # not asked, as its host wants to be left alone; due when that is over, and no attempt of the six
    GIVEN_UP = "given_up"  # was due again too often
    FORGOTTEN = "forgotten"  # its article, or its source, was taken down


#: Outcomes after which the lake holds the news; all others are drops, with a reason.
KEPT = frozenset({OutcomeCode.ARTICLE, OutcomeCode.COPY, OutcomeCode.KNOWN_ARTICLE, OutcomeCode.UNCHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one attempt at one revision of an entry."""

    entry_id: str = col("the entry")
    revision: str = col("its revision")
    feed_id: str = col("the feed that carried it")
    source: str = col("the publisher, as named in the catalogue")
    attempt: int = col("1 for the first attempt at this revision")
    code: OutcomeCode = col("how it ended: a value of schemas.outcome.OutcomeCode")
    kept: bool = col("the lake holds the news; false is a drop")
    final: bool = col("nothing more will be tried")
    due_at: datetime | None = col("when it will be tried again, where not final", default=None)
    article_id: str | None = col("the article it led to", default=None)
    version_id: str | None = col("the article version it led to", default=None)
    title: str = col("headline as the feed gave it")
    url: str | None = col("link as the feed gave it, resolved", default=None)
    detail: str | None = col("the reason in words", default=None)
    ended_at: datetime = col("when the attempt ended")
    reread: bool = col(
        "the page of a young article was read again: whatever its code, the news is kept; an earlier attempt ended the entry",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """One thing that a shard found to do, noted before it began: what the batch's account is checked against.

    `id` is the visit's, the version's, or that of an attempt at a revision of an entry; `name` is for people.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """Something that is no longer the last word."""

    what: str = col("version or tagging")
    id: str = col("its id")
    replaced_by: str = col("the id of what replaces it")
    why: str = col("revised or retagged")


@dataclass(frozen=True, slots=True, kw_only=True)
class LateCommit:
    """A batch that became readable after the time it was stamped with; `readable_at` counts instead of available_at."""

    late_batch_id: str = col("the batch")
    late_stage: str = col("its stage")
    stamped_at: datetime = col("the available_at its rows carry")
    readable_at: datetime = col("a time at which it was readable for certain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """A tombstone: something that was taken down, is in no view any more, and does not come back."""

    what: str = col(
        "article, entry, source; by their hash: key (an address), place (one that may be shared), words (title or text)"
    )
    id: str = col("its id")
    why: str = col("the reason given")
