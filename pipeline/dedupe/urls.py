"""One key for all the addresses of one page: `url_key`. Pure.

A missed merge costs one more fetch and is found again by the text; a false merge loses an article. So only what
surely does not choose the page is dropped, and a parameter that is not known to be tracking is kept.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

import idna

#: Names the rules below; raise it whenever one changes, since keys are stored.
KEY_RULE = "url-1"

_TRACKING = re.compile(
    r"utm_.*|wt_z?mc(?:_.*)?|guce_.*|guccounter|[gdy]clid|gclsrc|gbraid|wbraid|fbclid|msclkid|twclid|ttclid|igshid"
    r"|mc_[ce]id|mkt_tok|_hsenc|_hsmi|cmpid|xtor|spm|at_(?:medium|campaign)|ns_(?:mchannel|source|campaign)",
    re.IGNORECASE,
)
#: Dropped with these values only: `amp=2` and `ref=123` may well choose the page.
_TRACKING_PAIRS = frozenset({"amp", "amp=", "amp=1", "amp=true", "outputtype=amp", "ref=rss", "source=rss"})

_TO_NORMALISE = re.compile(r"%[0-9A-Fa-f]{2}|[^\w/:@!$&'()*+,;=?.~-]", re.ASCII)
_UNRESERVED = re.compile(r"[\w.~-]", re.ASCII)
_PARAMETER_START = re.compile(r"(?:^|&)(?:amp;)*")
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
# The look behind keeps a long run of ".amp" from being tried from each of its places.
_AMP_FILE = re.compile(r"(?<!\.amp)(?:\.amp)+(?=\.html?$)")
# What stands before a last /amp must look like a headline, an id or a file: /stocks/amp is a company, /tag/amp a topic.
_ARTICLE_SEGMENT = re.compile(r"-[^-]+-|\d{5}|\.html?$")

_LONGEST_HOST = 253  # RFC 1035
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
# amp.com.au is a company's own host: what is left after a prefix must be more than a suffix of registries.
_HOST_PREFIX = re.compile(r"(?:(?:www|amp)\.(?!(?:com?|net|org|gov|edu|ac|or|ne)\.[a-z]{2}$)(?=[^.]+\.))+")


def url_key(url: str) -> str:
    """The key of an address, itself an https address; "" for what is no http(s) address with a readable host.

    Equal for http and https, any case of the host, `www.` or not, ports 80 and 443 or none, any fragment, a slash at the
    end or not, any order of parameters, with or without tracking, an AMP variant and its article. Different hosts, ports
    and parameters give different keys. `url_key(url_key(x)) == url_key(x)`.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    named = parts.hostname or ""
    host = _host(named) if len(named) <= _LONGEST_HOST else ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    query = _query(parts.query)
    return f"https://{place}{_path(parts.path)}{'?' if query else ''}{query}"


@lru_cache(maxsize=4096)
def _host(host: str) -> str:
    host = host.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    host = host.strip(".")
    if not _HOST.fullmatch(host):
        return ""
    prefix = _HOST_PREFIX.match(host)
    return f"[{host}]" if ":" in host else host[prefix.end() :] if prefix else host


def _path(path: str) -> str:
    path = _SESSION.sub("", _normalised(path)).rstrip("/")
    head, _, last = path.rpartition("/")
    head = head.rstrip("/")
    if last == "amp" and _ARTICLE_SEGMENT.search(head.rpartition("/")[2]):
        path = head
    return _AMP_FILE.sub("", path) or "/"


def _query(query: str) -> str:
    pieces = [piece for piece in _PARAMETER_START.split(_normalised(query)) if piece and not _is_tracking(piece)]
    # By name only: the order of values under one name may mean something.
    return "&".join(sorted(pieces, key=_name))


def _is_tracking(piece: str) -> bool:
    return _TRACKING.fullmatch(_name(piece)) is not None or piece.lower() in _TRACKING_PAIRS


def _name(piece: str) -> str:
    return piece.partition("=")[0]


def _normalised(text: str) -> str:
    return _TO_NORMALISE.sub(lambda match: _escape(match[0]), text)


@lru_cache(maxsize=4096)
def _escape(found: str) -> str:
    """%7e is ~ and %c3 is %C3 (RFC 3986, 6.2.2); whatever may not stand in an address is escaped."""
    if len(found) == 1:
        return quote(found, safe="", errors="surrogatepass")
    character = chr(int(found[1:], 16))
    return character if _UNRESERVED.fullmatch(character) else found.upper()
