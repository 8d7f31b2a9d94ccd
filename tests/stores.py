"""Where the lakes of tests are kept: a test that asks for `place` is run in a directory; marked `both_stores`, also in S3.

Every request to moto's server costs some milliseconds, and a lake begins with a hundred: each test finds one that is made once.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline.s3 import client, files, place_of
from tests.lake.news import new_lake
from tests.s3_server import Bucket, bucket

#: The lake in S3; news.duckdb in it holds its address.
ADDRESS = "s3://news/lake"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_stores")
        metafunc.parametrize("place", ["directory", "s3"] if both else ["directory"], indirect=True)


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[Bucket, dict[str, bytes]]]:
    """The server, and the objects of a new lake."""
    with bucket() as server, patch.object(client, "ATTEMPTS", 3):
        with patch.dict(os.environ, server.environ):
            new_lake(place_of(ADDRESS))
        yield server, server.objects()
    client.forget()


@pytest.fixture
def s3(moto: tuple[Bucket, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket with a new lake, to which the environment leads."""
    server, objects = moto
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    server.hold(objects)
    server.asked.clear()
    yield server
    server.faults.clear()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a lake may be made; in S3 there is one without rows already."""
    if request.param == "directory":
        return tmp_path / "lake"
    request.getfixturevalue("s3")
    monkeypatch.setattr(files, "LISTED_S", 0.05)  # a test asks again at once
    return place_of(ADDRESS)
