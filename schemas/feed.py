"""Feeds: what the catalogue says, what a visit brought, what an entry says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.columns import col


class VisitCode(StrEnum):
    """How a visit to a feed ended."""

    PARSED = "parsed"  # 200, a feed, its entries taken
    UNCHANGED = "unchanged"  # 304, or the same bytes as last time
    NOT_A_FEED = "not_a_feed"  # 200, but no feed in it (HTML, a login wall, nothing)
    GONE = "gone"  # 410
    REFUSED = "refused"  # 401, 403, 451
    BUSY = "busy"  # 429, or 503 with Retry-After
    HTTP_ERROR = "http_error"  # any other status of 400 and above
    UNREACHABLE = "unreachable"  # no answer: DNS, connection, TLS, timeout
    TOO_LARGE = "too_large"  # over the byte cap once unpacked
    FORBIDDEN_ADDRESS = "forbidden_address"  # leads to an address that no public server has
    DISALLOWED = "disallowed"  # robots.txt
    CHALLENGE = "challenge"  # a wall that wants to see a browser
    CONSENT = "consent"  # a page that asks for consent
    LOGIN = "login"  # a page that asks to log in
    UNPARSABLE = "unparsable"  # the parser failed, or was killed at its limit
    DEFERRED = "deferred"  # not asked, as its host wants to be left alone; no failure


class KeyBasis(StrEnum):
    """What an entry is recognised by."""

    GUID = "guid"
    LINK = "link"
    LINK_DATE = "link+date"
    TITLE = "title"


class DateQuality(StrEnum):
    """How far an entry's date can be trusted."""

    EXACT = "exact"  # a time with an offset
    ASSUMED_ZONE = "assumed_zone"  # a time without an offset, read as the zone of the feed's language
    DAY = "day"  # a day only
    MISSING = "missing"
    UNREADABLE = "unreadable"  # there was text, but no date in it
    IMPLAUSIBLE = "implausible"  # a date before 1995 or more than two days ahead of the visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed of the catalogue."""

    feed_id: str
    url: str
    source: str
    language: str | None = None
    every_minutes: int | None = None  # None: by its own rhythm
    enabled: bool = True
    title: str | None = None
    group: str | None = None
    documented: str | None = None  # the page on which its publisher lists it
    local: bool = False  # its own ip:port may be visited although it is not on the public internet
    credentials: str | None = None  # the name under which the environment or Airflow keeps what it asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """One entry as the feed gives it, cleaned; times in UTC, text in NFC without markup."""

    key: str
    key_basis: KeyBasis
    title: str
    url: str | None = None
    raw_url: str | None = None
    summary: str | None = None
    content_html: str | None = None
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    published_raw: str | None = None
    published_at: datetime | None = None
    date_quality: DateQuality = DateQuality.MISSING
    updated_at: datetime | None = None
    source: str | None = None  # the publisher, where the document can speak for others than its feed
    language: str | None = None  # its own, where it names one
    whole: bool = False  # handed in with its article: nobody need be asked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document: its head and its entries in the order given."""

    version: str
    title: str | None = None
    language: str | None = None
    url: str | None = None
    ttl_minutes: int | None = None
    entries: tuple[ParsedEntry, ...] = ()
    dropped: int = 0  # entries over the cap
    problem: str | None = None  # what was malformed, where it could be read all the same
    hub: str | None = None  # where to ask for its news to be pushed (WebSub)
    topic: str | None = None  # under which address
    update_s: float | None = None  # sy:updatePeriod over sy:updateFrequency
    key_policy: KeyBasis | None = None  # the best its entries may be recognised by from now on, where one was given


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit to one feed."""

    visit_id: str = col("id of the visit, derived from batch and feed")
    feed_id: str = col("the feed, as named in the catalogue")
    source: str = col("the publisher, as named in the catalogue")
    url: str = col("address asked")
    final_url: str | None = col("address that answered, after redirects", default=None)
    redirects: tuple[str, ...] = col("addresses passed on the way, in order", default=())
    visited_at: datetime = col("when the request was sent")
    outcome: VisitCode = col("how the visit ended: a value of schemas.feed.VisitCode")
    status: int | None = col("HTTP status, null where no answer came", default=None)
    etag: str | None = col("well-formed ETag to send next time", default=None)
    last_modified: str | None = col("well-formed Last-Modified to send next time", default=None)
    body_sha256: str | None = col("SHA-256 of the unpacked body; the last known one where unchanged", default=None)
    body_bytes: int = col("size of the unpacked body in bytes", default=0)
    entries_seen: int = col("entries in the feed: the sum of the six that follow", default=0)
    entries_new: int = col("entries new or changed since the lake last saw them", default=0)
    entries_known: int = col("entries the lake had in this wording, or in a later one", default=0)
    entries_repeated: int = col("entries that repeat the key of another one in the feed, left out", default=0)
    entries_dropped: int = col("entries over the item cap, not taken", default=0)
    entries_endless: int = col("entries that have changed so often that their changes are taken no more", default=0)
    entries_absorbed: int = col("entries the lake had under another key, taken for what they are", default=0)
    key_policy: KeyBasis | None = col("the best its entries may be recognised by; it degrades and never recovers", default=None)
    failures: int = col("visits in a row that brought nothing usable, this one included", default=0)
    failure_grade: float = col("these failures weighed: gone or no feed 1, other answers 0.5, no answer 0.25", default=0.0)
    rhythm_s: float | None = col("seconds between new entries as usual for the feed, null where not known yet", default=None)
    verified_at: datetime | None = col("when it was last read without conditions, which can lie", default=None)
    moved_to: str | None = col("where permanent redirects have led at every visit since moved_since", default=None)
    moved_since: datetime | None = col("since when", default=None)
    moved_visits: int = col("and at how many visits", default=0)
    retry_after_s: float | None = col("seconds the server asked to wait", default=None)
    next_due_at: datetime = col("when the feed is due again")
    due_rule: str = col("the rule that set next_due_at")
    detail: str | None = col("what went wrong or was malformed, in words", default=None)
    hub: str | None = col("the WebSub hub that pushes its news, as its document or server names it", default=None)
    topic: str | None = col("the address under which that hub knows it", default=None)
    failing_since: datetime | None = col("when the first of the failures in a row was, null where there are none", default=None)
    pace: tuple[float, ...] = col(
        "new entries an hour, as usual in each four hours UTC of a working day (6) and of a day at the weekend (6)", default=()
    )
    span_s: float | None = col("seconds in which its document was replaced at the fastest, slowly forgotten", default=None)
    wish_s: float | None = col("seconds between visits that the feed wishes for by ttl or sy:updatePeriod", default=None)
    trusted_since: datetime | None = col(
        "since when its validators tell what is new, null where not seen yet; where a 304 hid entries: until when none are sent",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """An entry of a visit that adds nothing to the lake: `why` is known, endless or absorbed."""

    entry_id: str
    visit_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One new or changed feed entry."""

    entry_id: str = col("id of the entry, derived from feed and key")
    revision: str = col("id of this revision: its wording and the revision before")
    number: int = col("1 for the first revision of the entry", default=1)
    wording: str = col("hash of title, summary, link and content: equal where they say the same")
    feed_id: str = col("the feed that carried it")
    source: str = col("the publisher, as named in the catalogue")
    visit_id: str = col("the visit that brought it")
    seen_at: datetime = col("when that visit was made")
    position: int = col("place in the feed, 0 is first")
    key: str = col("what the entry is recognised by within its feed")
    key_basis: KeyBasis = col("what the key is: guid, link, link+date or title")
    url: str | None = col("link, resolved, http or https", default=None)
    raw_url: str | None = col("link as written", default=None)
    title: str = col("headline without markup")
    summary: str | None = col("teaser without markup", default=None)
    content_html: str | None = col("whole content where the feed carries it, as HTML", default=None)
    authors: tuple[str, ...] = col("authors as the feed names them", default=())
    language: str | None = col("language the catalogue or the feed claims, two letters", default=None)
    published_raw: str | None = col("date as written", default=None)
    published_at: datetime | None = col("date as understood; claimed by the publisher, never used for storage", default=None)
    date_quality: DateQuality = col("how far published_at can be trusted", default=DateQuality.MISSING)
    whole: bool = col("whether it was handed in with its article, so that its page is not asked for", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """An entry as last seen: enough to tell whether it says something new."""

    entry_id: str = col("the entry")
    revision: str = col("its last revision")
    wording: str = col("hash of what that says")
    seen_at: datetime = col("when it was seen")
    number: int = col("revisions of the entry so far")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """One feed at the close of a day: what the next visits need to know of all the visits before."""

    feed_id: str = col("the feed, as named in the catalogue")
    last_visit: Visit = col("the last visit to it")
    document_entries: int = col("entries in its document when that was last parsed")
    known: tuple[KnownEntry, ...] = col(
        "the entries that changed last, newest first, twice as many as its document has", default=()
    )
