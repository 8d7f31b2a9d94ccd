"""A feed's credentials as Airflow keeps them: found by name in a task, or said not to be there."""

from typing import Any

import pytest

from pipeline.fetch import header_of
from schemas.web import Header

pytestmark = pytest.mark.airflow


@pytest.mark.usefixtures("bag")
def test_a_connection_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from news_stage import connection

    monkeypatch.setenv("AIRFLOW_CONN_EXAMPLE", "http://user:p%40ss-word@news.example/?a=b")
    said: Any = connection("example")
    assert header_of(said) == Header(name="Authorization", value="Basic dXNlcjpwQHNzLXdvcmQ=")
    assert connection("nowhere") is None
