"""One wire for each test module; its clock stands at the start until a test moves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.visit import START, Clock, Wire, running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(Path(tmp_path_factory.mktemp("wire")), Clock()) as wire:
        yield wire


@pytest.fixture
def wire(served: Wire) -> Wire:
    served.clock.now = START
    return served
