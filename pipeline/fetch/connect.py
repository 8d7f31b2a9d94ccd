"""Opens connections, to public addresses only: each is checked after its name was resolved, when the socket is made. I/O."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.fetch.address import refused_at
from pipeline.fetch.policy import Policy

_MAX_HEADER = 64 * 1024  # real sites send policies longer than aiohttp's 8 KB


class AddressRefused(OSError):
    """No address of the host may be asked. Passes through aiohttp and ends as a code, never leaves this package."""


class PublicResolver(AbstractResolver):
    """Names to addresses, those that may not be asked left out. Own threads: slow names must not hold up all others."""

    def __init__(self, policy: Policy) -> None:
        self._allowed_local = policy.allowed_local
        self._threads = ThreadPoolExecutor(policy.max_hosts, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await self._lookup(host, port, family)
        reasons = {ip: refused_at(ip, port, self._allowed_local) for ip in found}
        if found and all(reasons.values()):
            raise AddressRefused("; ".join(f"{host} is {ip}: {reason}" for ip, reason in reasons.items()))
        return [_result(host, ip, port) for ip, reason in reasons.items() if reason is None]

    async def _lookup(self, host: str, port: int, family: socket.AddressFamily) -> list[str]:
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return ["127.0.0.1"]  # RFC 6761: such names are never asked of DNS
        infos = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        )
        return list(dict.fromkeys(str(info[4][0]) for info in infos))

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, ip: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    return ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def open_session(policy: Policy, resolver: AbstractResolver) -> aiohttp.ClientSession:
    """A session that cannot leave the public internet, reads no environment, keeps no cookies and does not redirect."""

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        ip, port = str(info[4][0]), int(info[4][1])
        if reason := refused_at(ip, port, policy.allowed_local):
            raise AddressRefused(f"{ip}: {reason}")
        return socket.socket(info[0], info[1], info[2])

    connector = aiohttp.TCPConnector(resolver=resolver, socket_factory=make_socket, limit=0)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        max_line_size=_MAX_HEADER,
        max_field_size=_MAX_HEADER,
    )
