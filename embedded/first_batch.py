"""One batch through the three DAGs, from the button to the last commit, and what to say where it stops."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from embedded.airflow_api import AirflowApi, Json
from embedded.steps import Steps

DAGS = ("pull_feeds", "read_articles", "tag_articles")
TICK_S = 0.4
Found = TypeVar("Found")


class FirstBatchFailed(Exception):
    """The batch did not reach its end; the message says where and what to look at."""


@dataclass(frozen=True)
class Watch:
    """Asks again until there is an answer: `listen` hears the processes each time, and the time is bounded."""

    listen: Callable[[], None]
    limit_s: float
    start: float = field(default_factory=time.monotonic)

    def until(self, what: str, ask: Callable[[], Found | None]) -> Found:
        """The first answer of `ask` that counts; where Airflow gives none at all, it may be busy.

        Raises:
            FirstBatchFailed: the time is up.
        """
        refusal = ""
        while True:
            self.listen()
            try:
                if answer := ask():
                    return answer
            except OSError as error:
                refusal = f" ({error})"
            if time.monotonic() > self.start + self.limit_s:
                raise FirstBatchFailed(f"{what}: not done after {self.limit_s:.0f} s in all{refusal}")
            time.sleep(TICK_S)


@dataclass(frozen=True)
class FirstBatch:
    """`logs` is where Airflow keeps the logs of its tasks."""

    api: AirflowApi
    watch: Watch
    steps: Steps
    logs: Path

    def follow(self) -> None:
        """Begins with the first DAG and follows its batch to the end of the last.

        Raises:
            FirstBatchFailed: a DAG cannot be loaded, a run failed, or the time is up.
        """
        from pipeline.run import batch_id_of

        self.steps.begin(DAGS[0])
        since = datetime.now(UTC)
        first = self.watch.until(DAGS[0], self._begin)
        if first["state"] != "running":
            # a tick of the schedule may come first, and then has the news; the run by hand would find nothing
            first = self.watch.until(DAGS[0], lambda: self.api.first_started(DAGS[0], since))
        batch_id = first["partition_key"] or batch_id_of(datetime.fromisoformat(first["run_after"]))
        batch_id = self._to_end(DAGS[0], lambda: self.api.run(DAGS[0], first["dag_run_id"])) or batch_id
        for dag in DAGS[1:]:
            self.steps.begin(dag)
            batch_id = self._to_end(dag, partial(self.api.run_of_batch, dag, batch_id)) or batch_id

    def _begin(self) -> Json | None:
        """A run that is under way, from the schedule or from before a kill, or else one by hand."""
        if errors := self.api.import_errors():
            raise FirstBatchFailed(f"Airflow cannot load {errors[0]['filename']}:\n{errors[0]['stack_trace']}")
        return self.api.unfinished(DAGS[0]) or self.api.trigger(DAGS[0])

    def _to_end(self, dag: str, ask: Callable[[], Json | None]) -> str | None:
        """Under which batch id the next DAG goes on: a run left by an earlier Airflow may be too old for its own."""
        from pipeline.run.account import in_words

        def ended() -> Json | None:
            run = ask()
            if not run:
                return None
            tasks = self.api.tasks(run)
            self.steps.note(dag, progress(tasks))
            if run["state"] == "failed":
                raise FirstBatchFailed(failure(run, tasks, self.logs))
            return run if run["state"] == "success" else None

        run = self.watch.until(dag, ended)
        counts = self.api.announced(run)
        announced_as: str | None = counts.pop("announced_as", None)
        self.steps.end(dag, in_words(counts) if counts else "nothing announced")
        return announced_as


def progress(tasks: list[Json]) -> str:
    done = sum(task["state"] == "success" for task in tasks)
    again = [task["task_id"] for task in tasks if task["state"] == "up_for_retry"]
    return f"{done} of {len(tasks)} tasks" + (f"; failed, to be tried again: {', '.join(again)}" if again else "")


def failure(run: Json, tasks: list[Json], logs: Path) -> str:
    """What failed, with the end of the first log."""
    failed = [task for task in tasks if task["state"] == "failed"]
    told = [f"{run['dag_id']} failed in {', '.join(task['task_id'] for task in failed) or 'no task'}"]
    for task in failed[:1]:
        names = {"dag_id": run["dag_id"], "run_id": run["dag_run_id"], "task_id": task["task_id"]}
        log = logs.joinpath(*(f"{key}={value}" for key, value in names.items()), f"attempt={task['try_number']}.log")
        told += [f"the end of {log}:", *(f"  {line}" for line in last_lines(log))]
    return "\n".join(told)


def last_lines(log: Path, count: int = 12) -> list[str]:
    """The last lines of a log as a person reads them: Airflow writes its tasks' logs as JSON lines, errors with their cause."""
    if not log.exists():
        return ["(no log)"]
    lines: list[str] = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {}
        lines += [entry.get("event") or line, *map(_cause, entry.get("error_detail") or [])]
    return [line for line in lines if line.strip() and not line.startswith("::")][-count:]


def _cause(error: Json) -> str:
    where = (error.get("frames") or [{}])[-1]
    return f"{error.get('exc_type')}: {error.get('exc_value')}  (line {where.get('lineno')} of {where.get('filename')})"
