-- The companies met so far, as last known: rows of lake.companies.
CREATE VIEW companies AS
SELECT * FROM lake.companies
QUALIFY row_number() OVER (PARTITION BY company_id ORDER BY available_at DESC, batch_id DESC) = 1;
