"""A feed's credentials: the forms they may have, and that they reach the feed's own origin and nobody and nothing else."""

import asyncio
import json
from dataclasses import replace

import pytest

from pipeline.errors import ConfigError
from pipeline.fetch import header_of
from pipeline.settings import Settings
from schemas.web import Body, FetchCode, Header
from tests.fetch.site import Asked, Site, answer, bodies, policy_for, request, serving

SECRET = Header(name="Authorization", value="Bearer s3cr3t")


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ("nü:p:w ", "Authorization", "Basic bsO8OnA6dw=="),
        (" Bearer abc.def\n", "Authorization", "Bearer abc.def"),
        ("token abc", "Authorization", "token abc"),
        ("X-Api-Key: k y", "X-Api-Key", "k y"),
        ("http://user:p%40ss@news.example:443/", "Authorization", "Basic dXNlcjpwQHNz"),
        ("http://:tok@news.example", "Authorization", "Bearer tok"),
        (json.dumps({"conn_type": "http", "login": "user", "password": "p@ss"}), "Authorization", "Basic dXNlcjpwQHNz"),
        (json.dumps({"conn_type": "http", "password": "tok"}), "Authorization", "Bearer tok"),
    ],
)
def test_forms_of_credentials(said: str, name: str, value: str) -> None:
    assert header_of(said) == Header(name=name, value=value)


@pytest.mark.parametrize(
    "said",
    [
        *("", "hunter2", ":hunter2", "Bearer", "Bearer hun\r\nter2", "X-Key: hün", "Host: hunter2", "Content-Length: 7"),
        *("{hunter2", '["hunter2"]', '{"login": 7}{', "https://news.example/hunter2", "https://[hunter2", "Bearer hün"),
    ],
)
def test_what_has_no_form_is_refused_and_not_repeated(said: str) -> None:
    with pytest.raises(ConfigError, match=r"^credentials of no form that is known; give ") as caught:
        header_of(said)
    assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None


def test_they_are_looked_for_in_the_environment_and_the_settings_do_not_show_them() -> None:
    environ = {"NEWSMILL_CREDENTIALS_A": "u:hunter2", "AIRFLOW_CONN_A": "http://x:y@z", "AIRFLOW_CONN_B": "http://u:hunter2@z"}
    settings = Settings.from_env(environ)
    assert [settings.secrets(name) for name in "abc"] == ["u:hunter2", "http://u:hunter2@z", None]
    assert "hunter2" not in repr(settings)
    assert "s3cr3t" not in repr(replace(request("https://x.example/"), secret=SECRET))


def carried(asked: list[Asked]) -> dict[str, str | None]:
    return {one.path: one.headers.get("authorization") for one in asked}


def visited(routes: dict[str, str], start: str) -> tuple[Body, Site, Site]:
    """A feed with credentials at its own site, whose paths redirect as told: to {own} or {other}."""

    async def run() -> tuple[Body, Site, Site]:
        async with serving({"/end": answer(body=b"text")}) as own, serving({"/end": answer(body=b"text")}) as other:
            at = {"own": f"http://127.0.0.1:{own.port}", "other": f"http://127.0.0.1:{other.port}"}
            moved = {path: answer("302 Found", Location=to.format(**at)) for path, to in routes.items()}
            own.routes, other.routes = {**own.routes, **moved}, {**other.routes, **moved}
            asked = replace(request(at["own"] + start), secret=SECRET)
            (body,) = await bodies([asked], policy_for(own, other))
            return body, own, other

    return asyncio.run(run())


def test_they_are_sent_to_their_own_origin_alone() -> None:
    body, own, other = visited({"/a": "/b", "/b": "{other}/c", "/c": "{own}/end"}, "/a")
    assert body.code is FetchCode.OK
    # once led elsewhere, nobody gets them any more: the address is a stranger's then
    assert carried(own.asked) == {"/robots.txt": None, "/a": SECRET.value, "/b": SECRET.value, "/end": None}
    assert carried(other.asked) == {"/robots.txt": None, "/c": None}
    assert "s3cr3t" not in repr(body)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://news.example/feed", "credentials are sent over https only: give the feed's https address"),
        ("http://8.8.8.8/feed", "credentials are sent over https only: give the feed's https address"),
    ],
)
def test_they_do_not_cross_the_network_in_the_clear(url: str, why: str) -> None:
    (body,) = asyncio.run(bodies([replace(request(url), secret=SECRET)], policy_for()))
    assert (body.code, body.status, body.detail) == (FetchCode.NO_CREDENTIALS, None, why)


def test_without_them_nothing_is_sent() -> None:
    async def run() -> None:
        async with serving({"/": answer(body=b"text")}) as site:
            asked = replace(request(f"http://127.0.0.1:{site.port}/"), unsent="nothing is kept under its credentials")
            (body,) = await bodies([asked], policy_for(site))
            assert (body.code, body.detail) == (FetchCode.NO_CREDENTIALS, "nothing is kept under its credentials")
            assert site.asked == []

    asyncio.run(run())
