-- What is said of each company (company_id null: of nobody in particular), as last judged, in the last version of each article: rows of lake.sentiments.
CREATE VIEW sentiments AS
SELECT s.*
FROM lake.sentiments s
WHERE s.tagging_id NOT IN (SELECT id FROM lake.gone)
  AND s.version_id NOT IN (SELECT id FROM lake.gone)
  AND s.article_id NOT IN (SELECT id FROM lake.gone);
