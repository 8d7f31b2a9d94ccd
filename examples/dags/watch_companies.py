"""### Bad news about a few companies

Started by **tag_articles** for each batch it commits; prints what this batch says that is bad of the companies watched. An
example to copy into the dags folder: put the names that matter to you into `WATCHED`, and a notice in place of `print`.
"""

from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

WATCHED = ("Volkswagen", "Boeing")

TAGS = Asset("newsmill_tags", uri="newsmill://lake/tags")


@task
def tell(dag_run=None) -> int:
    import os

    from pipeline.lake import connect
    from pipeline.settings import Settings

    with connect(Settings.from_env(os.environ).lake) as con:
        bad = con.execute(
            """
            SELECT c.name, round(s.score, 2), a.title, a.url
            FROM sentiments s JOIN articles a USING (version_id) JOIN companies c USING (company_id)
            WHERE s.batch_id LIKE $batch || '%' AND s.sentiment < 0 AND s.relevance >= 0.5 AND list_contains($watched, c.name)
            """,
            {"batch": dag_run.partition_key, "watched": WATCHED},
        ).fetchall()
    for row in bad:
        print(*row)
    return len(bad)


with DAG("watch_companies", schedule=PartitionedAssetTimetable(assets=TAGS), doc_md=__doc__, catchup=False, max_active_runs=1):
    tell()
