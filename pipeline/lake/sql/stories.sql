-- What articles of one story say together: a story is an article, and all that repeat its text.
-- column story_id: the story: the article_id of its first article
-- column title: headline of its first article
-- column article_id: its first article that still stands
-- column first_at: when the first version of one of its articles became available
-- column last_at: when the last of its articles, as it stands, became available
-- column articles: its articles, copies included
-- column originals: those of them that are no copies
-- column sources: their publishers
-- column languages: their languages
-- column companies: the companies it is about, most relevant first; promotion left out
-- column promotion: its first article is promotion as a whole
CREATE MACRO lake.told_stories(standing, judged, versions) AS TABLE
WITH began AS (SELECT article_id, min(available_at) AS began_at FROM query_table(versions) GROUP BY article_id),
told AS (
    SELECT a.*, row_number() OVER (PARTITION BY story_id ORDER BY duplicate_of IS NOT NULL, began_at, a.article_id) AS place, began_at
    FROM query_table(standing) a JOIN began USING (article_id)
),
weighed AS (
    SELECT story_id, company_id, max(s.relevance) AS weight
    FROM query_table(judged) s JOIN told USING (version_id)
    WHERE s.company_id IS NOT NULL AND told.genre IS DISTINCT FROM 'promotion' GROUP BY ALL
),
named AS (SELECT story_id, list(company_id ORDER BY weight DESC, company_id) AS companies FROM weighed GROUP BY story_id)
SELECT story_id, any_value(title) FILTER (place = 1) AS title, any_value(article_id) FILTER (place = 1) AS article_id,
       min(began_at) AS first_at, max(available_at) AS last_at, count(*) AS articles,
       count(*) FILTER (duplicate_of IS NULL) AS originals, list_sort(list(DISTINCT source)) AS sources,
       list_sort(list(DISTINCT language) FILTER (language IS NOT NULL)) AS languages,
       coalesce(any_value(companies), []) AS companies,
       coalesce(bool_or(genre = 'promotion') FILTER (place = 1), false) AS promotion
FROM told LEFT JOIN named USING (story_id)
GROUP BY story_id;

CREATE VIEW stories AS
WITH a AS (FROM articles), s AS (FROM sentiments), v AS (SELECT article_id, available_at FROM lake.articles)
FROM lake.told_stories('a', 's', 'v');

-- The view stories as it was at a moment. Of an article that stood then, the first version was there, too.
CREATE MACRO stories_as_of(ts) AS TABLE
WITH a AS (FROM articles_as_of(ts)), s AS (FROM sentiments_as_of(ts)), v AS (SELECT article_id, available_at FROM lake.articles)
FROM lake.told_stories('a', 's', 'v');
