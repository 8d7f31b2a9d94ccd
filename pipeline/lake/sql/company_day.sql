-- What is said of each company by day: what became available on it, each story once, however often it was copied, promotion left out.
-- `company_day` has all days (UTC); `company_days(since, until)` those from one through another, which reads no more than those;
-- `company_day_of(mic)` has the sessions of an exchange: news counts for the first session that closes after it, or that comes to
-- `cut_off` minutes before its close after it.
-- column exchange: market identifier code of the exchange (ISO 10383)
-- column day: the day (UTC) on which the news became available; of an exchange, the session the news counts for
-- column closes_at: when that session closes
-- column early: it closes at another time than usual
-- column covered: the day lies in the years of which the exchange's holidays are known; outside, every weekday is taken for a session
-- column company_id: the company
-- column stories: stories of the day: articles that are no copies of an earlier one
-- column articles: articles of the day, copies included
-- column sources: publishers of these articles
-- column score: mean score of the stories, each weighing its relevance, -1 to 1; null where the day had only copies
-- column positive: stories of which positive is the most probable class, and which are not mixed
-- column neutral: stories of which neutral is the most probable class, and which are not mixed
-- column negative: stories of which negative is the most probable class, and which are not mixed
-- column mixed: stories that say good and bad of the company; the four add up to stories
-- column about: stories that are about the company, not naming it in passing: with a relevance of 0.5 or more
-- column headlines: stories that name the company in the title
-- column relevance: sum of the stories' relevance: how much of the day's news is about the company
-- column title: title of the most relevant story, or of a copy where the day had only copies
-- column article_id: its article
-- column first_at: when the first article of the day became available
-- column last_at: when the last article of the day became available
CREATE MACRO lake.by_company_and_day(news) AS TABLE
SELECT day, company_id, count(*) FILTER (duplicate_of IS NULL) AS stories, count(*) AS articles, count(DISTINCT source) AS sources,
       sum(score * relevance) FILTER (duplicate_of IS NULL) / nullif(sum(relevance) FILTER (duplicate_of IS NULL), 0) AS score,
       count(*) FILTER (duplicate_of IS NULL AND NOT mixed AND sentiment = 1) AS positive,
       count(*) FILTER (duplicate_of IS NULL AND NOT mixed AND sentiment = 0) AS neutral,
       count(*) FILTER (duplicate_of IS NULL AND NOT mixed AND sentiment = -1) AS negative,
       count(*) FILTER (duplicate_of IS NULL AND mixed) AS mixed,
       count(*) FILTER (duplicate_of IS NULL AND relevance >= 0.5) AS about,
       count(*) FILTER (duplicate_of IS NULL AND in_headline) AS headlines,
       coalesce(sum(relevance) FILTER (duplicate_of IS NULL), 0) AS relevance,
       arg_max(title, (duplicate_of IS NULL, relevance, version_id)) AS title,
       arg_max(article_id, (duplicate_of IS NULL, relevance, version_id)) AS article_id, min(news_at) AS first_at, max(news_at) AS last_at
FROM query_table(news) GROUP BY day, company_id;

CREATE MACRO company_days(since, until) AS TABLE
WITH news AS (SELECT *, (news_at AT TIME ZONE 'UTC')::DATE AS day FROM company_news(since, until))
FROM lake.by_company_and_day('news');

CREATE VIEW company_day AS FROM company_days(DATE '1970-01-03', DATE '2999-12-31');

-- Between two sessions lie eleven days at most (Tokyo's golden week of 2019).
CREATE MACRO company_day_of(mic, since := DATE '2000-01-01', until := DATE '2100-01-01', cut_off := 0) AS TABLE
WITH closing AS (FROM sessions(mic, since::DATE - 15, until::DATE + 15)),
news AS (
    SELECT n.*, c.session AS day
    FROM company_news(since::DATE - 12, until::DATE + 1) n ASOF JOIN closing c ON n.news_at < c.closes_at - to_minutes(cut_off)
    WHERE c.session BETWEEN since::DATE AND until::DATE
)
SELECT c.exchange, d.day, c.closes_at, c.early, c.covered, d.* EXCLUDE (day)
FROM lake.by_company_and_day('news') d JOIN closing c ON c.session = d.day;
