-- The companies met so far, as last known.
CREATE VIEW companies AS
SELECT * FROM lake.companies
QUALIFY row_number() OVER (PARTITION BY company_id ORDER BY available_at DESC, batch_id DESC) = 1;
