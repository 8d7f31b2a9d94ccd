-- Rows of lake.sentiments from a day on, of which each has what it carries of its article.
CREATE MACRO lake.judged_from(since, until) AS TABLE FROM lake.sentiments_from(since);
