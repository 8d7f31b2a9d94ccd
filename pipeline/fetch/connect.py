"""Opens connections, to public addresses only: each is checked after its name was resolved, when the socket is made. I/O.

Where a proxy stands between, it resolves names and has the last word on what they mean. They are then resolved here as well, as
far as they can be, and refused where any address of theirs is; the proxy's own address is the one local one that is connected to.
"""

import asyncio
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pipeline.fetch.address import refused, refused_at
from pipeline.fetch.policy import Policy

_KEEP_ALIVE_S = 4  # servers mostly close after five
_MAX_HEADER = 64 * 1024  # real sites send policies longer than aiohttp's 8 KB


class AddressRefused(OSError):
    """No address of the host may be asked. Passes through aiohttp and ends as a code, never leaves this package."""


class PublicResolver(AbstractResolver):
    """Names to addresses, those that may not be asked left out. Own threads: slow names must not hold up all others."""

    def __init__(self, policy: Policy) -> None:
        self._allowed_local = policy.allowed_local
        self._connect_s = policy.connect_s
        self._proxy = URL(policy.proxy) if policy.proxy else None
        self.proxy_at: set[str] = set()  # "ip:port" pairs of the proxy, which are opened for connections to it alone
        if self._proxy and _literal(self._proxy.raw_host or ""):
            self.proxy_at.add(_pair(self._proxy.raw_host or "", self._proxy.port))
        self._threads = ThreadPoolExecutor(policy.max_hosts, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await self._lookup(host, port, family)
        if self._proxy and (host, port) == (self._proxy.raw_host, self._proxy.port):
            self.proxy_at.update(_pair(ip, port) for ip in found)
            return [_result(host, ip, port) for ip in found]
        reasons = {ip: refused_at(ip, port, self._allowed_local) for ip in found}
        if found and all(reasons.values()):
            raise AddressRefused("; ".join(f"{host} is {ip}: {reason}" for ip, reason in reasons.items()))
        return [_result(host, ip, port) for ip, reason in reasons.items() if reason is None]

    async def proxy_for(self, url: URL) -> URL | None:
        """The proxy that is to be asked for an address, or None where that is connected to from here.

        Raises:
            AddressRefused: an address of the host may not be asked, as far as that can be told here.
        """
        host, port = (url.raw_host or "").removesuffix("."), url.port or 0
        if self._proxy is None:
            return None
        try:
            async with asyncio.timeout(self._connect_s):
                found = [host] if _literal(host) else await self._lookup(host, port, socket.AF_UNSPEC)
        except OSError:
            return self._proxy  # a name that is known to the proxy alone
        reasons = {ip: refused(ip) for ip in found}
        if any(reasons.values()) and all(_pair(ip, port) in self._allowed_local for ip, why in reasons.items() if why):
            return None
        if any(reasons.values()):
            raise AddressRefused("; ".join(f"{host} is {ip}: {reason}" for ip, reason in reasons.items() if reason))
        return self._proxy

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


def _literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _pair(ip: str, port: int | None) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _result(host: str, ip: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    return ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def _noting_what_was_kept_open() -> aiohttp.TraceConfig:
    """Whoever asks with a dict as `trace_request_ctx` finds something in it where a connection was used again."""
    config = aiohttp.TraceConfig()

    async def note(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx["kept open"] = True

    config.on_connection_reuseconn.append(note)
    return config


def open_session(policy: Policy, resolver: AbstractResolver, proxy_at: Collection[str] = ()) -> aiohttp.ClientSession:
    """A session that cannot leave the public internet, reads no environment, keeps no cookies and does not redirect."""

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        ip, port = str(info[4][0]), int(info[4][1])
        if _pair(ip, port) not in proxy_at and (reason := refused_at(ip, port, policy.allowed_local)):
            raise AddressRefused(f"{ip}: {reason}")
        return socket.socket(info[0], info[1], info[2])

    connector = aiohttp.TCPConnector(resolver=resolver, socket_factory=make_socket, limit=0, keepalive_timeout=_KEEP_ALIVE_S)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=[_noting_what_was_kept_open()],
        auto_decompress=False,  # done in unpack.py
        max_line_size=_MAX_HEADER,
        max_field_size=_MAX_HEADER,
    )
    # it would ask a second time at once whenever a connection is lost; who may be asked again, and when, is decided in retry.py
    session._retry_connection = False
    return session
