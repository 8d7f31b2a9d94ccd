-- Whether a row counts at a moment. What the lake could show then, it shows for ever after, save what was taken down since. Rows of a batch that was
-- killed before its time was settled do not count until it is; the mark that says so names a corrected time too, as the correction
-- itself may have come after this query had listed the corrections.
CREATE MACRO settled(batch_id, stage, day, ts) AS
    day <= {watermark} OR batch_id || '-' || stage IN (SELECT name FROM lake.confirmed WHERE counts_from <= epoch_us(ts::TIMESTAMPTZ));

-- What was no longer the last word at a moment.
CREATE MACRO superseded_as_of(ts) AS TABLE
SELECT id FROM lake.superseded WHERE available_at <= ts AND settled(batch_id, stage, date, ts);

-- The view articles as it was at a moment.
CREATE MACRO articles_as_of(ts) AS TABLE
SELECT a.*, CASE WHEN r.other_article_id NOT IN (SELECT id FROM lake.forgotten) THEN r.other_article_id END AS duplicate_of,
       coalesce(r.story_id, a.article_id) AS story_id
FROM lake.articles a
LEFT JOIN lake.relations r
  ON r.version_id = a.version_id AND r.date = a.date AND r.kind = 'duplicate_of' AND r.available_at <= ts AND settled(r.batch_id, r.stage, r.date, ts)
 AND r.other_version_id NOT IN (FROM superseded_as_of(ts))
WHERE a.available_at <= ts AND settled(a.batch_id, a.stage, a.date, ts)
  AND a.version_id NOT IN (FROM superseded_as_of(ts))
  AND a.article_id NOT IN (SELECT id FROM lake.forgotten);

-- The view mentions as it was at a moment.
CREATE MACRO mentions_as_of(ts) AS TABLE
SELECT m.*
FROM lake.mentions m
WHERE m.available_at <= ts AND settled(m.batch_id, m.stage, m.date, ts)
  AND m.tagging_id NOT IN (FROM superseded_as_of(ts)) AND m.version_id NOT IN (FROM superseded_as_of(ts))
  AND m.article_id NOT IN (SELECT id FROM lake.forgotten);

-- The view sentiments as it was at a moment.
CREATE MACRO sentiments_as_of(ts) AS TABLE
SELECT s.*
FROM lake.sentiments s
WHERE s.available_at <= ts AND settled(s.batch_id, s.stage, s.date, ts)
  AND s.tagging_id NOT IN (FROM superseded_as_of(ts)) AND s.version_id NOT IN (FROM superseded_as_of(ts))
  AND s.article_id NOT IN (SELECT id FROM lake.forgotten);

-- The view companies as it was at a moment.
CREATE MACRO companies_as_of(ts) AS TABLE
SELECT * FROM lake.companies
WHERE available_at <= ts AND settled(batch_id, stage, date, ts)
QUALIFY row_number() OVER (PARTITION BY company_id ORDER BY available_at DESC, batch_id DESC) = 1;

-- How the last attempt at every entry revision had ended at a moment: rows of lake.outcomes.
CREATE MACRO outcomes_as_of(ts) AS TABLE
SELECT * FROM lake.outcomes
WHERE available_at <= ts AND settled(batch_id, stage, date, ts) AND entry_id NOT IN (SELECT id FROM lake.forgotten) AND reread IS NOT TRUE
QUALIFY row_number() OVER (PARTITION BY entry_id, revision ORDER BY attempt DESC) = 1;
