"""How many of a feed's entries the lake has already, and from which feeds. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

#: A shorter title ("Update", "Adhoc") can stand over anything.
TELLING_TITLE = 20

_FOUND = """
WITH found AS (
    SELECT a.number, o.feed_id
    FROM asked a JOIN lake.article_keys k USING (key) JOIN lake.outcomes o USING (article_id) WHERE o.kept
    UNION
    SELECT a.number, e.feed_id FROM asked a JOIN lake.entries e ON e.date >= $since AND length(a.title) >= $telling
     AND lower(trim(regexp_replace(e.title, '\\s+', ' ', 'g'))) = a.title
)
SELECT feed_id, list(DISTINCT number) AS numbers FROM found WHERE feed_id NOT IN $own GROUP BY ALL
ORDER BY len(numbers) DESC, feed_id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Of how many entries the lake has the news, and how many of them each feed brought, that with most first."""

    entries: int
    feeds: dict[str, int]


def known_entries(con: duckdb.DuckDBPyConnection, entries: Sequence[tuple[str, str]], own: set[str], since: date) -> Known:
    """What the lake has of entries, given as (URL key or "", title): by the key, or by the title since a day.

    `own` are the feed_ids of the very feed, which tell of no overlap.
    """
    titles = [" ".join(title.split()).lower() for _, title in entries]
    columns = {"number": pa.array(range(len(entries)), pa.int64()), "title": pa.array(titles, pa.string())}
    con.register("asked", pa.table(columns | {"key": pa.array([key or None for key, _ in entries], pa.string())}))
    asked = {"since": since, "telling": TELLING_TITLE, "own": sorted(own) or [""]}
    found = {feed: set(numbers) for feed, numbers in con.sql(_FOUND, params=asked).fetchall()}
    return Known(len(set().union(*found.values())), {feed: len(numbers) for feed, numbers in found.items()})
