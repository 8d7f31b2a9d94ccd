"""Which addresses may be asked: only http(s), and only hosts on the public internet. Pure.

`ipaddress.is_global` is no guard: it differs between Python versions and calls NAT64, 6to4, site-local and multicast
addresses global, so the table is our own, after the IANA special-purpose registries (RFC 6890 and what came since).
A reason is a few words that say why an address is refused; None means that it may be asked.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

_REFUSED_V4 = {
    IPv4Network(network): reason
    for network, reason in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private network",
        "100.100.100.200/32": "cloud platform service",  # before the networks it lies in, as the first one counts
        "100.64.0.0/10": "shared address space",
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "cloud platform service",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private network",
        "192.0.0.0/24": "protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "anycast service",
        "192.52.193.0/24": "multicast tunnel",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private network",
        "192.175.48.0/24": "anycast service",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}
_UNICAST_V6 = IPv6Network("2000::/3")  # all that is assigned for the public internet
_REFUSED_V6 = {
    IPv6Network(network): reason
    for network, reason in {
        "2001::/32": "teredo tunnel",
        "2001::/23": "protocol assignments",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4 tunnel",
        "2620:4f:8000::/48": "anycast service",
        "3fff::/20": "documentation",
    }.items()
}
_NAMED_V6 = {
    IPv6Network(network): reason
    for network, reason in {
        "::/128": "unspecified",
        "::1/128": "loopback",
        "::/96": "ipv4-compatible",
        "64:ff9b::/96": "nat64",
        "64:ff9b:1::/48": "nat64",
        "100::/64": "discard",
        "fd00:ec2::/32": "cloud platform service",  # before the network it lies in
        "fd20:ce::/32": "cloud platform service",
        "fc00::/7": "private network",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }.items()
}
_ISATAP = 0x5EFE  # its bits 32..63, but for the "universal" bit
_NUMERIC_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII | re.IGNORECASE)


def refused(ip: str) -> str | None:
    """Why no request may be sent to this address, or None. What is not an address in canonical form is refused."""
    try:
        address = ip_address(ip)
    except ValueError:
        return "not an address"
    if isinstance(address, IPv4Address):
        return _refused_v4(address)
    if address.scope_id is not None:
        return "address with a zone"
    if address.ipv4_mapped is not None:
        return _refused_v4(address.ipv4_mapped)
    return _refused_v6(address)


def _refused_v4(address: IPv4Address) -> str | None:
    return next((reason for network, reason in _REFUSED_V4.items() if address in network), None)


def _refused_v6(address: IPv6Address) -> str | None:
    if address not in _UNICAST_V6:
        return next((reason for network, reason in _NAMED_V6.items() if address in network), "not public")
    if (int(address) >> 32) & 0xFDFFFFFF == _ISATAP:
        return "isatap tunnel"
    return next((reason for network, reason in _REFUSED_V6.items() if address in network), None)


def refused_at(ip: str, port: int, allowed_local: frozenset[str]) -> str | None:
    """As `refused`, but for the "ip:port" pairs that the owner of this machine has opened."""
    name = f"[{ip}]" if ":" in ip else ip
    return None if f"{name}:{port}" in allowed_local else refused(ip)


def refused_url(url: URL, allowed_local: frozenset[str]) -> str | None:
    """Why this URL may not be asked, as far as it can be told before its host name is resolved."""
    if url.scheme not in ("http", "https"):
        return f"scheme {url.scheme or 'missing'!r} is not http or https"
    if url.user is not None or url.password is not None:
        return "user name or password in the address"
    host, port = (url.raw_host or "").removesuffix("."), url.port
    if not host or not port:
        return "no host, or port 0"
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2].lower()):
        # Every reader but this one may take 127.1, 0177.0.0.1 or 0x7f000001 for loopback: only the plain form passes.
        reason = refused_at(host, port, allowed_local)
        return reason and f"{host}: {reason}"
    return None if _HOST_NAME.fullmatch(host) and len(host) <= 253 else "not a host name"
