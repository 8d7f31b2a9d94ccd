"""The example DAGs load, and do what they say over a real lake."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.run import run_once
from pipeline.settings import Settings
from tests.airflow.conftest import CHECKOUT

pytestmark = pytest.mark.airflow


@pytest.mark.usefixtures("bag")
def test_bad_news_of_the_watched_are_told_by_batch(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow.dag_processing.dagbag import DagBag

    loaded: Any = DagBag(str(CHECKOUT / "examples/dags"))
    assert (loaded.import_errors, list(loaded.dags)) == ({}, ["watch_companies"])
    (tell,) = loaded.dags["watch_companies"].tasks
    first, *_ = run_once(Settings.from_env({"NEWSMILL_RUN": str(run_directory), "NEWSMILL_SPACING_S": "0"}), lambda _line: None)
    capsys.readouterr()

    told = tell.python_callable(dag_run=SimpleNamespace(partition_key=first.batch_id))
    lines = capsys.readouterr().out.splitlines()
    assert told == len(lines) > 0
    assert all(line.startswith(("Boeing -0.", "Volkswagen -0.", "Boeing -1.", "Volkswagen -1.")) for line in lines)
    assert tell.python_callable(dag_run=SimpleNamespace(partition_key="20200101T000000Z")) == 0
