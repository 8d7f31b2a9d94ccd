-- What the tagger of today says of the news of then, dated by when the news could first be known: for trying a new tagger on old news.
-- Of each article it takes the version that stood at `ts`, and the last judgement of that version that there is, whenever it was made.
-- Nothing that became available after `ts` decides which news there is; the judgements, and the registry of companies they rest on, are
-- of today, so what the tagger learnt since is in them. `sentiments_as_of(ts)` has what was really said by then.
-- column company_id: the company; null for the article as a whole
-- column news_at: when the article version became available: the time to trade on
-- column judged_at: when this judgement became available: later than news_at by as much as the model is younger than the news
-- column tagger: version of the rules and models that judged
-- column title: headline of that version
CREATE MACRO sentiments_rejudged(ts) AS TABLE
WITH standing AS (FROM articles_as_of(ts)),
last AS (
    SELECT t.version_id, t.tagging_id, t.tagger
    FROM lake.taggings t SEMI JOIN standing USING (version_id)
    WHERE t.problem IS NULL
    QUALIFY row_number() OVER (PARTITION BY t.version_id ORDER BY t.available_at DESC, t.batch_id DESC) = 1
)
SELECT s.company_id, s.news_at, s.available_at AS judged_at, s.sentiment, s.score, s.p_negative, s.p_neutral, s.p_positive, s.mixed,
       s.hedged, s.relevance, s.in_headline, last.tagger, a.title, a.source, a.url, a.genre, a.article_id, a.version_id, a.story_id,
       a.duplicate_of
FROM lake.sentiments s
JOIN last USING (tagging_id, version_id)
JOIN standing a USING (version_id);
