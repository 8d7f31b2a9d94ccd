"""Politeness as the servers see it: robots.txt, pauses, waits asked for, one request at a time, closing early."""

import asyncio
import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.fetch import fetch
from pipeline.fetch.headers import http_date, retry_after
from pipeline.fetch.robots import parse
from schemas.web import Body, FetchCode, Kind
from tests.fetch.site import NOW, Site, answer, ask_site, bodies, policy_for, request, serving

OK = answer(body=b"text")


def robots(text: str) -> dict[str, bytes]:
    return {"/robots.txt": answer(body=text.encode()), "/open": OK, "/shut": OK}


def ends(found: list[Body]) -> list[tuple[str, str | None]]:
    return [(body.code.value, body.robots) for body in found]


@pytest.mark.parametrize("kind", list(Kind))
def test_robots_txt_is_read_once_and_kept_for_feeds_and_pages(kind: Kind) -> None:
    rules = robots("User-agent: other\nDisallow: /open\n\nUser-agent: *\nDisallow: /shut\n")
    found, site = ask_site(rules, "/shut", "/open", "/open?2", kind=kind)
    assert ends(found) == [("disallowed", "disallowed"), ("ok", "allowed"), ("status", "allowed")]
    assert (found[0].status, found[0].final_url, found[0].detail) == (None, None, "robots.txt disallows it")
    assert site.paths() == ["/robots.txt", "/open", "/open?2"]


@pytest.mark.parametrize(
    ("reply", "feed", "page"),
    [
        (answer("404 Not Found"), ("ok", "none"), ("ok", "none")),
        (answer("403 Forbidden"), ("ok", "none"), ("ok", "none")),
        (answer("500 Oh"), ("ok", "unavailable"), ("disallowed", "unavailable")),
        (answer("429 Slow"), ("ok", "unavailable"), ("disallowed", "unavailable")),
        (b"nonsense\r\n\r\n", ("ok", "unavailable"), ("unreachable", "unavailable")),
        (answer("301 Moved", Location="/robots.txt"), ("ok", "none"), ("ok", "none")),
        (answer("301 Moved", Location="http://10.0.0.1/"), ("ok", "unavailable"), ("disallowed", "unavailable")),
        (answer("301 Moved", Location="/rules"), ("disallowed", "disallowed"), ("disallowed", "disallowed")),
        (answer(body=b""), ("ok", "allowed"), ("ok", "allowed")),
        (
            answer(body=b"\xef\xbb\xbfUser-agent: Newsmill\nDisallow: /"),
            ("disallowed", "disallowed"),
            ("disallowed", "disallowed"),
        ),
        (
            answer(body=b"User-agent: *\nDisallow: /\n" + b"#" * 600_000),
            ("disallowed", "disallowed"),
            ("disallowed", "disallowed"),
        ),
    ],
)
def test_what_the_answer_for_robots_txt_means(reply: bytes, feed: tuple[str, str], page: tuple[str, str]) -> None:
    routes = {"/robots.txt": reply, "/rules": answer(body=b"User-agent: *\nDisallow: /open"), "/open": OK}
    assert ends(ask_site(routes, "/open", kind=Kind.FEED)[0]) == [feed]
    assert ends(ask_site(routes, "/open", kind=Kind.PAGE)[0]) == [page]


def test_robots_txt_of_the_host_redirected_to_is_kept() -> None:
    async def run() -> None:
        async with serving(robots("User-agent: *\nDisallow: /shut")) as there:
            away = answer("302 Found", Location=f"http://there.localhost:{there.port}/shut")
            async with serving({"/": away}) as here:
                (body,) = await bodies([request(f"http://127.0.0.1:{here.port}/")], policy_for(here, there))
                assert ends([body]) == [("disallowed", "disallowed")]
                assert body.redirects == (f"http://there.localhost:{there.port}/shut",)
                assert there.paths() == ["/robots.txt"]

    asyncio.run(run())


GROUPS = {
    "User-agent: newsmill\nDisallow: /a": "disallowed",
    "USER AGENT NewsMill/2.0\nDisallow: /a": "disallowed",
    "User-agent: news\nDisallow: /a": "allowed",
    "User-agent: newsmill-beta\nDisallow: /a": "allowed",
    "User-agent: *\nDisallow: /\n\nUser-agent: newsmill\nAllow: /": "allowed",
    "User-agent: x\nUser-agent: newsmill # us\nDisallow: /*a$": "disallowed",
    "User-agent: *\nDisallow:": "allowed",
    "<html>no rules here</html>": "allowed",
}


def test_which_group_is_ours() -> None:
    assert {text: parse(text.encode(), "newsmill").verdict("http://x.example/a") for text in GROUPS} == GROUPS


@pytest.mark.parametrize(
    "hostile",
    [
        "\n".join(f"User-agent: a{n}" for n in range(20_000)) + "\nDisallow: /" * 20_000,
        "User-agent: *\n" + "\n".join(f"Disallow: /*a*a*a*a*{n}" for n in range(20_000)),
        "User-agent: *\nDisallow: /" + "*a" * 200_000,
        "User-agent" + " " * 400_000,
    ],
)
def test_hostile_robots_txt_costs_little(hostile: str) -> None:
    started = time.process_time()
    parse(hostile.encode(), "newsmill").verdict("http://x.example/" + "a" * 2000)
    assert time.process_time() - started < 5


def gaps(site: Site) -> list[float]:
    """Seconds between the end of each request and the start of the next."""
    return [later.at - earlier.done_at for earlier, later in itertools.pairwise(site.asked)]


def test_one_request_at_a_time_with_a_pause_between() -> None:
    async def run() -> None:
        async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.1)
            writer.write(OK)

        async with serving({"/a": slow, "/b": slow, "/c": answer("302 Found", Location="/a")}) as site:
            asked = [request(f"http://127.0.0.1:{site.port}/{path}", kind) for path in "abc" for kind in Kind]
            await bodies(asked, policy_for(site, spacing_s=0.2))
            assert len(site.asked) == 9
            assert site.most_busy == 1
            assert min(gaps(site)) > 0.18

    asyncio.run(run())


def test_one_host_whatever_the_port_and_the_case() -> None:
    async def run() -> None:
        async with serving({"/": OK}) as one, serving({"/": OK}) as two:
            asked = [request(f"http://{name}.localhost:{site.port}/") for name in ("News", "news") for site in (one, two)]
            await bodies(asked, policy_for(one, two, spacing_s=0.2))
            times = sorted(seen.at for site in (one, two) for seen in site.asked)
            assert len(times) == 6
            assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.18

    asyncio.run(run())


def test_hosts_are_asked_side_by_side_but_only_so_many() -> None:
    async def run(max_hosts: int) -> int:
        async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.1)
            writer.write(OK)

        async with serving({"/": slow}) as site:
            asked = [request(f"http://h{n}.localhost:{site.port}/") for n in range(8)]
            found = await bodies(asked, policy_for(site, max_hosts=max_hosts))
            assert [body.code for body in found] == [FetchCode.OK] * 8
            return site.most_busy

    assert asyncio.run(run(8)) == 8
    assert asyncio.run(run(2)) == 2


def test_a_slow_host_does_not_hold_up_the_others() -> None:
    async def run() -> None:
        async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving({"/hang": hang, "/": OK}) as site:
            asked = [request(f"http://h{n}.localhost:{site.port}/{'hang' if n == 0 else ''}") for n in range(5)]
            found = await bodies(asked, policy_for(site, read_s=0.5))
            assert [body.code for body in found] == [FetchCode.OK] * 4 + [FetchCode.UNREACHABLE]

    asyncio.run(run())


def test_crawl_delay_is_kept_and_cut_when_it_is_too_long() -> None:
    routes = robots("User-agent: *\nCrawl-delay: 0.3")
    found, site = ask_site(routes, "/open", "/shut")
    assert [body.detail for body in found] == [None, None]
    assert min(gaps(site)) > 0.28
    routes = robots("User-agent: *\nCrawl-delay: 3600")
    found, site = ask_site(routes, "/open", "/shut", max_wait_s=0.3)
    assert [(body.code, body.detail) for body in found] == [(FetchCode.OK, "crawl-delay of 3600 s cut to 0.3 s")] * 2
    assert min(gaps(site)) > 0.28


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("value", ["120", "Sun, 22 Nov 2026 10:17:00 GMT"])
def test_a_long_wait_asked_for_ends_the_rest_unasked(status: str, value: str) -> None:
    (first, second), site = ask_site({"/a": answer(status, Retry_After=value), "/b": OK}, "/a", "/b")
    assert (first.code, first.status, first.retry_after_s) == (FetchCode.STATUS, int(status[:3]), 120)
    assert (second.code, second.status, second.final_url) == (FetchCode.DEFERRED, None, None)
    assert second.retry_after_s == pytest.approx(120, abs=5)
    assert second.detail is not None
    assert second.detail.startswith("host asked to wait 1")
    assert site.paths() == ["/robots.txt", "/a"]


def test_a_short_wait_asked_for_is_kept() -> None:
    (first, second), site = ask_site({"/a": answer("429 Slow", Retry_After="1"), "/b": OK}, "/a", "/b")
    assert (first.retry_after_s, second.code) == (1, FetchCode.OK)
    assert gaps(site)[1] > 0.95


def test_too_many_requests_without_a_time_slows_down() -> None:
    _, site = ask_site({"/a": answer("429 Slow"), "/b": OK, "/c": OK}, "/a", "/b", "/c", spacing_s=0.1)
    assert gaps(site)[1] > 0.18


def test_robots_txt_that_asks_to_wait_ends_the_rest() -> None:
    (body,), site = ask_site({"/robots.txt": answer("503 Later", Retry_After="99"), "/a": OK}, "/a", kind=Kind.PAGE)
    assert (body.code, body.robots, body.retry_after_s) == (FetchCode.DEFERRED, "unavailable", 99)
    assert site.paths() == ["/robots.txt"]


def test_retry_after_is_read_in_both_forms() -> None:
    later = NOW + timedelta(seconds=90)
    values = {
        "90": 90.0,
        "Sun, 22 Nov 2026 10:16:30 GMT": 90.0,
        "Sat, 21 Nov 2026 10:16:30 GMT": 0.0,
        "-5": None,
        "soon": None,
        "١": None,
    }
    assert {value: retry_after(value, NOW) for value in values} == values
    assert http_date("Sun, 22 Nov 2026 11:16:30 +0100") == later == datetime(2026, 11, 22, 10, 16, 30, tzinfo=UTC)


def open_files() -> int:
    here = Path("/dev/fd")
    return len(list(here.iterdir())) if here.exists() else 0


def test_closing_early_leaves_nothing_behind() -> None:
    async def run() -> None:
        async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving({"/": OK, "/hang": hang}) as site:
            asked = [request(f"http://h{n}.localhost:{site.port}/{'hang' if n else ''}") for n in range(9)]
            before = asyncio.all_tasks()
            files = open_files()
            stream = fetch(asked, policy_for(site), clock=lambda: NOW)
            first = await anext(stream)
            assert first.code is FetchCode.OK
            await stream.aclose()  # type: ignore[attr-defined]
            for _ in range(100):
                if site.connections == 0:
                    break
                await asyncio.sleep(0.01)
            assert site.connections == 0
            await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == before
            assert open_files() == files

    asyncio.run(run())


def test_a_slow_reader_bounds_what_is_fetched_ahead() -> None:
    async def run() -> None:
        async with serving({"/": OK}) as site:
            asked = [request(f"http://h{n}.localhost:{site.port}/") for n in range(40)]
            stream = fetch(asked, policy_for(site, max_hosts=2), clock=lambda: NOW)
            await anext(stream)
            await asyncio.sleep(0.3)
            assert site.paths().count("/") <= 8
            assert len([body async for body in stream]) == 39

    asyncio.run(run())


def test_nothing_to_fetch() -> None:
    assert asyncio.run(bodies([], policy_for())) == []
