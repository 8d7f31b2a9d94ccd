"""The address guard: no way of writing a private address gets a request through, and public ones are let pass."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pipeline.fetch.address import refused, refused_url
from pipeline.fetch.connect import AddressRefused, PublicResolver, open_session
from schemas.web import Body, FetchCode, Kind
from tests.fetch.site import Site, answer, bodies, policy_for, request, serving

NETWORKS_V4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
]
NETWORKS_V6 = [
    *("::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001::/23"),
    *("2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    *("4000::/3", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
    *("168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0"),
    *("192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2606:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "2001:200::1", "2003::1", "::ffff:8.8.8.8"),
]


def edges(networks: list[str]) -> list[str]:
    found = [str(address) for text in networks for net in [ip_network(text)] for address in (net[0], net[-1])]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("ip", edges(NETWORKS_V4 + NETWORKS_V6))
def test_both_ends_of_every_special_network_are_refused(ip: str) -> None:
    assert refused(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_pass(ip: str) -> None:
    assert refused(ip) is None
    host = f"[{ip}]" if ":" in ip else ip
    assert refused_url(URL(f"https://{host}/"), frozenset()) is None


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f.1", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "2606:4700::1%1", "::g"]
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    assert refused(text)


def v4(bits: int) -> str:
    return str(IPv4Address(bits))


def v6(bits: int) -> str:
    return f"[{IPv6Address(bits)}]"


def translated(digits: str) -> Callable[[int], str]:
    return lambda bits: v4(bits).translate(str.maketrans("0123456789", digits))


ENCODINGS: dict[str, Callable[[int], str]] = {
    "dotted": v4,
    "final dot": lambda bits: v4(bits) + ".",
    "decimal": str,
    "hex": hex,
    "upper hex": lambda bits: f"0X{bits:X}",
    "octal": lambda bits: f"0{bits:o}",
    "dotted hex": lambda bits: ".".join(hex(byte) for byte in bits.to_bytes(4, "big")),
    "dotted octal": lambda bits: ".".join(f"0{byte:o}" for byte in bits.to_bytes(4, "big")),
    "two parts": lambda bits: f"{bits >> 24}.{bits & 0xFFFFFF}",
    "three parts": lambda bits: f"{bits >> 24}.{bits >> 16 & 255}.{bits & 0xFFFF}",
    "mixed": lambda bits: f"{bits >> 24:#x}.{bits & 0xFFFFFF}",
    "padded": lambda bits: ".".join(f"{byte:03}" for byte in bits.to_bytes(4, "big")),
    "circled": translated("⓪①②③④⑤⑥⑦⑧⑨"),
    "full width": translated("０１２３４５６７８９"),
    "ideographic dots": lambda bits: v4(bits).replace(".", "。"),
    "percent": lambda bits: "".join(f"%{ord(char):02x}" if char != "." else char for char in v4(bits)),
    "mapped": lambda bits: v6(0xFFFF << 32 | bits),
    "mapped dotted": lambda bits: f"[::ffff:{v4(bits)}]",
    "compatible": v6,
    "translated": lambda bits: v6(0xFFFF << 48 | bits),
    "nat64": lambda bits: v6(0x64FF9B << 96 | bits),
    "local nat64": lambda bits: v6(0x64FF9B0001 << 80 | bits),
    "6to4": lambda bits: v6(0x2002 << 112 | bits << 80 | 1),
    "teredo": lambda bits: v6(0x20010000 << 96 | bits ^ 0xFFFFFFFF),
    "isatap": lambda bits: v6(0x2A001450 << 96 | 0x5EFE << 32 | bits),
    "global isatap": lambda bits: v6(0x2A001450 << 96 | 0x02005EFE << 32 | bits),
    "with a zone": lambda bits: f"[::ffff:{v4(bits)}%25lo]",
}


def spelled(encoding: str, ip: str) -> URL | None:
    """The URL, or None where it is not even one."""
    try:
        return URL(f"http://{ENCODINGS[encoding](int(IPv4Address(ip)))}/")
    except ValueError:
        return None


VECTORS = [(encoding, ip) for encoding in ENCODINGS for ip in edges(NETWORKS_V4)]


def test_there_are_many_vectors() -> None:
    assert len(VECTORS) > 900


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_spelling_of_a_private_address_passes(encoding: str) -> None:
    urls = {ip: spelled(encoding, ip) for ip in edges(NETWORKS_V4)}
    passed = [ip for ip, url in urls.items() if url is not None and refused_url(url, frozenset()) is None]
    assert passed == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://example.org/",
            "data:text/html,x",
            "javascript:1",
            "//example.org/",
        ),
        *(
            "http:///x",
            "http://",
            "",
            "example.org",
            "http://user@example.org/",
            "http://user:pw@example.org/",
            "http://:pw@example.org/",
        ),
        *(
            "http://exa mple.org/",
            "http://a\x00b/",
            "http://127.0.0.1%00.example/",
            "http://[::ffff:0x7f.1]/",
            "http://example.org:0/",
        ),
        *("http://-a.example/", "http://a..b/", "http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "b/"),
    ],
)
def test_other_addresses_that_are_refused(url: str) -> None:
    assert refused_url(URL(url), frozenset())


@pytest.mark.parametrize(
    "url", ["https://example.org/a?b#c", "http://xn--brse-5qa.example:8080/", "http://a_b.example./", "HTTP://EXAMPLE.ORG"]
)
def test_names_pass_until_they_are_resolved(url: str) -> None:
    assert refused_url(URL(url), frozenset()) is None


def test_only_the_opened_pair_is_open() -> None:
    opened = frozenset({"127.0.0.1:8799", "[::1]:8799"})
    found = {
        url: refused_url(URL(url), opened) is None
        for url in (
            "http://127.0.0.1:8799/",
            "http://[::1]:8799/",
            "http://127.0.0.1:80/",
            "http://127.0.0.2:8799/",
            "http://127.1:8799/",
        )
    }
    assert list(found.values()) == [True, True, False, False, False]


LOOPBACK = [ENCODINGS[name](int(IPv4Address("127.0.0.1"))) for name in ENCODINGS]
NAMES = ["localhost", "LOCALHOST.", "printer.localhost", "0", "0.0.0.0", "[::]", "[::1]", "127.0.0.1%2f", "127.0.0.1%00.example"]


async def with_canary(urls: Callable[[int], list[str]], **changes: object) -> tuple[list[Body], Site]:
    """Ask for addresses that mean a local server which must not be reached."""
    async with serving({"/": answer(body=b"secret"), "/latest/meta-data": answer(body=b"secret")}) as canary:
        found = await bodies([request(url) for url in urls(canary.port)], policy_for(**changes))
        return found, canary


@pytest.mark.parametrize("path", ["/", "/latest/meta-data"])
def test_a_local_server_gets_no_request_however_it_is_named(path: str) -> None:
    hosts = [*LOOPBACK, *NAMES]
    found, canary = asyncio.run(with_canary(lambda port: [f"http://{host}:{port}{path}" for host in hosts]))
    assert [(body.url, body.code) for body in found if body.code is not FetchCode.FORBIDDEN_ADDRESS] == []
    assert len(found) == len(hosts)
    assert (canary.asked, canary.connections) == ([], 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_to_a_local_server(status: int) -> None:
    async def run() -> None:
        async with serving({"/": answer(body=b"secret")}) as canary:
            hosts = [*LOOPBACK, *NAMES]
            targets = [f"http://{host}:{canary.port}/" for host in hosts] + ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,x"]
            routes = {f"/{n}": raw_redirect(status, target) for n, target in enumerate(targets)}
            async with serving(routes) as site:
                asked = [request(f"http://127.0.0.1:{site.port}{path}", Kind.PAGE) for path in routes]
                found = await bodies(asked, policy_for(site))
                assert {body.code for body in found} == {FetchCode.FORBIDDEN_ADDRESS}
                assert [len(body.redirects) for body in found] == [1] * len(targets)
                assert {(body.status, body.final_url, body.content) for body in found} == {(None, None, None)}
            assert canary.asked == []

    asyncio.run(run())


def raw_redirect(status: int, target: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nContent-Length: 0\r\nLocation: {target}\r\n\r\n".encode()


def test_robots_txt_does_not_lead_to_a_local_server() -> None:
    async def run() -> None:
        async with serving({"/": answer(body=b"secret")}) as canary:
            away = raw_redirect(302, f"http://127.0.0.1:{canary.port}/")
            async with serving({"/robots.txt": away, "/": answer(body=b"text")}) as site:
                (page,) = await bodies([request(f"http://127.0.0.1:{site.port}/", Kind.PAGE)], policy_for(site))
                assert (page.code, page.robots) == (FetchCode.DISALLOWED, "unavailable")
            assert canary.asked == []

    asyncio.run(run())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving({}) as canary, serving({"/": answer(body=b"text")}) as site:
            for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            (body,) = await bodies([request(f"http://127.0.0.1:{site.port}/")], policy_for(site, canary))
            assert (body.code, canary.asked) == (FetchCode.OK, [])

    asyncio.run(run())


class Rebound(AbstractResolver):
    """Names that a resolver let pass and that mean a private address all the same."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1", "[::ffff:7f00:1]"])
def test_the_connection_itself_is_guarded(host: str) -> None:
    """Whatever came before: resolved late, or a literal that never met the resolver."""

    async def run() -> None:
        async with serving({"/": answer()}) as canary, open_session(policy_for(), Rebound()) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.get(f"http://{host}:{canary.port}/")
            assert isinstance(caught.value.os_error, AddressRefused)
            assert (canary.asked, canary.connections) == ([], 0)

    asyncio.run(run())


@pytest.mark.parametrize(
    "host", ["localhost", "a.b.localhost", "0x7f000001", "127.1", "2130706433", "::1", "169.254.169.254", "10.1"]
)
def test_the_resolver_gives_no_private_address(host: str) -> None:
    async def run() -> None:
        resolver = PublicResolver(policy_for())
        with pytest.raises(AddressRefused):
            await resolver.resolve(host, 80)
        await resolver.close()

    asyncio.run(run())
