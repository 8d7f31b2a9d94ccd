-- How each feed is: its last visit, whether it is due, and what it brought in the last 28 days against its own usual.
-- column feed_id: the feed, as named in the catalogue
-- column source: the publisher, as named in the catalogue
-- column url: address asked
-- column visited_at: when it was last visited
-- column outcome: how that visit ended: a value of schemas.feed.VisitCode
-- column status: its HTTP status, null where no answer came
-- column detail: what went wrong or was malformed, in words
-- column failures: visits in a row that brought nothing usable, the last one included
-- column next_due_at: when the feed is due again
-- column overdue_since: since when it has been due; null where it is not
-- column last_new_at: when an entry, new or changed, was last seen in it
-- column visits: visits in the last 28 days
-- column failed: those of them that brought nothing usable
-- column entries_today: new entries in the last 24 hours
-- column entries_a_day_7: new entries a day in the last 7 days, or since its first visit where that was later
-- column entries_a_day_28: new entries a day in the last 28 days, or since its first visit where that was later
-- column articles: articles that came of entries in the last 28 days, copies included
-- column promotion_share: share of these articles that are promotion as a whole, 0 to 1
-- column ended: attempts at entries that came to their end in the last 28 days
-- column no_text_share: share of these that found no text on the page, 0 to 1
CREATE MACRO lake.days_since(first_at, ts) AS least(28, greatest(1, date_diff('hour', first_at, ts) / 24));

CREATE MACRO lake.feed_status_at(ts) AS TABLE
WITH visited AS (
    SELECT feed_id, count(*) AS visits, count(*) FILTER (failures > 0) AS failed, min(visited_at) AS first_at
    FROM lake.visits_from((ts AT TIME ZONE 'UTC')::DATE - 29)
    WHERE visited_at > ts - INTERVAL 28 DAY AND visited_at <= ts GROUP BY feed_id
),
seen AS (
    SELECT feed_id, max(seen_at) AS last_at, count(*) FILTER (number = 1 AND seen_at > ts - INTERVAL 1 DAY) AS n1,
           count(*) FILTER (number = 1 AND seen_at > ts - INTERVAL 7 DAY) AS n7, count(*) FILTER (number = 1) AS n28
    FROM lake.entries
    WHERE date >= (ts AT TIME ZONE 'UTC')::DATE - 29 AND seen_at > ts - INTERVAL 28 DAY AND seen_at <= ts GROUP BY feed_id
),
came AS (
    SELECT feed_id, count(*) AS n, count(*) FILTER (genre = 'promotion') AS promotion
    FROM lake.articles
    WHERE date >= (ts AT TIME ZONE 'UTC')::DATE - 29 AND seen_at > ts - INTERVAL 28 DAY AND change_type = 'new'
      AND article_id NOT IN (SELECT id FROM lake.gone WHERE date >= (ts AT TIME ZONE 'UTC')::DATE - 29)
    GROUP BY feed_id
),
ended AS (
    SELECT feed_id, count(*) AS n, count(*) FILTER (code = 'no_text') AS no_text
    FROM lake.outcomes_from((ts AT TIME ZONE 'UTC')::DATE - 29)
    WHERE ended_at > ts - INTERVAL 28 DAY AND final AND reread IS NOT TRUE GROUP BY feed_id
),
before AS (SELECT feed_id, known[1].seen_at AS last_at FROM lake.feed_state)
SELECT f.feed_id, f.source, f.url, f.visited_at, f.outcome, f.status, f.detail, f.failures, f.next_due_at,
       if(f.next_due_at < ts, f.next_due_at, NULL) AS overdue_since, greatest(seen.last_at, before.last_at) AS last_new_at,
       coalesce(v.visits, 0) AS visits, coalesce(v.failed, 0) AS failed, coalesce(n1, 0) AS entries_today,
       coalesce(n7, 0) / least(7, lake.days_since(v.first_at, ts)) AS entries_a_day_7,
       coalesce(n28, 0) / lake.days_since(v.first_at, ts) AS entries_a_day_28,
       coalesce(came.n, 0) AS articles, came.promotion / came.n AS promotion_share,
       coalesce(ended.n, 0) AS ended, ended.no_text / ended.n AS no_text_share
FROM feeds f LEFT JOIN visited v USING (feed_id) LEFT JOIN seen USING (feed_id) LEFT JOIN came USING (feed_id)
LEFT JOIN ended USING (feed_id) LEFT JOIN before USING (feed_id);

CREATE VIEW feed_status AS FROM lake.feed_status_at(now());
