-- Every span that names a company, as last tagged, in the last version of its article: rows of lake.mentions.
CREATE VIEW mentions AS
SELECT m.*
FROM lake.mentions m
WHERE m.tagging_id NOT IN (SELECT id FROM lake.gone)
  AND m.version_id NOT IN (SELECT id FROM lake.gone)
  AND m.article_id NOT IN (SELECT id FROM lake.gone);
