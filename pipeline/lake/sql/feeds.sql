-- The last visit to every feed.
CREATE VIEW feeds AS
SELECT * FROM lake.visits
QUALIFY row_number() OVER (PARTITION BY feed_id ORDER BY visited_at DESC) = 1;
