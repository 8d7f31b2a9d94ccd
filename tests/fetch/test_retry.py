"""The second try: for what passes in a moment, once a request, a few times a host, and never where somebody refused."""

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.fetch.retry import Budget, pause_s
from schemas.web import FetchCode
from tests.fetch.site import Play, Route, answer, ask_site
from tests.fetch.test_exchange import _broken_gzip, _hang, _hang_up, _reset

OK = answer(body=b"text")


def in_turn(*replies: Route) -> Play:
    """One reply after the other."""
    left: Iterator[Route] = iter(replies)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = next(left)
        if isinstance(reply, bytes):
            writer.write(reply)
            await writer.drain()
        else:
            await reply(reader, writer)

    return play


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (_hang_up, "the server hung up without an answer"),
        (_reset, "connection lost: "),
        (answer("502 Bad Gateway"), "status 502"),
        (answer("503 Service Unavailable"), "status 503"),
        (answer("504 Gateway Timeout"), "status 504"),
    ],
)
def test_what_passes_is_asked_for_once_more(first: Route, why: str) -> None:
    (body,), site = ask_site({"/a": in_turn(first, OK), "/robots.txt": answer("404 None", Connection="close")}, "/a")
    assert (body.code, body.content, site.paths()) == (FetchCode.OK, b"text", ["/robots.txt", "/a", "/a"])
    assert (body.detail or "").startswith(f"second try, the first: {why}")


@pytest.mark.parametrize("closed", [_hang_up, _reset])
def test_a_connection_that_was_kept_open_and_is_closed_is_no_first_try(closed: Route) -> None:
    (body,), site = ask_site({"/a": in_turn(closed, OK)}, "/a")
    assert (body.code, body.detail, site.paths()) == (FetchCode.OK, None, ["/robots.txt", "/a", "/a"])
    (body,), site = ask_site({"/a": in_turn(closed, closed, OK)}, "/a")
    assert (body.code, site.paths()) == (FetchCode.OK, ["/robots.txt", "/a", "/a", "/a"])


@pytest.mark.parametrize(
    "reply",
    [
        *(answer(status) for status in ("403 Forbidden", "404 Not Found", "429 Slow", "500 Oh", "401 Who")),
        answer("503 Later", Retry_After="0"),
        _broken_gzip,
        _hang,
    ],
)
def test_nothing_else_is(reply: Route) -> None:
    _, site = ask_site({"/a": reply}, "/a", read_s=0.05)
    assert site.paths() == ["/robots.txt", "/a"]


def test_a_second_failure_is_the_end() -> None:
    (body,), site = ask_site({"/a": answer("502 Bad"), "/robots.txt": in_turn(answer("503 Oh"), answer("404 None"))}, "/a")
    assert (body.code, body.status, body.robots) == (FetchCode.STATUS, 502, "none")
    assert body.detail == "status 502; second try, the first: status 502"
    assert site.paths() == ["/robots.txt", "/robots.txt", "/a", "/a"]


def test_an_outage_is_not_met_with_twice_the_requests() -> None:
    paths = [f"/{n}" for n in range(20)]
    _, site = ask_site(dict.fromkeys(paths, answer("502 Bad")), *paths)
    assert len(site.paths()) == 1 + 20 + 3


@pytest.mark.parametrize(("requests", "hosts", "most"), [(1, 9, 3), (100, 9, 5), (1000, 9, 27), (1000, 100, 50)])
def test_a_budget(requests: int, hosts: int, most: int) -> None:
    budget = Budget(requests)
    assert sum(budget.take(f"h{n % hosts}") for n in range(1000)) == most


def test_the_pause_is_jittered() -> None:
    pauses = {pause_s(2) for _ in range(50)}
    assert len(pauses) > 40 and min(pauses) >= 2 and max(pauses) <= 6
    assert pause_s(0) == 0
