"""One request and its answer, without following redirects. I/O; whatever a server does is a value here."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from pipeline.fetch import headers
from pipeline.fetch.connect import AddressRefused, PublicResolver
from pipeline.fetch.policy import Policy
from pipeline.fetch.unpack import BROKEN, ENCODINGS, Unpacker
from schemas.web import FetchCode, Header

_CHUNK = 64 * 1024
_BEGINNING = 512 * 1024  # what is kept of a body that is too long: as much as counts of a robots.txt
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HUNG_UP = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_BROKEN = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, EOFError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request brought. `location` is set, and only then, where the server points elsewhere."""

    code: FetchCode
    status: int | None = None
    headers: tuple[Header, ...] = ()
    location: str | None = None
    retry_after_s: float | None = None
    content: bytes | None = None
    detail: str | None = None
    error: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Sends requests within the limits of `policy`; `clock` reads a Retry-After that is a date."""

    session: aiohttp.ClientSession
    resolver: PublicResolver
    policy: Policy
    clock: Callable[[], datetime]

    async def ask(self, url: URL, sent: Mapping[str, str], *, max_bytes: int, left_s: float) -> Answer:
        """The answer to one GET. Where the body is longer than `max_bytes`, TOO_LARGE with its beginning."""
        kept_open: dict[str, bool] = {}
        answer = await self._once(url, sent, max_bytes, left_s, kept_open)
        if kept_open and answer.status is None and isinstance(answer.error, _HUNG_UP):
            # the server had closed the connection that we had kept: it never saw the request (RFC 9112, 9.3.1)
            return await self._once(url, sent, max_bytes, left_s, kept_open)
        return answer

    async def _once(self, url: URL, sent: Mapping[str, str], max_bytes: int, left_s: float, kept_open: dict[str, bool]) -> Answer:
        limits = aiohttp.ClientTimeout(
            total=left_s, connect=self.policy.connect_s, sock_connect=self.policy.connect_s, sock_read=self.policy.read_s
        )
        status = None
        try:
            proxy = await self.resolver.proxy_for(url)
            told = login_at(proxy)
            if url.scheme == "http":  # there is no other request to the proxy than this one
                sent, told = {**sent, **told}, {}
            bare = proxy and proxy.with_user(None)  # so that no message can repeat who we are there
            way: dict[str, Any] = {"proxy": bare, "proxy_headers": told, "trace_request_ctx": kept_open}
            async with self.session.get(url, headers=sent, allow_redirects=False, timeout=limits, **way) as response:
                status = response.status
                return await self._read(response, max_bytes)
        except (TimeoutError, *_BROKEN) as error:
            forbidden = _refusal(error)
            code = FetchCode.FORBIDDEN_ADDRESS if forbidden else FetchCode.UNREACHABLE
            detail = forbidden or self._in_words(error)
            return Answer(code=code, status=status, detail=detail, error=error)

    async def _read(self, response: aiohttp.ClientResponse, max_bytes: int) -> Answer:
        status = response.status
        kept = headers.kept(response.headers.items())
        location = response.headers.get("Location")
        if status in _REDIRECTS and location is not None:
            return Answer(code=FetchCode.STATUS, status=status, headers=kept, location=_readable(location))
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            detail = f"content encoding {encoding[:40]!r} was not asked for"
            return Answer(code=FetchCode.UNREACHABLE, status=status, headers=kept, detail=detail)
        content, whole = await _body(response, Unpacker(encoding), max_bytes)
        code = _code(status, whole)
        wait_s = headers.retry_after(response.headers.get("Retry-After"), self.clock())
        return Answer(
            code=code,
            status=status,
            headers=kept,
            retry_after_s=wait_s if status in (429, 503) else None,
            content=content if whole or code is FetchCode.TOO_LARGE else None,
            detail=None if whole else f"more than {max_bytes} bytes unpacked",
        )

    def _in_words(self, error: Exception) -> str:
        match error:
            case aiohttp.ConnectionTimeoutError():
                return f"no connection within {self.policy.connect_s:g} s"
            case aiohttp.SocketTimeoutError():
                return f"nothing came for {self.policy.read_s:g} s"
            case TimeoutError():
                return f"not finished within {self.policy.total_s:g} s"
            case _:
                return _in_words(error)


def login_at(proxy: URL | None) -> dict[str, str]:
    """The headers that say who we are at a proxy; none where it does not ask."""
    if proxy is None or proxy.user is None:
        return {}
    return {"Proxy-Authorization": aiohttp.encode_basic_auth(proxy.user, proxy.password or "")}


def _code(status: int, whole: bool) -> FetchCode:
    if status == 304:
        return FetchCode.NOT_MODIFIED
    if not 200 <= status < 300:
        return FetchCode.STATUS
    return FetchCode.OK if whole else FetchCode.TOO_LARGE


async def _body(response: aiohttp.ClientResponse, unpacker: Unpacker, max_bytes: int) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    size = packed = 0
    try:
        while data := await response.content.read(_CHUNK):
            packed += len(data)
            for chunk in unpacker.feed(data):
                chunks.append(chunk)
                size += len(chunk)
                if max(size, packed) > max_bytes:
                    response.close()
                    return _beginning(chunks)[:max_bytes], False
    except BROKEN as error:
        raise ValueError(f"its {unpacker.encoding} cannot be unpacked: {error}") from error
    if not unpacker.ended:
        raise EOFError(f"its {unpacker.encoding} ends in the middle")
    return b"".join(chunks), True


def _beginning(chunks: list[bytes]) -> bytes:
    head = bytearray()
    for chunk in chunks:
        head += chunk
        if len(head) >= _BEGINNING:
            break
    return bytes(head)


def _readable(location: str) -> str:
    """Bytes that are not UTF-8 come as surrogates; in practice they are Latin-1."""
    data = location.encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _refusal(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, AddressRefused):
            return str(error)
        error = error.__cause__
    return None


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            words = f"name does not resolve: {error.host}, {error.os_error}"
        case aiohttp.ClientProxyConnectionError():
            words = f"no connection to the proxy: {error.os_error}"
        case aiohttp.ClientHttpProxyError():
            words = f"the proxy opens no way there: status {error.status}"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            words = f"tls: {error}"
        case aiohttp.ClientConnectorError():
            words = f"no connection: {error.os_error}"
        case aiohttp.ServerDisconnectedError():
            words = "the server hung up without an answer"
        case aiohttp.ClientOSError():
            words = f"connection lost: {error}"
        case aiohttp.ClientResponseError():
            words = f"broken answer: {error.message}"
        case _:
            words = f"broken answer: {str(error) or type(error).__name__}"
    return " ".join("".join(char if char.isprintable() else " " for char in words[:300]).split())
