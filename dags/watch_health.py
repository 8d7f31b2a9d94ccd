"""### Watch what comes out, and the feeds

Every 15 minutes (`NEWSMILL_HEALTH_CRON` changes that) one task asks the lake whether news come out as usual: how old the newest
article is, how many came in 24 hours against the same weekday, whether what came waits to be read or tagged, whether feeds are
visited; and which feeds have fallen silent by their own weekdays, block us, are dead or gone. What is new, and what is over, is
sent once to the addresses in `NEWSMILL_NOTIFY`. A run by hand does the same, at once; so does `newsmill health --notify`.

**When it fails**

- *`watch` is red, and its last lines say what*: something that comes out is wrong, for as long as it is; or feeds are silent,
  blocked, dead or gone, which is red on their first day. After that they are listed in the log and by `newsmill health`, and
  make nothing red: a feed that stays dead must not hide the next one. Each is named with its remedy.
- *it says that nobody took the notice*: check `NEWSMILL_NOTIFY`. It is sent again the next time.
- *skipped*: there is no lake yet.
"""

import os
from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from news_stage import RULES

EVERY = CronTriggerTimetable(
    os.environ.get("NEWSMILL_HEALTH_CRON", "4-59/15 * * * *"), timezone="UTC", run_immediately=timedelta(0)
)


@task
def watch() -> dict:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

    from pipeline.run import notices
    from pipeline.run import watch as look
    from pipeline.settings import Settings

    settings = Settings.from_env(os.environ)
    if not (settings.lake / "format.json").exists():
        raise AirflowSkipException(f"no lake at {settings.lake} yet")
    found = look(settings, print, send=notices.sender(settings.notify) if settings.notify else None)
    if found.urgent:
        raise AirflowFailException(found.call)
    return {"feeds": found.health.states, "known": [str(alarm) for alarm in found.health.alarms]}


with DAG("watch_health", schedule=EVERY, doc_md=__doc__, description="Watch what comes out, and the feeds", **RULES):
    watch()
