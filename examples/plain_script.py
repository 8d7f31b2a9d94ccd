"""What could be known of companies at a moment, as a CSV, with nothing but DuckDB: no Newsmill is needed to ask a lake.

    python examples/plain_script.py run/wire/lake/news.duckdb 2026-11-25T09:00:00Z known.csv

A lake that was copied or moved needs `newsmill lake open` once, as news.duckdb holds absolute paths.
"""

import sys
from datetime import datetime

import duckdb

KNOWN = """
SELECT c.name, count(DISTINCT a.story_id) AS stories, round(avg(s.score), 3) AS mood, max(a.seen_at) AS newest,
       arg_max(a.title, a.seen_at) AS newest_title
FROM sentiments_as_of($moment) s
JOIN articles_as_of($moment) a USING (version_id)
JOIN companies_as_of($moment) c USING (company_id)
GROUP BY ALL ORDER BY stories DESC, c.name
"""


def main(news: str, moment: str, csv: str) -> None:
    with duckdb.connect(news, read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        known = con.sql(KNOWN, params={"moment": datetime.fromisoformat(moment)})
        known.write_csv(csv)
        print(f"{len(known)} companies were in the news by {moment}; written to {csv}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
