"""### Take what was pushed

Started by whatever lies in the inbox (`NEWSMILL_INBOX`, else `inbox` in the run directory): what `newsmill push` received from a
WebSub hub, and files you put there: a feed's document, an HTML page, articles as JSON. `take` keeps their bytes, commits the
entries in them as a batch of their own and announces it like a pull; that starts **read_articles**. It asks no server, and a pull
that is at work does not hold it up. `docs/how-to/push.md` says what may be dropped.

A run by hand (the *Trigger* button, no options) takes what is there now; where nothing is, it is skipped. Without a triggerer
nobody looks into the inbox; **sweep** then takes what has waited for ten minutes.

**When it fails**

- *`take` is red*: what was taken lies in the inbox's folder `.taken`, under the batch's id, until it is in the lake. Clear it, or
  wait for the next drop or sweep: they go on with it. A `LossError` says what came in and did not end.
- *a file stays in the inbox*: it is still being written, its name begins with a dot or ends in `.part` or `.tmp`, or the
  triggerer is not running, or sees another directory.
- *a file is in `rejected`*: the `.reason` beside it says what is wrong. Correct it and drop it again.
"""

import os

from airflow.sdk import DAG, Asset, AssetWatcher, task
from news_assets import VISITS
from news_stage import RULES, batch_of

from embedded.inbox_trigger import InboxTrigger
from pipeline.settings import Settings

PLACE = Settings.from_env(os.environ).inbox.absolute()
INBOX = Asset("newsmill_inbox", uri="newsmill://inbox", watchers=[AssetWatcher("newsmill_inbox", InboxTrigger(path=str(PLACE)))])


@task(outlets=[VISITS], pool="newsmill_commit_push", multiple_outputs=False)
def take(dag_run=None, outlet_events=None) -> dict:
    from airflow.sdk.exceptions import AirflowSkipException

    from pipeline.run import follow_up, take_inbox

    settings = Settings.from_env(os.environ)
    reports = [report for report in take_inbox(settings, batch_of(dag_run), print) if report.counts["came_in"]]
    if not reports:
        raise AirflowSkipException("nothing was in the inbox")
    key = follow_up(settings, "push", reports[-1].batch_id)
    event = outlet_events[VISITS]
    event.extra = {"batch_id": reports[-1].batch_id, **reports[-1].counts}
    event.add_partitions([key])
    print(f"announced as {key}: {VISITS.name}")
    return {"announced_as": key, **event.extra}


with DAG("take_inbox", schedule=[INBOX], doc_md=__doc__, description="Take what was pushed", **RULES):
    take()
