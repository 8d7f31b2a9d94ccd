-- One lake as it was at the end of the days compared: last versions, what was last said of them, how every entry last ended.
CREATE TEMP TABLE {side}_articles AS
SELECT article_id, version_id, entry_id, source, title, length(text) AS characters, md5(text) AS text_hash, md5(promo::VARCHAR) AS promo_hash,
       len(promo) AS pieces, concat_ws(' ', published_at, published_precision, published_basis) AS published,
       array_to_string(authors, ', ') AS authors, language, access, genre
FROM {side}.lake.articles
WHERE date BETWEEN {since} AND {until}
  AND version_id NOT IN (SELECT id FROM {side}.lake.superseded WHERE date <= {until})
  AND article_id NOT IN (SELECT id FROM {side}.lake.forgotten);

CREATE TEMP TABLE {side}_relations AS
SELECT article_id, any_value(r.other_article_id) AS other
FROM {side}.lake.relations r SEMI JOIN {side}_articles USING (version_id)
WHERE r.date <= {until} AND r.kind = 'duplicate_of'
  AND r.other_version_id NOT IN (SELECT id FROM {side}.lake.superseded WHERE date <= {until})
  AND r.other_article_id NOT IN (SELECT id FROM {side}.lake.forgotten)
GROUP BY article_id;

CREATE TEMP TABLE {side}_mentions AS
SELECT article_id, company_id, any_value(name) AS name, field, surface, in_ad, count(*) AS n
FROM {side}.lake.mentions m SEMI JOIN {side}_articles USING (version_id)
WHERE m.date <= {until} AND m.tagging_id NOT IN (SELECT id FROM {side}.lake.superseded WHERE date <= {until})
GROUP BY article_id, company_id, field, surface, in_ad;

CREATE TEMP TABLE {side}_sentiments AS
SELECT article_id, company_id, arg_max(sentiment, (score, sentiment)) AS sentiment, max(score) AS score
FROM {side}.lake.sentiments s SEMI JOIN {side}_articles USING (version_id)
WHERE s.date <= {until} AND s.tagging_id NOT IN (SELECT id FROM {side}.lake.superseded WHERE date <= {until})
GROUP BY article_id, company_id;

CREATE TEMP TABLE {side}_entries AS
SELECT e.entry_id, arg_max(e.feed_id, e.seen_at) AS feed_id, arg_max(e.title, (e.seen_at, e.number)) AS title,
       arg_max(coalesce(o.code, 'waiting'), (e.seen_at, e.number, coalesce(o.attempt, 0))) AS code
FROM {side}.lake.entries e
LEFT JOIN {side}.lake.outcomes o ON o.entry_id = e.entry_id AND o.revision = e.revision AND o.date <= {until} AND o.reread IS NOT TRUE
WHERE e.date BETWEEN {since} AND {until} AND e.entry_id NOT IN (SELECT id FROM {side}.lake.forgotten)
GROUP BY e.entry_id;

CREATE TEMP TABLE {side}_companies AS
SELECT company_id, arg_max(name, available_at) AS name, arg_max(record_id, available_at) AS record_id
FROM {side}.lake.companies WHERE date BETWEEN {since} AND {until} GROUP BY company_id;
