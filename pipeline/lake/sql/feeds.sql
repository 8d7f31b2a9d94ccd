-- The last visit to every feed, as of the last closed day or since: rows of lake.visits. What was pushed is no visit to it.
CREATE VIEW feeds AS
SELECT * FROM (
    SELECT * FROM lake.visits_from({watermark} + 1) WHERE stage <> 'push'
    UNION ALL BY NAME
    SELECT unnest(last_visit), batch_id, stage, pipeline_version, available_at, date FROM lake.feed_state
)
QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY visited_at DESC) = 1;
