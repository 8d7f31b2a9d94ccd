-- Rows of lake.sentiments, a table by name, that count of the days from `since` through `until`, with the story each belongs to.
CREATE MACRO lake.news_of(said, since, until) AS TABLE
WITH gone AS MATERIALIZED (
    -- what counted when a row of these days was committed went on the day before it at the earliest, as a batch lives for six hours;
    -- or before that, where its clock ran ahead
    SELECT id FROM lake.gone WHERE date >= since::DATE - 32
),
copies AS MATERIALIZED (
    SELECT version_id, article_id, story_id, other_article_id, other_article_id IN (FROM gone) AS orphan, available_at
    FROM lake.relations_from(since::DATE - 1)
    WHERE kind = 'duplicate_of' AND date <= until::DATE + 1 AND other_version_id NOT IN (FROM gone)
),
heirs AS (SELECT story_id, arg_min(article_id, (available_at, article_id)) AS heir FROM copies WHERE orphan GROUP BY story_id)
SELECT s.company_id, s.news_at, s.news_title AS title, s.sentiment, s.score, s.mixed, s.hedged, s.relevance, s.in_headline,
       s.news_words AS words, s.news_source AS source, s.news_language AS language, s.news_url AS url, s.article_id, s.version_id, coalesce(c.story_id, s.article_id) AS story_id,
       if(c.orphan, nullif(h.heir, s.article_id), c.other_article_id) AS duplicate_of
FROM query_table(said) s
LEFT JOIN copies c USING (version_id)
LEFT JOIN heirs h ON c.orphan AND h.story_id = c.story_id
WHERE s.news_genre IS DISTINCT FROM 'promotion'
  AND s.news_at >= since::DATE::TIMESTAMP AT TIME ZONE 'UTC' AND s.news_at < (until::DATE + 1)::TIMESTAMP AT TIME ZONE 'UTC'
  AND s.tagging_id NOT IN (FROM gone) AND s.version_id NOT IN (FROM gone) AND s.article_id NOT IN (FROM gone);

-- What the last versions of articles say of companies, promotion left out, where they became available on the days (UTC) from `since`
-- through `until`. Dates bound what is read: a batch lives for six hours, so what it adds is available on the date it lies under or on
-- the next, and no earlier, save where a clock ran ahead; what is tagged again lies under a later date.
-- column company_id: the company
-- column news_at: when the article version became available
-- column words: the words the verdict rests on, in their order
-- column duplicate_of: the earlier article with the same text; where that was taken down, the first of its copies; null for a story
-- of its own
CREATE MACRO company_news(since, until) AS TABLE
WITH said AS (FROM lake.judged_from(since::DATE - 1, until::DATE + 1) WHERE company_id IS NOT NULL)
FROM lake.news_of('said', since, until);

-- The ids of the companies that are meant by an id, an ISIN, MIC:ticker or a name (also a former one; capitals do not matter).
CREATE MACRO company_ids(company) AS TABLE
SELECT lower(company) AS company_id
UNION
SELECT company_id FROM lake.companies
WHERE lower(name) = lower(company) OR list_contains(isins, upper(company))
   OR list_contains(list_transform(listings, lambda x: x.mic || ':' || x.ticker), upper(company));

-- The news of a company, newest first, each story once: its last article that is no copy of an earlier text.
-- column articles: articles of the story on these days, copies included
-- column sources: their publishers
CREATE MACRO news_for(company, since := DATE '1970-01-03', until := DATE '2999-12-31') AS TABLE
WITH said AS (FROM lake.judged_from(since::DATE - 1, until::DATE + 1) WHERE company_id IN (FROM company_ids(company)))
SELECT news_at, title, sentiment, score, mixed, hedged, relevance, in_headline, words, source, url, language,
       count(*) OVER story AS articles, list_sort(list_distinct(list(source) OVER story)) AS sources, company_id, article_id, story_id
FROM lake.news_of('said', since, until)
WINDOW story AS (PARTITION BY company_id, story_id)
QUALIFY row_number() OVER (story ORDER BY duplicate_of IS NOT NULL, news_at DESC, version_id) = 1
ORDER BY news_at DESC, article_id;
