"""Young articles whose page is to be read again: publishers correct pages without telling their feeds. Reads only.

A page is due at some ages of its article, a little later each, by an amount of its own, so that what came together does not
come together again. Any fetch counts, also one that a new revision of the entry led to, and ages that were missed count as one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from pipeline.lake.work import DueEntry, entries_by_id

#: So many pages of one host are read again in one batch at most, those of the youngest articles first.
MOST_A_HOST = 20
#: An age is put off by up to this share of itself.
JITTER = 0.2
#: What could not be read again for so long after its last age is left alone.
MADE_UP_FOR = timedelta(hours=24)

# An article counts from when its publisher says it appeared, where that was before its feed showed it to us: an old one is not
# young because we are new to its feed. Of a copy, of promotion, and of what was taken down, nothing is to be corrected. What
# other code read would look changed by that code.
_YOUNG = """
WITH entered AS MATERIALIZED (
    SELECT entry_id, arg_max(revision, (seen_at, coalesce(number, 1))) AS revision, min(seen_at) AS first_at
    FROM lake.entries WHERE date >= $since AND url IS NOT NULL
    GROUP BY entry_id HAVING bool_or(coalesce(number, 1) = 1) AND min(seen_at) > $oldest
),
ended AS (
    SELECT entry_id, revision, max(attempt) AS attempt, arg_max_null(if(final AND kept, article_id, NULL), attempt) AS article_id
    FROM lake.outcomes WHERE date >= $since GROUP BY ALL
),
fetched AS (
    SELECT p.entry_id, max(p.fetched_at) AS last_at,
           arg_max({'etag': p.etag, 'last_modified': p.last_modified}, p.fetched_at)
               FILTER (p.outcome = 'ok' AND o.code IN ('article', 'unchanged')) AS validators
    FROM lake.pages p JOIN lake.outcomes o USING (entry_id, revision, attempt)
    WHERE p.date >= $since AND o.date >= $since GROUP BY p.entry_id
),
young AS (
    SELECT e.entry_id, e.revision, d.attempt + 1 AS attempt, f.last_at, f.validators, a.host,
           least(e.first_at, a.published_at + if(a.published_precision = 'day', INTERVAL 1 DAY, INTERVAL 0 DAY)) AS born_at,
           1 + $jitter * (hash(e.entry_id) % 1000) / 1000 AS later
    FROM entered e JOIN ended d USING (entry_id, revision) JOIN fetched f USING (entry_id)
    JOIN articles a ON a.article_id = d.article_id AND a.entry_id = e.entry_id
    WHERE a.date >= $since AND a.duplicate_of IS NULL AND a.genre IS DISTINCT FROM 'promotion' AND a.extractor = $extractor
)
SELECT entry_id, revision, attempt, validators.etag AS etag, validators.last_modified AS last_modified
FROM young
WHERE len(list_filter($ages, lambda h: born_at + to_microseconds((3.6e9 * h * later)::BIGINT) BETWEEN last_at AND $now)) > 0
QUALIFY row_number() OVER (PARTITION BY host ORDER BY born_at DESC, entry_id) <= $most
ORDER BY born_at DESC, entry_id
"""


def due_rereads(con: duckdb.DuckDBPyConnection, now: datetime, ages_h: Sequence[float], extractor: str) -> list[DueEntry]:
    """The entries whose page is to be read again at `now`, those of the youngest articles first; `ages_h` are hours.

    Only what `extractor` read is: what it made of the page then can be compared with what it makes of it now.
    """
    if not ages_h:
        return []
    oldest = now - timedelta(hours=max(ages_h) * (1 + JITTER)) - MADE_UP_FOR
    asked = {"now": now, "oldest": oldest, "ages": list(ages_h), "extractor": extractor, "jitter": JITTER, "most": MOST_A_HOST}
    rows = con.sql(_YOUNG, params={**asked, "since": oldest.date() - timedelta(days=1)}).to_arrow_table().to_pylist()
    entries = entries_by_id(con, [(row["entry_id"], row["revision"]) for row in rows])
    return [DueEntry(entries[row.pop("entry_id"), row.pop("revision")], **row) for row in rows]


def read_before(con: duckdb.DuckDBPyConnection, entry_ids: list[str]) -> dict[tuple[str, str], str]:
    """Of these entries those (entry_id, revision) whose page was read before, with the article it led to."""
    if not entry_ids:
        return {}
    con.register("asked_again", pa.table({"entry_id": pa.array(entry_ids, pa.string())}))
    query = """
        SELECT entry_id, revision, arg_max(article_id, attempt) AS article_id
        FROM lake.outcomes SEMI JOIN asked_again USING (entry_id)
        WHERE final AND kept AND article_id IS NOT NULL GROUP BY ALL
    """
    return {(entry, revision): article for entry, revision, article in con.sql(query).fetchall()}
