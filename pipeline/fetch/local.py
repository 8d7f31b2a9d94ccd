"""Which addresses `local = true` opens: those of one host and port, where they lie in a network of one's own. I/O: resolves.

Link-local addresses, the metadata services of clouds, multicast and the like are opened for nobody.
"""

import socket

from yarl import URL

from pipeline.fetch.address import refused, refused_url

_OF_ONES_OWN = frozenset({"loopback", "private network", "shared address space"})


def host_and_port(url: str) -> str:
    """What a local feed opens, as it is written: "localhost:8000"; empty for what is no address."""
    try:
        parsed = URL(url.strip())
    except ValueError:
        return ""
    host = (parsed.raw_host or "").removesuffix(".").lower()
    return f"[{host}]:{parsed.port}" if ":" in host else f"{host}:{parsed.port}"


def opened(at: str) -> frozenset[str]:
    """The "ip:port" pairs of this "host:port" that are not public and may be opened; blocks while the name is resolved."""
    host, _, port = at.rpartition(":")
    ips = {ip for ip in _lookup(host.strip("[]")) if refused(ip) in _OF_ONES_OWN}
    return frozenset(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in ips)


def plainly_local(url: str) -> str | None:
    """Why an address can be told not to be public without resolving any name, or None."""
    try:
        parsed = URL(url.strip())
    except ValueError as error:
        return f"not an address: {error}"
    host = (parsed.raw_host or "").removesuffix(".").lower()
    return "loopback" if f".{host}".endswith(".localhost") else refused_url(parsed, frozenset())


def may_be_opened(detail: str | None) -> bool:
    """Whether `local = true` would have helped against this refusal, told by its words."""
    return any(reason in (detail or "") for reason in _OF_ONES_OWN)


def _lookup(host: str) -> set[str]:
    if host == "localhost" or host.endswith(".localhost"):
        return {"127.0.0.1"}
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()
