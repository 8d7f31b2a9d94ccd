"""A real Airflow with its own database, and the real sample wire, once for all tests of this folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.airflow_home import airflow_settings
from embedded.run_directory import RunDirectory
from tests.airflow.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
DAGS = CHECKOUT / "dags"


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run directory of a running wire."""
    place, port = tmp_path_factory.mktemp("wire"), free_port()
    command = [sys.executable, "-m", "pipeline", "wire", "--port", str(port), "--run-dir", str(place)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 20
        while not (place / "wire-address").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield place
        process.terminate()


@pytest.fixture(scope="session")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The DAGs as Airflow loads them, and a database to run them with."""
    with pytest.MonkeyPatch.context() as patch:
        place = RunDirectory(tmp_path_factory.mktemp("run"))
        place.prepare()
        for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
            patch.delenv(name)
        for name, value in airflow_settings(place, DAGS, free_port(), place.read(place.secrets)).items():
            patch.setenv(name, value)
        patch.syspath_prepend(str(DAGS))  # as Airflow does
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
        from airflow.utils import db

        db.initdb()
        DagBundlesManager().sync_bundles_to_db()
        loaded = DagBag(str(DAGS))
        sync_bag_to_db(loaded, "dags-folder", None)
        yield loaded


@pytest.fixture
def run_directory(wire: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh lake that is fed by the wire."""
    for name in [name for name in os.environ if name.startswith("NEWSMILL")]:
        monkeypatch.delenv(name)
    for name in ("feeds.toml", "wire-address"):
        (tmp_path / name).write_text((wire / name).read_text())
    monkeypatch.setenv("NEWSMILL_RUN", str(tmp_path))
    monkeypatch.setenv("NEWSMILL_SPACING_S", "0")
    return tmp_path
