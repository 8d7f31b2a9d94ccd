-- The last version of every article; duplicate_of names the earlier article with the same text, while that still has it and stands.
-- The rows of lake.articles that count, and:
-- column duplicate_of: article_id of the earlier article with the same text
-- column story_id: the story it belongs to: the article_id of the story's first article
CREATE VIEW articles AS
SELECT a.*, CASE WHEN r.other_article_id NOT IN (SELECT id FROM lake.gone) THEN r.other_article_id END AS duplicate_of,
       coalesce(r.story_id, a.article_id) AS story_id
FROM lake.articles a
LEFT JOIN lake.relations r
  ON r.version_id = a.version_id AND r.date = a.date AND r.kind = 'duplicate_of' AND r.other_version_id NOT IN (SELECT id FROM lake.gone)
WHERE a.version_id NOT IN (SELECT id FROM lake.gone) AND a.article_id NOT IN (SELECT id FROM lake.gone);
