"""New lakes for tests: made once for each place, and put there again from then on.

What takes longest in a small lake is its first second: `news.duckdb`, whose views hold where the lake lies. So tests of a folder
whose conftest has `tmp_path` from here are given the same directory one after the other, empty.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.lake.definitions import definitions
from pipeline.lake.layout import Lake
from pipeline.lake.views import prepare

_AGAIN: list[Path] = []
_MADE: dict[tuple[Path, str], TemporaryDirectory[str]] = {}


@pytest.fixture(name="tmp_path")
def same_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty directory, at the same place for every test."""
    place = tmp_path_factory.getbasetemp() / "again"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    _AGAIN.append(place)
    yield place
    _AGAIN.clear()


def opened(root: Path) -> Lake:
    """A lake that is there for writing, new where there was none."""
    lake, is_new = Lake(root), not root.exists()
    like = root, definitions(lake)
    if is_new and like in _MADE:
        shutil.copytree(_MADE[like].name, root)
        return lake
    lake.open_for_writing()
    prepare(lake)
    if is_new and any(root.is_relative_to(place) for place in _AGAIN):
        _MADE[like] = TemporaryDirectory()
        shutil.copytree(root, _MADE[like].name, dirs_exist_ok=True)
    return lake
