-- How the last attempt at every entry revision ended; code is 'waiting' where none has been made yet, and 'forgotten', without
-- words, where the entry was taken down. What came of reading a young article's page again stands in lake.outcomes alone (reread).
-- Rows of lake.outcomes, and:
-- column seen_at: when its feed first showed this revision
-- column attempts: attempts made so far, without those deferred
CREATE VIEW outcomes AS
SELECT e.entry_id, e.revision, e.feed_id, e.source, if(gone, '', e.title) AS title, if(gone, NULL, e.url) AS url, e.seen_at,
       if(gone, 'forgotten', coalesce(o.code, 'waiting')) AS code, NOT gone AND coalesce(o.kept, false) AS kept,
       gone OR coalesce(o.final, false) AS final, coalesce(o.attempt - coalesce(unsent, 0), 0) AS attempts, if(gone, NULL, o.due_at) AS due_at,
       if(gone, NULL, o.article_id) AS article_id, if(gone, NULL, o.version_id) AS version_id, if(gone, NULL, o.detail) AS detail,
       o.ended_at, o.available_at, o.batch_id
FROM (SELECT *, entry_id IN (SELECT id FROM lake.forgotten) AS gone FROM lake.entries) e
LEFT JOIN (FROM lake.outcomes WHERE reread IS NOT TRUE) o USING (entry_id, revision)
LEFT JOIN (SELECT entry_id, revision, count(*) AS unsent FROM lake.outcomes WHERE code = 'deferred' GROUP BY ALL)
    USING (entry_id, revision)
QUALIFY row_number() OVER (PARTITION BY e.entry_id, e.revision ORDER BY o.attempt DESC NULLS LAST) = 1;
