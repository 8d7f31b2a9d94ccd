"""What is remembered of a host from one call of `fetch` to the next: waits, refusals, pauses, its robots.txt."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.fetch import Memory, fetch
from pipeline.fetch.headers import fresh_for
from pipeline.fetch.host import Host, closed_after
from schemas.web import Body, Header, HostSeen, Kind, RobotsSeen
from tests.fetch.site import NOW, Route, Site, answer, policy_for, request, serving

OK, FORBIDDEN, BUSY = answer(body=b"text"), answer("403 Forbidden"), answer("429 Slow")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def twice(
    routes: Mapping[str, Route], first: list[str], then: list[str], later: timedelta, kind: Kind = Kind.PAGE
) -> tuple[list[Body], list[Body], Memory, Site]:
    """Two calls of `fetch` with one memory, the second so much later."""

    async def run() -> tuple[list[Body], list[Body], Memory, Site]:
        memory, ends = Memory(), []
        async with serving(routes) as site:
            for paths, now in ((first, NOW), (then, NOW + later)):
                asked = [request(f"http://127.0.0.1:{site.port}{path}", kind) for path in paths]
                found = fetch(asked, policy_for(site), clock=lambda now=now: now, memory=memory)  # type: ignore[misc]
                ends.append([body async for body in found])
            return ends[0], ends[1], memory, site

    return asyncio.run(run())


def codes(found: list[Body]) -> list[tuple[str, int | None]]:
    return [(body.code.value, body.status) for body in found]


def test_a_wait_asked_for_outlives_the_call() -> None:
    routes = {"/a": answer("429 Slow", Retry_After="600"), "/b": OK}
    _, then, _, site = twice(routes, ["/a"], ["/b"], 9 * MINUTE, Kind.FEED)
    assert (codes(then), site.paths()) == ([("deferred", None)], ["/robots.txt", "/a"])
    assert then[0].retry_after_s == pytest.approx(60, abs=2)
    assert (then[0].detail or "").startswith("host asked to wait ")
    assert codes(twice(routes, ["/a"], ["/b"], 11 * MINUTE)[1]) == [("ok", 200)]


def test_a_burst_of_refusals_closes_the_host_for_longer_each_time() -> None:
    routes = {f"/{n}": FORBIDDEN for n in range(9)}
    first, then, memory, site = twice(routes, [f"/{n}" for n in range(6)], ["/7", "/8"], 16 * MINUTE)
    assert codes(first) == [("status", 403)] * 3 + [("deferred", None)] * 3
    assert (first[-1].detail or "").startswith("host refused 3 pages in a row and is left alone for ")
    assert codes(then) == [("status", 403), ("deferred", None)]
    assert site.paths() == ["/robots.txt", "/0", "/1", "/2", "/7"]
    (seen,) = memory.hosts_new.values()
    assert (seen.requests, seen.pages_refused, seen.feeds_refused, seen.closed_until, seen.feeds_closed_until) == (
        5,
        4,
        0,
        None,
        None,
    )
    assert (seen.pages_closed_until or NOW) - NOW - 16 * MINUTE == pytest.approx(30 * MINUTE, abs=timedelta(seconds=2))


def test_pages_that_are_refused_close_no_feed() -> None:
    async def run() -> None:
        memory = Memory()
        async with serving({f"/{n}": FORBIDDEN for n in range(4)} | {"/feed": OK}) as site:
            asked = [request(f"http://127.0.0.1:{site.port}/{n}", Kind.PAGE) for n in range(4)]
            asked += [request(f"http://127.0.0.1:{site.port}/{path}") for path in ("feed", "0", "1", "2", "3")]
            found = [body async for body in fetch(asked, policy_for(site), clock=lambda: NOW, memory=memory)]
        assert codes(found) == [
            *[("status", 403)] * 3,
            ("deferred", None),
            ("ok", 200),
            *[("status", 403)] * 3,
            ("deferred", None),
        ]
        (seen,) = memory.hosts_new.values()
        assert (seen.pages_refused, seen.feeds_refused, seen.closed_until) == (3, 3, None)

    asyncio.run(run())


def test_a_page_that_is_forbidden_among_others_closes_nothing() -> None:
    routes = {f"/{n}": OK if n % 3 == 2 else FORBIDDEN for n in range(9)} | {"/robots.txt": FORBIDDEN}
    first, then, memory, _ = twice(routes, [f"/{n}" for n in range(9)], ["/0"], MINUTE)
    assert codes(first + then).count(("status", 403)) == 7
    assert next(iter(memory.hosts.values())).pages_refused == 1


def test_how_long_refusals_close_a_host() -> None:
    assert [closed_after(n) / 60 for n in (0, 2, 3, 4, 5, 9, 10, 1000)] == [0, 0, 15, 30, 60, 960, 1440, 1440]


@pytest.mark.parametrize(
    ("before", "answers", "after"),
    [
        ((0, 1.0), [(429, None)], (1, 2.0, 0, 0)),
        ((0, 1.0), [(403, None)], (1, 1.0, 0, 0)),
        ((0, 1.0), [(403, None), (403, None)], (2, 2.0, 0, 0)),
        ((0, 1.0), [(403, None), (None, None), (500, None), (403, None)], (2, 2.0, 0, 0)),
        ((0, 1.0), [(403, None), (404, None), (403, None)], (1, 1.0, 0, 0)),
        ((2, 1.0), [(429, 5.0)], (3, 1.0, 900, 5)),
        ((7, 1.0), [(429, 1e9)], (8, 1.0, 28800, 86400)),
        ((5, 8.0), [(200, None)], (0, 4.0, 0, 0)),
        ((5, 8.0), [(429, None)] * 3, (8, 10.0, 28800, 0)),
        ((0, 1.0), [(503, 60.0)], (0, 1.0, 0, 60)),
    ],
)
def test_how_a_host_is_seen_after_its_answers(
    before: tuple[int, float], answers: list[tuple[int | None, float | None]], after: tuple[int, float, int, int]
) -> None:
    refusals, pause_s = before
    seen = HostSeen(host="x", asked_at=NOW - HOUR, requests=1, pages_refused=refusals, pause_s=pause_s)
    host = Host(policy_for(spacing_s=1), lambda: NOW, seen)
    assert host.seen("x") is None, "not asked yet"
    for status, wait_s in answers:
        host.left()
        host.answered(Kind.PAGE, status, wait_s)
    now = host.seen("x")
    assert now is not None and now.requests == len(answers)
    closed = [round((at - NOW).total_seconds()) if at else 0 for at in (now.pages_closed_until, now.closed_until)]
    assert (now.pages_refused, now.pause_s, *closed) == after
    assert (now.feeds_refused, now.feeds_closed_until) == (0, None)


def test_the_pause_is_kept_between_two_calls() -> None:
    host = Host(
        policy_for(spacing_s=8), lambda: NOW, HostSeen(host="x", asked_at=NOW - timedelta(seconds=7), requests=1, pause_s=8)
    )

    async def waits() -> bool:
        try:
            await asyncio.wait_for(host.opened(Kind.PAGE), 0.05)
        except TimeoutError:
            return True
        return False

    assert asyncio.run(waits())


def test_robots_txt_is_read_again_when_it_has_expired() -> None:
    routes = {
        "/robots.txt": answer(body=b"User-agent: *\nDisallow: /shut", Cache_Control="max-age=7200"),
        "/open": OK,
        "/shut": OK,
    }
    for later, read in ((2 * HOUR - MINUTE, 1), (2 * HOUR + MINUTE, 2)):
        _, then, memory, site = twice(routes, ["/open"], ["/shut", "/open"], later)
        assert codes(then) == [("disallowed", None), ("ok", 200)]
        assert site.paths().count("/robots.txt") == read
    assert memory.robots_new == {
        f"http://127.0.0.1:{site.port}": RobotsSeen(
            origin=f"http://127.0.0.1:{site.port}",
            host="127.0.0.1",
            read_at=NOW + later,
            expires_at=NOW + later + 2 * HOUR,
            state="allowed",
            status=200,
            text="User-agent: *\nDisallow: /shut",
        )
    }


def test_a_robots_txt_that_cannot_be_had_any_more_counts_as_it_was() -> None:
    replies = iter([answer(body=b"User-agent: *\nDisallow: /shut"), answer("500 Oh")])

    async def robots(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(next(replies))
        await writer.drain()

    _, then, _, _ = twice({"/robots.txt": robots, "/open": OK, "/shut": OK}, ["/open"], ["/shut", "/open"], 25 * HOUR)
    assert [(body.code, body.robots) for body in then] == [("disallowed", "disallowed"), ("ok", "allowed")]


FRESH = {
    (): None,
    (("cache-control", "public, max-age=60"), ("expires", "Sun, 22 Nov 2026 11:15:00 GMT")): 60,
    (("cache-control", "No-Store"),): 0,
    (("cache-control", "private"), ("expires", "Sun, 22 Nov 2026 11:15:00 GMT")): 3600,
    (("expires", "0"),): None,
    (("expires", "Sun, 22 Nov 2020 11:15:00 GMT"),): 0,
    (("cache-control", "s-maxage=5, x-max-age"),): None,
}


def test_how_long_an_answer_may_be_kept() -> None:
    found = {said: fresh_for([Header(name=name, value=value) for name, value in said], NOW) for said in FRESH}
    assert found == FRESH


def test_one_memory_over_two_calls_counts_all_requests() -> None:
    memory = Memory()
    seen = HostSeen(host="x", asked_at=NOW, requests=2, pause_s=1)
    memory.note_host(seen)
    memory.note_host(replace(seen, requests=3))
    assert memory.hosts_new == memory.hosts == {"x": replace(seen, requests=5)}
