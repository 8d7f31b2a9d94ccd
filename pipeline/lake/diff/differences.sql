-- Every difference between the two, one row each, and in `bases` of how many things of a kind. What is said of articles is compared
-- where both lakes have the article.
CREATE TEMP TABLE differences (
    what VARCHAR, change VARCHAR, article_id VARCHAR, title VARCHAR, about VARCHAR, old VARCHAR, new VARCHAR, n BIGINT
);
CREATE TEMP TABLE bases (what VARCHAR, total BIGINT);

CREATE TEMP TABLE both_have AS
SELECT article_id, n.title, n.entry_id FROM old_articles o JOIN new_articles n USING (article_id);

INSERT INTO bases SELECT 'articles', count(*) FROM (SELECT article_id FROM old_articles UNION SELECT article_id FROM new_articles);
INSERT INTO differences
SELECT 'articles', 'only in old', article_id, title, source, title, NULL, 1 FROM old_articles ANTI JOIN new_articles USING (article_id);
INSERT INTO differences
SELECT 'articles', 'only in new', article_id, title, source, NULL, title, 1 FROM new_articles ANTI JOIN old_articles USING (article_id);

INSERT INTO bases
SELECT unnest(['title', 'text', 'promotion', 'published', 'authors', 'language', 'access', 'genre', 'version']), count(*) FROM both_have;
INSERT INTO differences
SELECT c.what, 'changed', article_id, n.title, n.source, c.old, c.new, 1
FROM (
    SELECT o.article_id, unnest([
        {what: 'title', old: o.title, new: n.title, differs: o.title <> n.title},
        {what: 'text', old: 'characters: ' || o.characters, new: 'characters: ' || n.characters, differs: o.text_hash <> n.text_hash},
        {what: 'promotion', old: 'pieces: ' || o.pieces, new: 'pieces: ' || n.pieces, differs: o.promo_hash <> n.promo_hash},
        {what: 'published', old: o.published, new: n.published, differs: o.published <> n.published},
        {what: 'authors', old: o.authors, new: n.authors, differs: o.authors IS DISTINCT FROM n.authors},
        {what: 'language', old: o.language, new: n.language, differs: o.language IS DISTINCT FROM n.language},
        {what: 'access', old: o.access, new: n.access, differs: o.access <> n.access},
        {what: 'genre', old: o.genre, new: n.genre, differs: o.genre IS DISTINCT FROM n.genre},
        {what: 'version', old: o.version_id, new: n.version_id, differs: o.version_id <> n.version_id}
    ]) AS c
    FROM old_articles o JOIN new_articles n USING (article_id)
) JOIN new_articles n USING (article_id)
WHERE c.differs;

CREATE TEMP TABLE compared_relations AS
SELECT article_id, b.title, o.other AS old, n.other AS new
FROM both_have b LEFT JOIN old_relations o USING (article_id) LEFT JOIN new_relations n USING (article_id)
WHERE o.other IS NOT NULL OR n.other IS NOT NULL;
INSERT INTO bases SELECT 'relations', count(*) FROM compared_relations;
INSERT INTO differences
SELECT 'relations', CASE WHEN old IS NULL THEN 'gained' WHEN new IS NULL THEN 'lost' ELSE 'changed' END,
       article_id, title, NULL, 'duplicate of ' || old, 'duplicate of ' || new, 1
FROM compared_relations WHERE old IS DISTINCT FROM new;

CREATE TEMP TABLE compared_mentions AS
SELECT article_id, company_id, coalesce(n.name, o.name) AS name, field, surface, in_ad, coalesce(o.n, 0) AS old, coalesce(n.n, 0) AS new
FROM (SELECT * FROM old_mentions SEMI JOIN both_have USING (article_id)) o
FULL JOIN (SELECT * FROM new_mentions SEMI JOIN both_have USING (article_id)) n
    USING (article_id, company_id, field, surface, in_ad);
INSERT INTO bases SELECT 'mentions', coalesce(sum(greatest(old, new)), 0) FROM compared_mentions;
INSERT INTO differences
SELECT 'mentions', if(new > old, 'gained', 'lost'), article_id, title, name, old || said, new || said, abs(new - old)
FROM (SELECT *, ' × "' || surface || '" in the ' || field || if(in_ad, ', promotion', '') AS said FROM compared_mentions)
JOIN both_have USING (article_id)
WHERE old <> new;

CREATE TEMP TABLE compared_companies AS
SELECT article_id, company_id, any_value(name) AS name, sum(old) > 0 AS old, sum(new) > 0 AS new
FROM compared_mentions WHERE NOT in_ad GROUP BY article_id, company_id;
INSERT INTO bases SELECT 'companies in articles', count(*) FROM compared_companies;
INSERT INTO differences
SELECT 'companies in articles', if(new, 'gained', 'lost'), article_id, title, name, if(old, name, NULL), if(new, name, NULL), 1
FROM compared_companies JOIN both_have USING (article_id)
WHERE old <> new;

CREATE TEMP TABLE compared_sentiments AS
SELECT coalesce(o.article_id, n.article_id) AS article_id, coalesce(o.company_id, n.company_id) AS company_id,
       o.sentiment AS old_sign, n.sentiment AS new_sign, o.score AS old_score, n.score AS new_score
FROM (SELECT * FROM old_sentiments SEMI JOIN both_have USING (article_id)) o
FULL JOIN (SELECT * FROM new_sentiments SEMI JOIN both_have USING (article_id)) n
    ON o.article_id = n.article_id AND o.company_id IS NOT DISTINCT FROM n.company_id;
INSERT INTO bases SELECT 'sentiments', count(*) FROM compared_sentiments;
INSERT INTO differences
SELECT 'sentiments',
       CASE WHEN old_sign IS NULL THEN 'gained' WHEN new_sign IS NULL THEN 'lost' WHEN old_sign <> new_sign THEN 'flipped' ELSE 'shifted' END,
       article_id, title, coalesce(c.name, company_id, 'the article'),
       printf('%+.2f', old_score) || ' ' || {word_of_old}, printf('%+.2f', new_score) || ' ' || {word_of_new}, 1
FROM compared_sentiments s JOIN both_have USING (article_id)
LEFT JOIN (SELECT company_id, any_value(name) AS name FROM (FROM old_companies UNION ALL FROM new_companies) GROUP BY ALL) c USING (company_id)
WHERE old_sign IS DISTINCT FROM new_sign OR abs(old_score - new_score) > 1e-9;

CREATE TEMP TABLE compared_entries AS
SELECT entry_id, coalesce(n.title, o.title) AS title, coalesce(n.feed_id, o.feed_id) AS feed_id, o.code AS old, n.code AS new
FROM old_entries o FULL JOIN new_entries n USING (entry_id);
INSERT INTO bases SELECT unnest(['entries', 'outcomes']), count(*) FROM compared_entries;
INSERT INTO differences
SELECT if(old IS NULL OR new IS NULL, 'entries', 'outcomes'),
       CASE WHEN old IS NULL THEN 'only in new' WHEN new IS NULL THEN 'only in old' ELSE 'changed' END,
       NULL, title, feed_id, old, new, 1
FROM compared_entries WHERE old IS DISTINCT FROM new;

INSERT INTO bases SELECT 'company records', count(*) FROM (SELECT company_id FROM old_companies UNION SELECT company_id FROM new_companies);
INSERT INTO differences
SELECT 'company records', CASE WHEN o.record_id IS NULL THEN 'only in new' WHEN n.record_id IS NULL THEN 'only in old' ELSE 'changed' END,
       NULL, NULL, coalesce(n.name, o.name), o.record_id, n.record_id, 1
FROM old_companies o FULL JOIN new_companies n USING (company_id)
WHERE o.record_id IS DISTINCT FROM n.record_id;
