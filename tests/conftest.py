"""What tests share: the wire's first batch in a lake, and the processes that workers are forked from."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import isolate
from pipeline.isolate.nursery import Nursery
from pipeline.lake import opened_once
from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.wire import catalogue
from tests.wire.visit import Clock, running

pytest_plugins = ["tests.stores"]


class _Shared(Nursery):
    """A nursery that outlives its workers, as starting one takes longer than most that tests have them do."""

    def close(self) -> None:
        pass


_NURSERIES: dict[tuple[float, int, frozenset[bytes]], Nursery] = {}


def _nursery(seconds: float, memory_mb: int, call: bytes) -> Nursery:
    key = seconds, memory_mb, frozenset(re.findall(rb"(?:pipeline|tests)[.\w]*", call))
    if not (key in _NURSERIES and _NURSERIES[key].lives()):
        _NURSERIES[key] = _Shared(seconds, memory_mb, call)
    return _NURSERIES[key]


@pytest.fixture(autouse=True)
def shared_nurseries(monkeypatch: pytest.MonkeyPatch) -> None:
    """One nursery for all calls of a test process that need the same modules and have the same limits."""
    monkeypatch.setattr(isolate, "Nursery", _nursery)


@pytest.fixture(autouse=True)
def lakes_opened_once() -> Iterator[None]:
    """A test's questions to a lake share a database, as those of a batch do."""
    with opened_once():
        yield


@pytest.fixture(scope="session")
def wire_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run directory (NEWSMILL_RUN) with the wire's catalogue and a lake after one batch; the wire goes on serving."""
    run_dir = tmp_path_factory.mktemp("wire")
    with running(run_dir, Clock(datetime.now(UTC))) as wire:
        (run_dir / "feeds.toml").write_text(catalogue(wire.port))
        (run_dir / "wire-address").write_text(f"127.0.0.1:{wire.port}")
        run_once(Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"}), lambda _line: None)
        yield run_dir
