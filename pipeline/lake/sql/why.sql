-- The way of one article through the lake, a row for each step, in order of time: what `newsmill why` tells at length. Of an article
-- that was taken down there is the taking down alone.
-- column happened_at: when it happened; of what was decided here, from when it could be read
-- column step: entry, page, outcome, version, duplicate_of or update_of, copied_by, tagging, evidence, superseded, taken down
-- column what: the step in short
-- column detail: its words
-- column stands: false where it has been superseded since
-- column id: the id of the row: of entry, page, version or tagging
CREATE MACRO why(article) AS TABLE
WITH entered AS (SELECT DISTINCT entry_id FROM lake.outcomes WHERE article_id = article),
versions AS (SELECT * FROM lake.articles WHERE article_id = article),
steps AS (
    SELECT seen_at AS happened_at, 1 AS place, 'entry' AS step, source || ' (' || feed_id || ')' AS what, title AS detail, entry_id AS id
    FROM lake.entries WHERE entry_id IN (FROM entered)
    UNION ALL
    SELECT fetched_at, 2, 'page', concat_ws(' ', outcome, status), coalesce(final_url, url), page_id
    FROM lake.pages WHERE entry_id IN (FROM entered)
    UNION ALL
    SELECT ended_at, 3, 'outcome', if(reread, 'read again: ', '') || code, detail, entry_id FROM lake.outcomes WHERE entry_id IN (FROM entered)
    UNION ALL
    SELECT available_at, 4, 'version', concat_ws(', ', change_type, language, access, genre), title, version_id FROM versions
    UNION ALL
    SELECT available_at, 5, kind, other_article_id, method || ', ' || round(100 * containment)::INTEGER || ' %', version_id
    FROM lake.relations WHERE article_id = article
    UNION ALL
    SELECT available_at, 6, 'copied_by', article_id, method || ', ' || round(100 * containment)::INTEGER || ' %', version_id
    FROM lake.relations WHERE other_article_id = article AND kind = 'duplicate_of'
    UNION ALL
    SELECT available_at, 7, 'tagging', tagger || ', ' || registry,
           coalesce(problem, companies || ' companies, ' || mentions || ' mentions'), tagging_id
    FROM lake.taggings WHERE article_id = article
    UNION ALL
    SELECT s.available_at, 8, 'evidence', coalesce(s.company_id, 'the article') || ' ' || printf('%+.2f', s.score),
           array_to_string(list_transform(
               s.evidence, lambda e: substr(if(e.field = 'title', v.title, v.text), e.start + 1, e."end" - e.start)), ' | '),
           s.tagging_id
    FROM lake.sentiments s JOIN versions v USING (version_id) WHERE s.article_id = article
    UNION ALL
    SELECT available_at, 9, 'superseded', id, why || ', by ' || replaced_by, id
    FROM lake.superseded
    WHERE id IN (SELECT version_id FROM versions UNION ALL SELECT tagging_id FROM lake.taggings WHERE article_id = article)
)
SELECT * EXCLUDE (place) FROM (
    SELECT happened_at, step, what, detail, id NOT IN (SELECT s.id FROM lake.superseded s) AS stands, id, place
    FROM steps WHERE article NOT IN (SELECT f.id FROM lake.forgotten f)
    UNION ALL
    SELECT available_at, 'taken down', article, why, true, article, 10 FROM lake.forgotten f WHERE f.id = article
)
ORDER BY happened_at, place, what;
