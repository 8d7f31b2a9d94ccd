"""What tests of the command line share: the wire's first batch in a lake."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.wire import catalogue
from tests.wire.visit import Clock, running


@pytest.fixture(scope="session")
def wire_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run directory (NEWSMILL_RUN) with the wire's catalogue and a lake after one batch; the wire goes on serving."""
    run_dir = tmp_path_factory.mktemp("wire")
    with running(run_dir, Clock(datetime.now(UTC))) as wire:
        (run_dir / "feeds.toml").write_text(catalogue(wire.port))
        (run_dir / "wire-address").write_text(f"127.0.0.1:{wire.port}")
        run_once(Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"}), lambda _line: None)
        yield run_dir
