"""Where a site may have news sitemaps: named in its robots.txt, in usual places, among the sitemaps of an index. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from lxml import etree

PLACES = ("/sitemap-news.xml", "/news-sitemap.xml", "/sitemap_news.xml")
#: Of those that robots.txt or an index names so many are looked at, of an index whose names tell nothing so many.
MOST, MOST_NAMELESS = 6, 3

_NAMED = re.compile(r"(?im)^[ \t]*sitemap[ \t]*:[ \t]*(\S+)")
_NEWS = re.compile(r"news|aktuell|nachrichten|latest", re.IGNORECASE)


def usual_sitemaps(url: str) -> tuple[str, ...]:
    """Addresses at which the site behind an address may have a news sitemap."""
    return tuple(urljoin(url, place) for place in PLACES)


def named_in(robots: bytes, url: str) -> tuple[str, ...]:
    """The sitemaps that a robots.txt names, those that look like news first."""
    return _addresses(_NAMED.findall(robots.decode("utf-8-sig", "replace")), url)[:MOST]


def news_of(index: bytes, url: str) -> tuple[str, ...]:
    """The sitemaps of an index that look like news by their names, else its first ones; nothing where it is no index."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True)
    try:
        root = etree.fromstring(index, parser)
    except etree.XMLSyntaxError:
        return ()
    if root is None or etree.QName(root).localname != "sitemapindex":
        return ()
    found = _addresses((loc.text or "" for loc in root.iterfind("{*}sitemap/{*}loc")), url)
    return tuple(filter(_is_news, found))[:MOST] or found[:MOST_NAMELESS]


def _addresses(named: Iterable[str], base: str) -> tuple[str, ...]:
    resolved = dict.fromkeys(filter(None, (_resolved(name, base) for name in named)))
    return tuple(sorted(resolved, key=lambda url: not _is_news(url)))


def _resolved(name: str, base: str) -> str | None:
    if not name.strip():
        return None
    try:
        url = urljoin(base, name.strip()).partition("#")[0]
        return url if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname else None
    except ValueError:
        return None


def _is_news(url: str) -> bool:
    return bool(_NEWS.search(urlsplit(url).path))
