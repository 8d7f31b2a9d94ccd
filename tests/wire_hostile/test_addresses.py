"""Every way into the private network is refused, and nobody knocks at the canaries that listen there.

Vectors are spellings × special networks × ways to come by an address; each class of them is one test, which prints their number.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.fetch.connect import AddressRefused, open_session
from schemas.web import Body, FetchCode, Kind, Request
from tests.fetch.site import Site, answer, bodies, policy_for, request, serving
from tests.fetch.test_address import ENCODINGS, LOOPBACK, NAMES, NETWORKS_V4, NETWORKS_V6, edges, raw_redirect

V4, V6 = edges(NETWORKS_V4), edges(NETWORKS_V6)
SPELLED = [ENCODINGS[name](int(IPv4Address(ip))) for name in ENCODINGS for ip in V4] + [f"[{ip}]" for ip in V6] + NAMES
PROXIES = [
    name for scheme in ("http", "https", "all", "ws", "ftp", "socks") for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper())
]


@dataclass(frozen=True, slots=True)
class Canaries:
    """Servers on 127.0.0.1 and ::1, at one port, that nobody may reach."""

    sites: tuple[Site, ...]
    port: int

    def silent(self) -> bool:
        return all(site.connections_ever == 0 for site in self.sites)


@asynccontextmanager
async def canaries() -> AsyncIterator[Canaries]:
    secret = {"/": answer(body=b"secret"), "/robots.txt": answer()}
    async with serving(secret) as one, serving(secret, "::1", one.port) as other:
        yield Canaries((one, other), one.port)


def refused_all(make: Callable[[int], list[str]], kind: Kind = Kind.FEED) -> int:
    """Asks for addresses of the canaries; how many there were."""

    async def run() -> tuple[list[Body], bool]:
        async with canaries() as inside:
            requests = [request(url, kind) for url in make(inside.port)]
            return await bodies(requests, policy_for()), inside.silent()

    found, silent = asyncio.run(run())
    assert [(body.url, body.code, body.detail) for body in found if body.code is not FetchCode.FORBIDDEN_ADDRESS] == []
    assert silent
    return len(found)


def test_asked_for_directly() -> None:
    count = refused_all(lambda port: [f"http://{host}:{port}/" for host in SPELLED])
    count += refused_all(lambda port: [f"https://{host}/" for host in SPELLED], Kind.PAGE)
    print(f"{count} addresses asked for directly")
    assert count == 2 * len(SPELLED) > 2000


def test_led_to_by_redirects() -> None:
    hosts = [*LOOPBACK, *NAMES, *(f"[{ip}]" for ip in V6), *V4]

    async def run() -> int:
        async with canaries() as inside:
            targets = [(status, f"http://{host}:{inside.port}/") for status in (301, 302, 303, 307, 308) for host in hosts]
            routes = {f"/{n}": raw_redirect(status, target) for n, (status, target) in enumerate(targets)}
            async with serving(routes) as site:
                asked = [request(f"http://way-{path[1:]}.localhost:{site.port}{path}") for path in routes]
                found = await bodies(asked, policy_for(site, max_hosts=50))
            assert {(body.code, body.content) for body in found} == {(FetchCode.FORBIDDEN_ADDRESS, None)}
            assert inside.silent()
            return len(found)

    count = asyncio.run(run())
    print(f"{count} redirects")
    assert count == 5 * len(hosts) > 500


def test_names_that_resolve_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of a name server is what a stranger says it is; only the address counts."""
    table = {f"name-{n}.example": [ip] for n, ip in enumerate(V4 + V6)} | {"two.example": ["10.0.0.1", "::1"]}
    monkeypatch.setattr(socket, "getaddrinfo", answering(table))
    count = refused_all(
        lambda port: [f"http://{name}:{port}/" for name in table] + [f"http://{name.upper()}.:{port}/x" for name in table]
    )
    print(f"{count} names")
    assert count == 2 * len(table) > 150


def answering(table: dict[str, list[str]]) -> Callable[..., list[tuple[object, ...]]]:
    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        ips = table[host.lower().rstrip(".")]
        return [(families[":" in ip], socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    return getaddrinfo


def test_names_that_resolve_elsewhere_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first visit goes well, at the second the name means a canary."""

    async def run() -> list[list[FetchCode]]:
        async with canaries() as inside, serving({"/": answer(body=b"<rss/>")}) as site:
            asked = [request(f"http://{name}:{site.port}/") for name in table]
            codes = []
            for ips in (
                ["127.0.0.1"],
                ["127.0.0.2"],
                ["::1"],
                ["::ffff:127.0.0.1"],
                ["10.0.0.1"],
                ["169.254.169.254", "fe80::1"],
            ):
                table.update(dict.fromkeys(table, ips))
                codes.append([body.code for body in await bodies(asked, policy_for(site))])
            assert inside.silent()
            return codes

    table = {f"rebound-{n}.example": [""] for n in range(10)}
    monkeypatch.setattr(socket, "getaddrinfo", answering(table))
    first, *later = asyncio.run(run())
    assert set(first) == {FetchCode.OK}
    assert {code for codes in later for code in codes} == {FetchCode.FORBIDDEN_ADDRESS}
    print(f"{sum(map(len, later))} names that mean something else the second time")


class Lying(AbstractResolver):
    """Says the address that is asked for, whatever it is: a check that was passed before the name changed its meaning."""

    def __init__(self) -> None:
        self.ip = ""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        return [ResolveResult(hostname=host, host=self.ip, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def test_the_connection_itself_is_the_last_to_refuse() -> None:
    async def run() -> int:
        resolver = Lying()
        async with canaries() as inside, open_session(policy_for(), resolver) as session:
            for n, ip in enumerate(V4 + V6):
                resolver.ip = ip
                with pytest.raises(aiohttp.ClientConnectorError) as caught:
                    await session.get(f"http://name-{n}.example:{inside.port}/")
                assert isinstance(caught.value.os_error, AddressRefused), ip
            assert inside.silent()
            return n + 1

    print(f"{asyncio.run(run())} addresses refused at the socket")


def test_proxies_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with canaries() as inside, serving({"/": answer(body=b"<rss/>")}) as site:
            for name in PROXIES:
                monkeypatch.setenv(name, f"http://127.0.0.1:{inside.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            well = Request(kind=Kind.FEED, owner="v", target="f", url=f"http://127.0.0.1:{site.port}/")
            (body,) = await bodies([well], policy_for(site))
            assert (body.code, body.content, inside.silent()) == (FetchCode.OK, b"<rss/>", True)

    asyncio.run(run())
    count = refused_all(lambda port: [f"http://{host}:{port}/" for host in LOOPBACK])
    print(f"{len(PROXIES)} variables, and {count} addresses beside them")
