"""Where the lakes of tests are kept: a test that asks for `place` is run in a directory and in S3, unless it says `directory`."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.s3 import client, files, place_of
from tests.s3_server import Bucket, bucket


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        here_alone = metafunc.definition.get_closest_marker("directory")
        metafunc.parametrize("place", ["directory"] if here_alone else ["directory", "s3"], indirect=True)


@pytest.fixture(scope="session")
def moto() -> Iterator[Bucket]:
    with bucket() as server:
        yield server


@pytest.fixture
def s3(moto: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket that the environment leads to."""
    for name, value in moto.environ.items():
        monkeypatch.setenv(name, value)
    client.forget()
    moto.asked.clear()
    yield moto
    moto.faults.clear()
    client.forget()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a lake may be made."""
    if request.param == "directory":
        return tmp_path / "lake"
    request.getfixturevalue("s3")
    monkeypatch.setattr(files, "LISTED_S", 0.05)  # a test asks again at once
    return place_of(f"s3://news/{secrets.token_hex(6)}")
