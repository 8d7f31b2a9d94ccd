-- The companies met so far, as last known.
CREATE VIEW companies AS
SELECT c.* FROM lake.companies c WHERE c.record_id NOT IN (SELECT id FROM lake.superseded);
