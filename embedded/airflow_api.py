"""The few questions the launcher puts to Airflow's REST API. Loopback only, never through a proxy."""

import json
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

Json = dict[str, Any]


class AirflowApi:
    """One Airflow, with the token of one login."""

    def __init__(self, address: str, password: str) -> None:
        self._address = address
        self._password = password
        self._opener: OpenerDirector = build_opener(ProxyHandler({}))
        self._token = ""

    def log_in(self) -> bool:
        """Whether Airflow answers by now, to its tasks too: their side of it is built at its first request, in seconds."""
        try:
            self._call("GET", "/execution/health")
            self._token = self._call("POST", "/auth/token", {"username": "admin", "password": self._password})["access_token"]
        except OSError:
            return False
        return True

    def trigger(self, dag: str) -> Json | None:
        """A new run by hand, or None while Airflow does not know the DAG."""
        try:
            return self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "note": "asked for at the start"})
        except HTTPError as refused:
            if refused.code == 404:
                return None
            raise

    def unfinished(self, dag: str) -> Json | None:
        """The oldest run that has not ended."""
        runs = self._call("GET", f"/api/v2/dags/{dag}/dagRuns?state=queued&state=running&order_by=run_after&limit=1")["dag_runs"]
        return runs[0] if runs else None

    def first_started(self, dag: str, since: datetime) -> Json | None:
        """Of the DAG's runs the first that was started after this moment."""
        asked = f"limit=1&order_by=start_date&start_date_gte={quote(since.isoformat())}"
        runs = self._call("GET", f"/api/v2/dags/{dag}/dagRuns?{asked}")["dag_runs"]
        return runs[0] if runs and runs[0]["start_date"] else None

    def import_errors(self) -> list[Json]:
        return self._call("GET", "/api/v2/importErrors")["import_errors"]

    def run(self, dag: str, run_id: str) -> Json:
        return self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}")

    def run_of_batch(self, dag: str, batch_id: str) -> Json | None:
        runs = self._call("GET", f"/api/v2/dags/{dag}/dagRuns?limit=1&partition_key_prefix_pattern={batch_id}")["dag_runs"]
        return runs[0] if runs else None

    def tasks(self, run: Json) -> list[Json]:
        return self._call("GET", f"{_path(run)}/taskInstances")["task_instances"]

    def announced(self, run: Json) -> Json:
        """What the run's last task said of its batch (Airflow's list of events fails while a run of theirs is queued)."""
        return self._call("GET", f"{_path(run)}/taskInstances/announce/xcomEntries/return_value")["value"] or {}

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        data = None if body is None else json.dumps(body).encode()
        with self._opener.open(Request(self._address + path, data, headers, method=method), timeout=20) as answer:  # noqa: S310
            return json.load(answer)


def _path(run: Json) -> str:
    return f"/api/v2/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}"
