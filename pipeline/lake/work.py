"""What is left to do, and what is known already: the questions a stage asks the lake. Reads only.

Nothing here filters by time: a stage builds on whatever has been committed, `available_at` is for those who ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from pipeline.lake.literal import quoted
from schemas.article import Article
from schemas.columns import UTC_MICROS, from_arrow
from schemas.feed import Entry, KeyBasis, Visit
from schemas.web import HostSeen, RobotsSeen


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry revision that is to be read, the number of this attempt, and what its page sent when it was read before."""

    entry: Entry
    attempt: int
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Untagged:
    """An article version that no tagger has read, the batch it came with, and from when it could be read in the lake."""

    article: Article
    batch_id: str
    news_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of a stage's work waits, and since when the oldest of it does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LastRevision:
    """The last revision of an entry, what it says, and the how-manieth it is."""

    revision: str
    wording: str
    seen_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class FirstText:
    """The first article version that had a text, and the story it belongs to."""

    version_id: str
    article_id: str
    seen_at: datetime
    story_id: str


def last_visits(con: duckdb.DuckDBPyConnection) -> dict[str, Visit]:
    """The last visit to each feed, by feed_id."""
    return {v.feed_id: v for v in from_arrow(con.sql("FROM feeds").to_arrow_table(), Visit)}


def last_revisions(con: duckdb.DuckDBPyConnection, entry_ids: list[str]) -> dict[str, LastRevision]:
    """The last revision of each of these entries that the lake has.

    Mostly the snapshot of the last closed day and what came since know them; the days before are searched for the others alone.
    """
    found = _revisions(con, entry_ids, _KNOWN_SINCE)
    return found | _revisions(con, sorted(set(entry_ids) - found.keys()), _KNOWN_EVER)


def _revisions(con: duckdb.DuckDBPyConnection, entry_ids: list[str], rows: str) -> dict[str, LastRevision]:
    query = f"""
        SELECT entry_id, arg_max(revision, k) AS revision, arg_max(wording, k) AS wording,
               max(seen_at) AS seen_at, max(number) AS number
        FROM (SELECT *, (seen_at, number, revision) AS k FROM ({rows}) SEMI JOIN asked USING (entry_id))
        GROUP BY entry_id
    """
    found = _ask(con, query, entry_id=entry_ids).to_pylist() if entry_ids else []
    return {row.pop("entry_id"): LastRevision(**row) for row in found}


_KNOWN_EVER = "SELECT entry_id, revision, wording, seen_at, coalesce(number, 1) AS number FROM lake.entries"
_KNOWN_SINCE = f"""
{_KNOWN_EVER} WHERE date > (SELECT coalesce(max(date), DATE '1970-01-01') FROM lake.feed_state)
UNION ALL BY NAME
SELECT known.* FROM (SELECT unnest(known) AS known FROM lake.feed_state)
"""


def look_alikes(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry], times: Sequence[datetime | None]) -> list[Entry]:
    """What the lake has of the same feeds with the title of one of these entries, its time, or the link that it goes by.

    Any revision, without its text, of the last 90 days and from the oldest of their dates on: a date may have changed, too.
    """
    oldest = min(min(e.seen_at - _LOOK_BACK, (e.published_at or e.seen_at) - timedelta(days=7)) for e in entries)
    asked = {
        "feed_id": pa.array([e.feed_id for e in entries], pa.string()),
        "title": pa.array([e.title or None for e in entries], pa.string()),
        "time": pa.array(times, UTC_MICROS),
        "url": pa.array([e.url if e.key_basis == KeyBasis.LINK else None for e in entries], pa.string()),
    }
    con.register("asked", pa.table(asked))
    feeds = ", ".join(quoted(feed) for feed in sorted({e.feed_id for e in entries}))
    rows = con.sql(
        f"""
        SELECT {", ".join(f.name for f in fields(Entry) if f.name not in _WORDS)} FROM lake.entries
        WHERE date >= DATE '{oldest.date()}' AND feed_id IN ({feeds})
          AND ((feed_id, title) IN (SELECT feed_id, title FROM asked WHERE title IS NOT NULL)
              OR (feed_id, published_at) IN (SELECT feed_id, "time" FROM asked WHERE "time" IS NOT NULL)
              OR (feed_id, url) IN (SELECT feed_id, url FROM asked WHERE url IS NOT NULL))
        """
    ).to_arrow_table()
    return from_arrow(rows, Entry)


_WORDS = ("summary", "content_html", "authors")
_LOOK_BACK = timedelta(days=90)


def known_visits(con: duckdb.DuckDBPyConnection, visit_ids: list[str], since: date) -> set[str]:
    """Which of these visits, made in batches of this day or later, the lake has."""
    query = f"SELECT DISTINCT visit_id FROM lake.visits SEMI JOIN asked USING (visit_id) WHERE date >= DATE '{since}'"
    return set(_ask(con, query, visit_id=visit_ids)["visit_id"].to_pylist())


def known_pages(con: duckdb.DuckDBPyConnection, page_ids: list[str], since: date) -> set[str]:
    """Which of these fetches, made in batches of this day or later, the lake has."""
    query = f"SELECT DISTINCT page_id FROM lake.pages SEMI JOIN asked USING (page_id) WHERE date >= DATE '{since}'"
    return set(_ask(con, query, page_id=page_ids)["page_id"].to_pylist())


def tagged_versions(con: duckdb.DuckDBPyConnection, version_ids: list[str]) -> set[str]:
    """Which of these article versions have been tagged."""
    query = "SELECT DISTINCT version_id FROM lake.taggings SEMI JOIN asked USING (version_id)"
    return set(_ask(con, query, version_id=version_ids)["version_id"].to_pylist())


#: What is known of a host longer ago than this says nothing: waits and robots.txt are kept for a day at most.
HOSTS_KNOWN_FOR = timedelta(days=3)


def hosts_seen(con: duckdb.DuckDBPyConnection, hosts: list[str], now: datetime) -> list[HostSeen]:
    """How these hosts stood when they were last asked, and all others that are not to be asked yet."""
    query = f"""
        SELECT host, max(asked_at) AS asked_at, arg_max(requests, k) AS requests, arg_max(pause_s, k) AS pause_s,
               max(closed_until) AS closed_until,
               arg_max(feeds_refused, k) AS feeds_refused, max(feeds_closed_until) AS feeds_closed_until,
               arg_max(pages_refused, k) AS pages_refused, max(pages_closed_until) AS pages_closed_until
        FROM (SELECT *, (available_at, asked_at) AS k FROM lake.hosts_from(DATE '{(now - HOSTS_KNOWN_FOR).date()}'))
        WHERE host IN (SELECT host FROM asked)
           OR greatest(closed_until, feeds_closed_until, pages_closed_until) > TIMESTAMPTZ '{now.isoformat()}'
        GROUP BY host
    """
    return from_arrow(_ask(con, query, host=hosts), HostSeen)


def robots_seen(con: duckdb.DuckDBPyConnection, hosts: list[str], now: datetime) -> list[RobotsSeen]:
    """The robots.txt of these hosts as last read, also where they are to be read again."""
    query = f"""
        SELECT * FROM lake.robots SEMI JOIN asked USING (host) WHERE date >= DATE '{(now - HOSTS_KNOWN_FOR).date()}'
        QUALIFY row_number() OVER (PARTITION BY origin ORDER BY read_at DESC) = 1
    """
    return from_arrow(_ask(con, query, host=hosts), RobotsSeen)


def readable_from(con: duckdb.DuckDBPyConnection, entry_ids: list[str]) -> datetime | None:
    """From when all of these entries could be read."""
    query = "SELECT max(available_at) AS at FROM lake.entries SEMI JOIN asked USING (entry_id)"
    return max((row["at"] for row in _ask(con, query, entry_id=entry_ids).to_pylist()), default=None)


_DUE = """
    SELECT e.entry_id, e.revision, coalesce(o.attempt, 0) + 1 AS next_attempt, coalesce(o.due_at, e.available_at) AS due_since
    FROM (SELECT entry_id, revision, available_at FROM lake.entries WHERE date >= lake.open_from()) e
    LEFT JOIN (
        SELECT entry_id, revision, max(attempt) AS attempt, arg_max(final, attempt) AS final,
               arg_max(due_at, attempt) AS due_at
        FROM lake.outcomes WHERE date >= lake.open_from() - 1 GROUP BY ALL
    ) o USING (entry_id, revision)
    WHERE o.entry_id IS NULL OR (NOT o.final AND o.due_at <= $now)
"""
_UNTAGGED = """
    SELECT version_id, available_at
    FROM (SELECT version_id, article_id, available_at FROM lake.articles WHERE date >= lake.open_from())
    ANTI JOIN (SELECT version_id FROM lake.taggings WHERE date >= lake.open_from() - 1) USING (version_id)
    WHERE article_id NOT IN (SELECT id FROM lake.forgotten)
"""


def due_entries(con: duckdb.DuckDBPyConnection, now: datetime) -> list[DueEntry]:
    """Every entry revision without an outcome, or with one that is due again by now; in order of arrival."""
    # the ids first: the wide columns are then read for what is due alone
    rows = con.sql(
        f"""
        WITH due AS MATERIALIZED ({_DUE})
        SELECT e.*, due.next_attempt FROM lake.entries e JOIN due USING (entry_id, revision) WHERE e.date >= lake.open_from()
        ORDER BY e.seen_at, e.feed_id, e.position, e.entry_id
        """,
        params={"now": now},
    ).to_arrow_table()
    return [DueEntry(e, n) for e, n in zip(from_arrow(rows, Entry), rows["next_attempt"].to_pylist(), strict=True)]


def waiting(con: duckdb.DuckDBPyConnection, stage: str, now: datetime) -> Waiting:
    """How much there is for the stage read or tag to do, and since when the oldest of it waits."""
    query = f"SELECT count(*), min(due_since) FROM ({_DUE})"
    if stage == "tag":
        query = f"SELECT count(*), min(available_at) FROM ({_UNTAGGED})"
    (row,) = con.execute(query, {"now": now} if stage == "read" else {}).fetchall()
    return Waiting(*row)


def entries_by_id(con: duckdb.DuckDBPyConnection, ids: list[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
    """The entries of these (entry_id, revision); days on which nothing is left to do are searched for those not found since."""
    found: dict[tuple[str, str], Entry] = {}
    for days in ("date >= lake.open_from()", "date < lake.open_from()"):
        if asked := [key for key in ids if key not in found]:
            query = f"SELECT * FROM lake.entries SEMI JOIN asked USING (entry_id, revision) WHERE {days}"
            rows = _ask(con, query, entry_id=[i for i, _ in asked], revision=[r for _, r in asked])
            found |= {(e.entry_id, e.revision): e for e in from_arrow(rows, Entry)}
    return found


def last_attempts(con: duckdb.DuckDBPyConnection, entry_ids: list[str]) -> dict[tuple[str, str], int]:
    """Of these entries, per (entry_id, revision), the number of the last attempt."""
    query = "SELECT entry_id, revision, max(attempt) AS last FROM lake.outcomes SEMI JOIN asked USING (entry_id) GROUP BY ALL"
    return {(row["entry_id"], row["revision"]): row["last"] for row in _ask(con, query, entry_id=entry_ids).to_pylist()}


def deferrals(con: duckdb.DuckDBPyConnection, entry_ids: list[str]) -> dict[tuple[str, str], int]:
    """Of these entries, per (entry_id, revision), at how many attempts nothing was sent, as the host wanted to be left alone."""
    query = """
        SELECT entry_id, revision, count(*) AS n FROM lake.outcomes SEMI JOIN asked USING (entry_id)
        WHERE code = 'deferred' GROUP BY ALL
    """
    return {(row["entry_id"], row["revision"]): row["n"] for row in _ask(con, query, entry_id=entry_ids).to_pylist()}


def known_keys(con: duckdb.DuckDBPyConnection, keys: list[str]) -> dict[str, str]:
    """The article each of these URL keys leads to: the first it was given to."""
    query = """
        SELECT key, arg_min(article_id, (available_at, batch_id)) AS article_id
        FROM lake.article_keys SEMI JOIN asked USING (key) GROUP BY key
    """
    return {row["key"]: row["article_id"] for row in _ask(con, query, key=keys).to_pylist()}


def current_versions(con: duckdb.DuckDBPyConnection, article_ids: list[str]) -> dict[str, Article]:
    """The last version of each of these articles."""
    # their days first: the text of other days is then never read
    found = _ask(con, "SELECT version_id, date FROM articles SEMI JOIN asked USING (article_id)", article_id=article_ids)
    if not found.num_rows:
        return {}
    days = ", ".join(f"DATE '{day}'" for day in sorted(set(found["date"].to_pylist())))
    query = f"SELECT * FROM articles SEMI JOIN asked USING (version_id) WHERE date IN ({days})"
    return {a.article_id: a for a in from_arrow(_ask(con, query, version_id=found["version_id"].to_pylist()), Article)}


def first_with_text(con: duckdb.DuckDBPyConnection, hashes: list[str]) -> dict[str, FirstText]:
    """For each of these text hashes the first version that had that text."""
    query = """
        SELECT a.text_hash, a.version_id, a.article_id, a.seen_at, coalesce(r.story_id, a.article_id) AS story_id
        FROM lake.articles a SEMI JOIN asked USING (text_hash)
        LEFT JOIN lake.relations r USING (version_id)
        WHERE a.version_id NOT IN (SELECT id FROM lake.superseded) AND a.article_id NOT IN (SELECT id FROM lake.forgotten)
        QUALIFY row_number() OVER (PARTITION BY a.text_hash ORDER BY a.available_at, a.seen_at, a.version_id) = 1
    """
    return {row.pop("text_hash"): FirstText(**row) for row in _ask(con, query, text_hash=hashes).to_pylist()}


def untagged(con: duckdb.DuckDBPyConnection) -> list[Untagged]:
    """Every article version that no tagger has read yet, oldest first."""
    rows = con.sql(
        f"""
        WITH waiting AS MATERIALIZED (SELECT version_id FROM ({_UNTAGGED}))
        SELECT a.* FROM lake.articles a JOIN waiting USING (version_id) WHERE a.date >= lake.open_from()
        ORDER BY a.available_at, a.seen_at, version_id
        """
    ).to_arrow_table()
    found = zip(from_arrow(rows, Article), rows["batch_id"].to_pylist(), rows["available_at"].to_pylist(), strict=True)
    return [Untagged(article, batch_id, available_at) for article, batch_id, available_at in found]


def known_companies(con: duckdb.DuckDBPyConnection, company_ids: list[str]) -> dict[str, str]:
    """The record_id under which the lake knows each of these companies now."""
    rows = _ask(con, "SELECT company_id, record_id FROM companies SEMI JOIN asked USING (company_id)", company_id=company_ids)
    return {row["company_id"]: row["record_id"] for row in rows.to_pylist()}


def _ask(con: duckdb.DuckDBPyConnection, query: str, **asked: list[str]) -> pa.Table:
    """Runs a query that joins the table `asked`, made of these columns of strings; for no rows of it, there are no rows."""
    table = pa.table({name: pa.array(values, pa.string()) for name, values in asked.items()})
    if not table.num_rows:
        return table
    con.register("asked", table)
    return con.sql(query).to_arrow_table()
