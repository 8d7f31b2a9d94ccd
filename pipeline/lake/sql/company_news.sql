-- What the last versions of articles say of companies, promotion left out, where they became available on the days (UTC) from `since`
-- through `until`. A batch lives six hours, so what it adds is available at most a day after the date it lies under; two days leave
-- room for clocks that differ. What is tagged again lies under a later date.
-- column company_id: the company
-- column news_at: when the article version became available
-- column words: the words the verdict rests on, in their order
CREATE MACRO company_news(since, until) AS TABLE
SELECT s.company_id, s.news_at, a.title, s.sentiment, s.score, s.mixed, s.hedged, s.relevance, s.in_headline,
       list_transform(s.evidence, lambda e: substr(if(e.field = 'title', a.title, a.text), e.start + 1, e."end" - e.start)) AS words,
       a.source, a.language, a.url, a.article_id, a.version_id, a.story_id, a.duplicate_of
FROM sentiments s JOIN articles a USING (version_id)
WHERE s.company_id IS NOT NULL AND a.genre IS DISTINCT FROM 'promotion'
  AND s.news_at >= since::DATE::TIMESTAMP AT TIME ZONE 'UTC' AND s.news_at < (until::DATE + 1)::TIMESTAMP AT TIME ZONE 'UTC'
  AND s.date >= since::DATE - 2 AND a.date BETWEEN since::DATE - 2 AND until::DATE + 2;

-- The ids of the companies that are meant by an id, an ISIN, MIC:ticker or a name (also a former one; capitals do not matter).
CREATE MACRO company_ids(company) AS TABLE
SELECT DISTINCT company_id FROM lake.companies
WHERE company_id = company OR lower(name) = lower(company) OR list_contains(isins, upper(company))
   OR list_contains(list_transform(listings, lambda x: x.mic || ':' || x.ticker), upper(company));

-- The news of a company, newest first, each story once: its last article that is no copy of an earlier text.
-- column articles: articles of the story on these days, copies included
-- column sources: their publishers
CREATE MACRO news_for(company, since := DATE '1970-01-03', until := DATE '2999-12-31') AS TABLE
SELECT news_at, title, sentiment, score, mixed, hedged, relevance, in_headline, words, source, url, language,
       count(*) OVER story AS articles, list_sort(list_distinct(list(source) OVER story)) AS sources, company_id, article_id, story_id
FROM company_news(since, until)
WHERE company_id IN (FROM company_ids(company))
WINDOW story AS (PARTITION BY company_id, story_id)
QUALIFY row_number() OVER (story ORDER BY duplicate_of IS NOT NULL, news_at DESC, version_id) = 1
ORDER BY news_at DESC, article_id;
