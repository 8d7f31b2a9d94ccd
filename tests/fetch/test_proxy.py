"""A proxy between us and the web: all but what is local goes through it, nothing private does, and its password is never told."""

import asyncio
from collections.abc import Callable

import pytest

from pipeline.errors import ConfigError
from pipeline.fetch import Policy
from pipeline.fetch.post import post_form
from pipeline.settings import Settings
from schemas.web import Body, FetchCode, Kind
from tests.fetch.site import NO_ROBOTS, Route, Site, answer, bodies, policy_for, request, serving

NEWS = "http://news.example"


def through(routes: dict[str, Route], urls: Callable[[Site, Site], list[str]], who: str = "") -> tuple[list[Body], Site, Site]:
    """These addresses asked through a proxy that answers with these routes, by whole address; and a local site that is opened."""

    async def run() -> tuple[list[Body], Site, Site]:
        no_robots = {f"{NEWS}/robots.txt": NO_ROBOTS["/robots.txt"]}
        async with serving(no_robots | routes) as proxy, serving({"/": answer(body=b"local")}) as site:
            policy = policy_for(site, proxy=f"http://{who}127.0.0.1:{proxy.port}")
            asked = [request(url, Kind.PAGE) for url in urls(proxy, site)]
            found = await bodies(asked, policy)
            return sorted(found, key=lambda body: [r.url for r in asked].index(body.url)), proxy, site

    return asyncio.run(run())


def test_the_web_is_asked_through_the_proxy() -> None:
    routes = {f"{NEWS}/a": answer("301 Moved", Location="/b"), f"{NEWS}/b": answer(body=b"text")}
    (body,), proxy, _ = through(routes, lambda *_: [f"{NEWS}/a"], "user:s3cr3t@")
    assert (body.code, body.content, body.final_url) == (FetchCode.OK, b"text", f"{NEWS}/b")
    assert proxy.paths() == [f"{NEWS}/robots.txt", f"{NEWS}/a", f"{NEWS}/b"]
    assert {asked.headers["proxy-authorization"] for asked in proxy.asked} == {"Basic dXNlcjpzM2NyM3Q="}


def test_a_hub_is_asked_through_the_proxy_too() -> None:
    async def run() -> tuple[tuple[bool, str], Site]:
        async with serving({f"{NEWS}/hub": answer("202 Accepted")}) as proxy:
            policy = Policy(user_agent="test/1", proxy=f"http://user:s3cr3t@127.0.0.1:{proxy.port}")
            return await post_form(f"{NEWS}/hub", {"hub.mode": "subscribe"}, policy), proxy

    told, proxy = asyncio.run(run())
    assert (told, proxy.paths()) == ((True, "status 202"), [f"{NEWS}/hub"])
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic dXNlcjpzM2NyM3Q="


def test_what_is_local_and_opened_is_asked_directly() -> None:
    (body, named), proxy, site = through(
        {}, lambda _, site: [f"http://127.0.0.1:{site.port}/", f"http://a.localhost:{site.port}/"]
    )
    assert [body.content, named.content] == [b"local", b"local"]
    assert (proxy.asked, len(site.asked)) == ([], 4)


PRIVATE = ["127.0.0.1:1", "localhost:1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "169.254.169.254", "2130706433"]


def test_nothing_private_is_asked_through_it_nor_the_proxy_itself() -> None:
    routes = {f"{NEWS}/{n}": answer("302 Found", Location=f"http://{host}/") for n, host in enumerate(PRIVATE)}

    def urls(proxy: Site, _: Site) -> list[str]:
        own = [f"http://127.0.0.1:{proxy.port}/", f"http://localhost:{proxy.port}/"]
        return own + [f"http://{host}/" for host in PRIVATE] + list(routes)

    found, proxy, _ = through(routes, urls)
    assert [body.url for body in found if body.code is not FetchCode.FORBIDDEN_ADDRESS] == []
    assert set(proxy.paths()) == {f"{NEWS}/robots.txt", *routes}


@pytest.mark.parametrize(
    ("status", "why"),
    [("407 Authenticate", "the proxy opens no way there: status 407"), ("403 No", "the proxy opens no way there: status 403")],
)
def test_a_proxy_that_opens_no_way_is_named(status: str, why: str) -> None:
    (body,), proxy, _ = through({"news.example:443": answer(status)}, lambda *_: ["https://news.example/"], "user:s3cr3t@")
    assert (body.code, body.detail) == (FetchCode.UNREACHABLE, f"robots.txt: {why}")
    assert "s3cr3t" not in repr(body) and proxy.paths() == ["news.example:443"]


def test_a_proxy_that_is_not_there_is_named() -> None:
    async def run() -> Body:
        async with serving({}) as gone:
            pass
        (body,) = await bodies([request(NEWS)], policy_for(proxy=f"http://user:s3cr3t@127.0.0.1:{gone.port}"))
        return body

    body = asyncio.run(run())
    assert (body.code, "s3cr3t" in repr(body)) == (FetchCode.UNREACHABLE, False)
    assert (body.detail or "").startswith("no connection to the proxy: ")


@pytest.mark.parametrize(
    "proxy", ["s3cr3t", "http://u:s3cr3t@", "socks5://u:s3cr3t@h:1", "http://u:s3cr3t@h/x", "http://u:s3cr3t@h:x"]
)
def test_what_is_no_proxy_is_refused_and_not_repeated(proxy: str) -> None:
    with pytest.raises(ConfigError, match="NEWSMILL_PROXY is like ") as caught:
        Policy(user_agent="newsmill/1.0", proxy=proxy)
    assert "s3cr3t" not in str(caught.value) + repr(Settings.from_env({"NEWSMILL_PROXY": proxy}))
