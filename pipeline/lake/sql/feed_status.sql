-- How each feed is: its state, its last visit, whether it is due, and what it brought in the last 28 days against its own usual.
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
-- column state: the first of these that holds. muted: it said it is gone, or failed so often that it is asked but rarely.
-- blocked: its last visits, two at least, ended at a refusal or a wall, or its host is left alone since. dead: two visits at
-- least have failed, and none for 7 days was any good. silent: visits succeed and bring nothing new for longer than is plausible; by its weekdays (`chance` under 1 in
-- 150), where three days at least of the last 29 brought something; else for three times its rhythm, or 28 days where that is not
-- known; in the first 14 days for 7 days. degraded: something else is bad (`bad`). ok: nothing is
-- column bad: what is bad: failures (two visits in a row), reading (under half of 20 or more), dates (missing in over half of 20 or
-- more, or future in over a tenth), keys (over half of what they call new is not), duplicates (over nine tenths of 20 or more)
-- column expected: new entries to expect in 24 hours: the mean of these same 24 hours in up to 4 weeks before; null in the first
-- column seen: new entries that came in these 24 hours
-- column chance: the chance, 0 to 1, that nothing new comes for as many days (of 24 hours, up to now) as nothing did; 1 where
-- there is no such day. By weekday, the days before say how often something came; any day may be a holiday (1 in 25), and days on
-- which under half of the usual feeds of the lake brought anything do not count
-- column silent_since: since when it has brought nothing new, where it is silent
-- column last_good_at: its last visit in the last 28 days that brought something usable
-- column duplicates_share: share of the ended that were copies, or led to an article known already, 0 to 1
-- column read_share: share of the ended after which the lake holds the news, 0 to 1
-- column key_churn: share of what its keys call new that the lake had under another key, 0 to 1
-- column future_dates_share: share of its entries dated more than an hour ahead of the visit, or as no entry can be
-- column missing_dates_share: share of its entries without a date, or with one nobody can read
-- column publish_lag_s: seconds from an entry's date, where that is exact, to the visit that first showed it: the median day's
-- median, without the day of the first visit
-- column rhythm_s: seconds between new entries as usual for the feed, as its last visit has it
-- column key_policy: the best its entries may be recognised by, as its last visit has it
-- column due_rule: the rule that set next_due_at
-- column moved_to: where permanent redirects lead
CREATE MACRO lake.days_since(first_at, ts) AS least(28, greatest(1, date_diff('hour', first_at, ts) / 24));
-- Whole days of 24 hours from one moment to another.
CREATE MACRO lake.days_ago(since, ts) AS (epoch_us(ts) - epoch_us(since)) // 86400000000;
CREATE MACRO lake.chance_of_none(n, n_with, share) AS greatest(1 / 25, (n - n_with + 1 - share) / (n + 1));

CREATE MACRO lake.feed_status_at(ts) AS TABLE
WITH visited AS (
    SELECT feed_id, count(*) FILTER (recent) AS visits, count(*) FILTER (recent AND failures > 0) AS failed,
           min(visited_at) FILTER (visited_at > ts - INTERVAL 30 DAY) AS first_at,
           max(visited_at) FILTER (recent AND failures = 0) AS last_good_at,
           sum(entries_absorbed) AS absorbed, sum(entries_new) AS called_new,
           arg_max({'source': source, 'url': url, 'visited_at': visited_at, 'outcome': outcome, 'status': status,
                    'detail': detail, 'failures': failures, 'next_due_at': next_due_at, 'due_rule': due_rule,
                    'rhythm_s': rhythm_s, 'key_policy': key_policy, 'moved_to': moved_to}, visited_at) AS visit
    FROM (SELECT *, visited_at > ts - INTERVAL 28 DAY AS recent
          FROM lake.visits_from(least((ts AT TIME ZONE 'UTC')::DATE - 30, {watermark} + 1)))
    WHERE visited_at <= ts AND stage <> 'push' GROUP BY feed_id
),
before AS (
    SELECT feed_id, known[1].seen_at AS last_at,
           {'source': last_visit.source, 'url': last_visit.url, 'visited_at': last_visit.visited_at,
            'outcome': last_visit.outcome, 'status': last_visit.status, 'detail': last_visit.detail,
            'failures': last_visit.failures, 'next_due_at': last_visit.next_due_at, 'due_rule': last_visit.due_rule,
            'rhythm_s': last_visit.rhythm_s, 'key_policy': last_visit.key_policy, 'moved_to': last_visit.moved_to} AS visit
    FROM lake.feed_state
),
feed AS (
    SELECT feed_id, visits, failed, first_at, last_good_at, absorbed, called_new, if(last_at <= ts, last_at, NULL) AS last_at,
           unnest(coalesce(v.visit, b.visit))
    FROM visited v FULL JOIN before b USING (feed_id) WHERE v.visit IS NOT NULL OR b.visit.visited_at <= ts
),
-- by days of 24 hours that end at this moment: 0 is the last one
daily AS MATERIALIZED (
    SELECT feed_id, lake.days_ago(seen_at, ts) AS day, max(seen_at) AS last_at, count(*) AS n, count(*) FILTER (number = 1) AS new,
           count(*) FILTER (date_quality IN ('missing', 'unreadable')) AS undated,
           count(*) FILTER (date_quality = 'implausible' OR published_at > seen_at + INTERVAL 1 HOUR) AS future,
           median(epoch_us(seen_at) - epoch_us(published_at)) FILTER (number = 1 AND date_quality = 'exact') / 1e6 AS lag_s
    FROM lake.entries
    WHERE date >= (ts AT TIME ZONE 'UTC')::DATE - 30 AND seen_at > ts - INTERVAL 29 DAY AND seen_at <= ts GROUP BY ALL
),
seen AS (
    SELECT feed_id, max(daily.last_at) AS last_at, sum(new) FILTER (day = 0)::BIGINT AS n1,
           sum(new) FILTER (day < 7)::BIGINT AS n7, sum(new) FILTER (day < 28)::BIGINT AS n28, count(*) AS days_with,
           sum(n) AS entries, sum(undated) AS undated, sum(future) AS future,
           greatest(0, least(4, (lake.days_ago(any_value(first_at), ts) - 1) // 7)) AS weeks,
           sum(new) FILTER (day IN (7, 14, 21, 28) AND day < lake.days_ago(first_at, ts)) AS usual,
           median(lag_s) FILTER (day < lake.days_ago(first_at, ts)) AS publish_lag_s
    FROM daily JOIN visited USING (feed_id) GROUP BY feed_id
),
-- the rows of what was taken down are gone with its words: nothing is to be left out
came AS (
    SELECT feed_id, count(*) AS n, count(*) FILTER (genre = 'promotion') AS promotion
    FROM lake.articles
    WHERE date >= (ts AT TIME ZONE 'UTC')::DATE - 29 AND seen_at > ts - INTERVAL 28 DAY AND seen_at <= ts AND change_type = 'new'
    GROUP BY feed_id
),
endings AS (
    SELECT feed_id, count(*) AS n, count(*) FILTER (code = 'no_text') AS no_text, count(*) FILTER (kept) AS kept,
           count(*) FILTER (code IN ('copy', 'known_article')) AS copies
    FROM lake.outcomes_from((ts AT TIME ZONE 'UTC')::DATE - 29)
    WHERE ended_at > ts - INTERVAL 28 DAY AND ended_at <= ts AND final AND reread IS NOT TRUE GROUP BY feed_id
),
-- holidays, and outages of the lake's own
quiet AS (
    SELECT day FROM (SELECT unnest(range(29)) AS day) LEFT JOIN (SELECT day, count(*) AS n FROM daily GROUP BY day) USING (day)
    WINDOW same AS (PARTITION BY day % 7)
    QUALIFY coalesce(n, 0) < median(coalesce(n, 0)) OVER same / 2 AND median(coalesce(n, 0)) OVER same >= 10
),
silence AS (
    SELECT feed_id, lake.days_ago(seen.last_at, ts) AS last, round((epoch(ts) - epoch(visited_at)) / 86400)::BIGINT AS visited,
           lake.days_ago(first_at, ts) AS first
    FROM feed JOIN seen USING (feed_id) WHERE failures = 0
),
-- of each weekday: the days up to its last entry, those of them that brought something, and the days without since
weekdays AS (
    SELECT feed_id, count(*) FILTER (day >= last) AS n, count(n) FILTER (day >= last) AS n_with, count(*) FILTER (day < last) AS missed
    FROM (SELECT feed_id, last, unnest(range(visited, first)) AS day FROM silence WHERE last > visited)
    LEFT JOIN daily USING (feed_id, day) WHERE n IS NOT NULL OR day NOT IN (FROM quiet) GROUP BY feed_id, day % 7
),
plausible AS (
    SELECT feed_id, exp(sum(missed * ln(lake.chance_of_none(n, n_with, share)))) AS chance
    FROM (SELECT *, (sum(n_with) OVER own + 0.5) / (sum(n) OVER own + 1) AS share
          FROM weekdays WINDOW own AS (PARTITION BY feed_id))
    GROUP BY feed_id
),
told AS (
    SELECT feed.*, seen.* EXCLUDE (feed_id, last_at), coalesce(came.n, 0) AS articles, came.promotion / came.n AS promotion_share,
           coalesce(endings.n, 0) AS ended, no_text / endings.n AS no_text_share, copies / endings.n AS duplicates_share,
           kept / endings.n AS read_share, coalesce(chance, 1) AS chance, greatest(seen.last_at, feed.last_at) AS last_new_at,
           absorbed / nullif(absorbed + called_new, 0) AS key_churn,
           undated / entries AS missing_dates_share, future / entries AS future_dates_share,
           list_filter([if(failures >= 2, 'failures', NULL), if(ended >= 20 AND read_share < 0.5, 'reading', NULL),
                        if(entries >= 20 AND (missing_dates_share > 0.5 OR future_dates_share > 0.1), 'dates', NULL),
                        if(absorbed >= 20 AND key_churn > 0.5, 'keys', NULL),
                        if(ended >= 20 AND duplicates_share > 0.9, 'duplicates', NULL)], lambda why: why IS NOT NULL) AS bad,
           failures = 0 AND CASE
               WHEN last_new_at IS NULL THEN first_at < visited_at - INTERVAL 7 DAY
               WHEN first_at > ts - INTERVAL 14 DAY THEN last_new_at < visited_at - INTERVAL 7 DAY
               WHEN coalesce(days_with, 0) < 3
                   THEN last_new_at < visited_at - coalesce(to_seconds(3 * rhythm_s), INTERVAL 28 DAY)
               ELSE chance < 1 / 150
           END AS silent
    FROM feed LEFT JOIN seen USING (feed_id) LEFT JOIN came USING (feed_id) LEFT JOIN endings USING (feed_id)
    LEFT JOIN plausible USING (feed_id)
)
SELECT feed_id, source, url, visited_at, outcome, status, detail, failures, next_due_at,
       if(next_due_at < ts, next_due_at, NULL) AS overdue_since, last_new_at, coalesce(visits, 0) AS visits,
       coalesce(failed, 0) AS failed, coalesce(n1, 0) AS entries_today,
       coalesce(n7, 0) / least(7, lake.days_since(first_at, ts)) AS entries_a_day_7,
       coalesce(n28, 0) / lake.days_since(first_at, ts) AS entries_a_day_28,
       articles, promotion_share, ended, no_text_share,
       CASE WHEN outcome = 'gone' OR due_rule = 'muted' THEN 'muted'
            WHEN failures >= 2 AND outcome IN ('refused', 'challenge', 'consent', 'login', 'busy', 'disallowed', 'forbidden_address',
                                               'deferred') THEN 'blocked'
            WHEN failures >= 2 AND coalesce(last_good_at, first_at, '-infinity') < ts - INTERVAL 7 DAY THEN 'dead'
            WHEN silent THEN 'silent' WHEN len(bad) > 0 THEN 'degraded' ELSE 'ok' END AS state,
       bad, coalesce(usual, 0) / nullif(weeks, 0) AS expected, coalesce(n1, 0) AS seen, chance,
       if(state = 'silent', coalesce(last_new_at, first_at), NULL) AS silent_since, last_good_at, duplicates_share, read_share,
       key_churn, future_dates_share, missing_dates_share, publish_lag_s, rhythm_s, key_policy, due_rule, moved_to
FROM told;

CREATE VIEW feed_status AS FROM lake.feed_status_at(now());
