-- Rows of lake.sentiments from a day on; those written when they carried nothing of their article get it from there, where it lies
-- under a day from `since` through `until`: no file of articles beside those is opened.
CREATE MACRO lake.judged_from(since, until) AS TABLE
SELECT s.* REPLACE (
    coalesce(s.news_title, a.title) AS news_title, coalesce(s.news_url, a.url) AS news_url, coalesce(s.news_source, a.source) AS news_source,
    coalesce(s.news_language, a.language) AS news_language, coalesce(s.news_genre, a.genre) AS news_genre,
    if(a.version_id IS NULL, s.news_words, list_transform(
        s.evidence, lambda e: substr(if(e.field = 'title', a.title, a.text), e.start + 1, e."end" - e.start))) AS news_words)
FROM lake.sentiments_from(since) s
LEFT JOIN (FROM lake.articles WHERE date BETWEEN since AND until) a ON s.news_title IS NULL AND a.version_id = s.version_id;
