-- The companies of a day (UTC), those first whose news flow or sentiment stands out most against their own 28 days before; also those
-- of which unusually little is said. Copies, promotion and what names a company in passing (relevance below 0.5) do not count.
-- A z counts standard deviations, and takes none for smaller than chance makes them: for the flow not below those of a Poisson process
-- of the usual rate, nor below one story; for the score not below 0.5 a story. So a company with little news does not lead by one
-- story. A z is null with less than 7 days, or for the score less than 5 stories, to compare with.
-- column day: the day asked for
-- column company_id: the company
-- column name: its name as last known
-- column stories: stories of the day that are about the company
-- column usual_stories: stories a day on the days before
-- column volume_z: how far stories is from usual_stories, in standard deviations
-- column score: mean score of the day's stories, each weighing its relevance, -1 to 1
-- column usual_score: the same of the days before
-- column score_z: how far score is from usual_score, in standard deviations
-- column stories_before: stories of the company on the days before
-- column days_before: days, of the 28 before, on which the lake has news of any company
-- column title: title of the day's most relevant story
-- column article_id: its article
CREATE MACRO movers(on_day) AS TABLE
WITH by_day AS (
    SELECT company_id, day, today, count(*) AS n, sum(relevance) AS w,
           sum(relevance ^ 2) AS w2, sum(relevance * score) AS ws, sum(relevance * score ^ 2) AS ws2,
           arg_max(title, (relevance, version_id)) FILTER (today) AS title,
           arg_max(article_id, (relevance, version_id)) FILTER (today) AS article_id
    FROM (SELECT *, (news_at AT TIME ZONE 'UTC')::DATE AS day, day = on_day::DATE AS today
          FROM company_news(on_day::DATE - 28, on_day::DATE))
    WHERE duplicate_of IS NULL AND relevance >= 0.5 GROUP BY company_id, day, today
),
known AS (SELECT count(DISTINCT day) AS days FROM by_day WHERE NOT today),
compared AS (
    SELECT company_id, any_value(days) AS days, coalesce(sum(n) FILTER (today), 0) AS stories,
           coalesce(sum(n) FILTER (NOT today), 0) AS before, before / nullif(any_value(days), 0) AS usual,
           coalesce(sum(n ^ 2) FILTER (NOT today), 0) / nullif(any_value(days), 0) - usual ^ 2 AS spread,
           sum(ws) FILTER (today) / nullif(sum(w) FILTER (today), 0) AS score,
           sum(ws) FILTER (NOT today) / nullif(sum(w) FILTER (NOT today), 0) AS usual_score,
           sum(ws2) FILTER (NOT today) / nullif(sum(w) FILTER (NOT today), 0) - usual_score ^ 2 AS score_spread,
           sum(w2) FILTER (today) / nullif(sum(w) FILTER (today), 0) ^ 2 AS one_over_n,
           any_value(title) AS title, any_value(article_id) AS article_id
    FROM by_day CROSS JOIN known GROUP BY company_id
)
SELECT on_day::DATE AS day, company_id, c.name, stories::BIGINT AS stories, usual AS usual_stories,
       if(days >= 7, (stories - usual) / sqrt(greatest(spread, usual, 1)), NULL) AS volume_z, score, usual_score,
       if(days >= 7 AND before >= 5, (score - usual_score) / sqrt(greatest(score_spread, 0.25) * one_over_n), NULL) AS score_z,
       before::BIGINT AS stories_before, days AS days_before, title, article_id
FROM compared
LEFT JOIN (SELECT company_id, arg_max(name, (available_at, batch_id)) AS name FROM lake.companies GROUP BY company_id) c USING (company_id)
WHERE stories > 0 OR volume_z <= -2
ORDER BY greatest(abs(coalesce(volume_z, 0)), abs(coalesce(score_z, 0))) DESC, stories DESC, company_id;
