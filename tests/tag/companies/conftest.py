import pytest

from pipeline.tag.companies import Registry, load_registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry()
