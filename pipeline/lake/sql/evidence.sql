-- The words each verdict rests on, read out of title or text; company_id null: those of the article as a whole.
-- column article_id: the article
-- column version_id: the version that was judged
-- column company_id: whom the words are about
-- column words: the words themselves, a piece of title or text
CREATE VIEW evidence AS
SELECT s.article_id, s.version_id, s.company_id, s.sentiment, s.score, e.field, e.start,
       substr(CASE e.field WHEN 'title' THEN a.title ELSE a.text END, e.start + 1, e."end" - e.start) AS words
FROM (SELECT *, unnest(evidence) AS e FROM sentiments) s
JOIN lake.articles a USING (version_id);
