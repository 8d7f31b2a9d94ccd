-- The sessions of an exchange, by its MIC, on the days from `since` through `until`, and when each closes; DST, holidays and early
-- closes are right on days that are `covered`, outside of them every weekday counts as a session that closes at the usual time.
-- column exchange: market identifier code of the exchange (ISO 10383)
-- column session: the day of the session, as the exchange dates it
-- column closes_at: when its regular trading closes
-- column early: it closes at another time than usual
-- column covered: the day lies in the years whose holidays are known
CREATE MACRO sessions(mic, since, until) AS TABLE
SELECT x.exchange, d.session, (d.session + coalesce(c.closes, x.closes)) AT TIME ZONE x.zone AS closes_at,
       c.closes IS NOT NULL AS early, d.session BETWEEN x.covered_from AND x.covered_to AS covered
FROM (SELECT unnest(generate_series(since::DATE, until::DATE, INTERVAL 1 DAY))::DATE AS session) d
JOIN lake.exchanges x ON d.session BETWEEN x.valid_from AND x.valid_to
LEFT JOIN lake.closures c ON c.exchange = x.exchange AND c.day = d.session
WHERE isodow(d.session) < 6 AND (c.day IS NULL OR c.closes IS NOT NULL)
  AND x.exchange = CASE WHEN mic IS NULL OR mic IN (SELECT e.exchange FROM lake.exchanges e) THEN mic
                   ELSE error('no exchange ' || mic || ': FROM lake.exchanges names those whose sessions are known, by MIC') END
ORDER BY d.session;
