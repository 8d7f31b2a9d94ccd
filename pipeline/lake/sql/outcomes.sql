-- How the last attempt at every entry revision ended; code is 'waiting' where none has been made yet.
CREATE VIEW outcomes AS
SELECT e.entry_id, e.revision, e.feed_id, e.source, e.title, e.url, e.seen_at,
       coalesce(o.code, 'waiting') AS code, coalesce(o.kept, false) AS kept, coalesce(o.final, false) AS final,
       coalesce(o.attempt, 0) AS attempts, o.due_at, o.article_id, o.version_id, o.detail, o.ended_at, o.available_at, o.batch_id
FROM lake.entries e
LEFT JOIN lake.outcomes o USING (entry_id, revision)
QUALIFY row_number() OVER (PARTITION BY e.entry_id, e.revision ORDER BY o.attempt DESC NULLS LAST) = 1;
