"""Writes the feeds of the sample wire. Pure.

Proper RSS 1.0, RSS 2.0 and Atom, RSS that carries whole articles, and one that breaks the rules the way real feeds do.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime as rfc2822
from html import escape

from babel.dates import format_datetime

from pipeline.wire.hub import HUB_PATH
from pipeline.wire.newsroom import Publisher
from pipeline.wire.pages import content
from pipeline.wire.timeline import Entry

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "broken": "text/xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
    "content": "application/rss+xml; charset=utf-8",
}


def feed(publisher: Publisher, entries: Sequence[Entry], port: str) -> bytes:
    """The publisher's feed of these entries, newest first; `port` is empty or a colon and a number."""
    kinds = {"rss": _rss, "atom": _atom, "broken": _broken, "rdf": _rdf, "content": _content}
    return kinds[publisher.feed_kind](publisher, entries, port).encode("utf-8")


def _link(entry: Entry, port: str) -> str:
    return f"http://{entry.host.host}{port}{entry.link_path}"


def _rss(publisher: Publisher, entries: Sequence[Entry], port: str) -> str:
    items = "\n".join(_rss_item(entry, port) for entry in entries)
    home = f"http://{publisher.host}{port}/"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>{escape(publisher.feed_title)}</title>
<link>{home}</link>
<description>{escape(publisher.tagline)}</description>
<language>{publisher.language}</language>
<ttl>1</ttl>
<atom:link href="{home.rstrip("/")}{publisher.feed_path}" rel="self" type="application/rss+xml"/>
{items}
</channel>
</rss>
"""


def _rss_item(entry: Entry, port: str) -> str:
    date = f"\n<pubDate>{rfc2822(entry.local_date)}</pubDate>" if entry.placement.dated else ""
    return f"""<item>
<title>{escape(entry.article.title)}</title>
<link>{escape(_link(entry, port))}</link>
<description>{escape(entry.article.summary)}</description>
<dc:creator>{escape(entry.article.author)}</dc:creator>
<category>{escape(entry.publisher.sections[entry.placement.section])}</category>
<guid isPermaLink="false">{entry.publisher.key}-{entry.article.slug}</guid>{date}
</item>"""


def _atom(publisher: Publisher, entries: Sequence[Entry], port: str) -> str:
    items = "\n".join(_atom_entry(entry, port) for entry in entries)
    home = f"http://{publisher.host}{port}/"
    updated = max((entry.updated_at for entry in entries), default=datetime(2000, 1, 1, tzinfo=UTC))
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{publisher.language}">
<id>tag:{publisher.host},2025:latest</id>
<title>{escape(publisher.feed_title)}</title>
<subtitle>{escape(publisher.tagline)}</subtitle>
<link rel="alternate" type="text/html" href="{home}"/>
<link rel="self" type="application/atom+xml" href="{home.rstrip("/")}{publisher.feed_path}"/>
<link rel="hub" href="{home.rstrip("/")}{HUB_PATH}"/>
<updated>{updated.isoformat()}</updated>
{items}
</feed>
"""


def _atom_entry(entry: Entry, port: str) -> str:
    return f"""<entry>
<id>tag:{entry.publisher.host},2025:{entry.article.slug}</id>
<title>{escape(entry.article.title)}</title>
<link rel="alternate" type="text/html" href="{escape(_link(entry, port))}"/>
<published>{entry.local_date.isoformat()}</published>
<updated>{entry.local_update.isoformat()}</updated>
<author><name>{escape(entry.article.author)}</name></author>
<category term="{entry.placement.section}" label="{escape(entry.publisher.sections[entry.placement.section])}"/>
<summary>{escape(entry.article.summary)}</summary>
</entry>"""


def _broken(publisher: Publisher, entries: Sequence[Entry], port: str) -> str:
    """RSS that no XML parser accepts: bare ampersands, HTML's entities, control characters, dates in German."""
    items = "\n".join(_broken_item(entry, port) for entry in entries)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
<channel>
<title>{publisher.feed_title}</title>
<link>http://{publisher.host}{port}/</link>
<description>{publisher.tagline}</description>
{items}
</channel>
</rss>
"""


def _broken_item(entry: Entry, port: str) -> str:
    guid = "" if entry.number % 3 == 1 else f"\n<guid>{entry.publisher.key}:{entry.article.slug}</guid>"
    return f"""<item>
<title>{entry.article.title}</title>
<link>{_link(entry, port)}</link>
<description>{_careless(entry)}</description>{guid}
<pubDate>{_careless_date(entry)}</pubDate>
</item>"""


def _careless(entry: Entry) -> str:
    """The summary with entities that XML does not know, and now and then a stray vertical tab."""
    text = entry.article.summary
    for character, entity in {
        "ä": "&auml;",
        "ö": "&ouml;",
        "ü": "&uuml;",
        " Prozent": "&nbsp;Prozent",
        "€": "&euro;",
        "–": "&ndash;",
    }.items():
        text = text.replace(character, entity)
    return text.replace(" ", " \x0b", 1) if entry.number % 4 == 2 else text


def _careless_date(entry: Entry) -> str:
    local = entry.local_date
    german = format_datetime(local, "ccc, dd LLL y HH:mm:ss", locale="de")
    zone = {"CET": "MEZ", "CEST": "MESZ"}
    return [
        f"{german} {zone[f'{local:%Z}']}",
        f"{rfc2822(local)[:-5]}{local:%Z}",
        f"{german} {local:%z}",
    ][entry.number % 3]


def _rdf(publisher: Publisher, entries: Sequence[Entry], port: str) -> str:
    items = "\n".join(_rdf_item(entry, port) for entry in entries)
    listed = "".join(f'<rdf:li rdf:resource="{escape(_link(entry, port))}"/>' for entry in entries)
    home = f"http://{publisher.host}{port}/"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="{home}">
<title>{escape(publisher.feed_title)}</title>
<link>{home}</link>
<description>{escape(publisher.tagline)}</description>
<dc:language>{publisher.language}</dc:language>
<items><rdf:Seq>{listed}</rdf:Seq></items>
</channel>
{items}
</rdf:RDF>
"""


def _rdf_item(entry: Entry, port: str) -> str:
    date = f"\n<dc:date>{entry.local_date.isoformat()}</dc:date>" if entry.placement.dated else ""
    return f"""<item rdf:about="{escape(_link(entry, port))}">
<title>{escape(entry.article.title)}</title>
<link>{escape(_link(entry, port))}</link>
<description>{escape(entry.article.summary)}</description>
<dc:creator>{escape(entry.article.author)}</dc:creator>
<dc:subject>{escape(entry.publisher.sections[entry.placement.section])}</dc:subject>{date}
</item>"""


def _content(publisher: Publisher, entries: Sequence[Entry], port: str) -> str:
    """RSS whose items are all there is: no links, and guids that are no addresses."""
    items = "\n".join(_content_item(entry) for entry in entries)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>{escape(publisher.feed_title)}</title>
<link>http://{publisher.host}{port}/</link>
<description>{escape(publisher.tagline)}</description>
<language>{publisher.language}</language>
{items}
</channel>
</rss>
"""


def _content_item(entry: Entry) -> str:
    date = f"\n<pubDate>{rfc2822(entry.local_date)}</pubDate>" if entry.placement.dated else ""
    return f"""<item>
<title>{escape(entry.article.title)}</title>
<description>{escape(entry.article.summary)}</description>
<content:encoded><![CDATA[{content(entry)}]]></content:encoded>
<dc:creator>{escape(entry.article.author)}</dc:creator>
<category>{escape(entry.publisher.sections[entry.placement.section])}</category>
<guid isPermaLink="false">{entry.publisher.key}-{entry.article.slug}</guid>{date}
</item>"""


def sitemap(publisher: Publisher, entries: Sequence[Entry], port: str) -> bytes:
    """The publisher's news sitemap of these entries."""
    urls = "\n".join(_sitemap_url(publisher, entry, port) for entry in entries)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
{urls}
</urlset>
""".encode()


def _sitemap_url(publisher: Publisher, entry: Entry, port: str) -> str:
    return f"""<url>
<loc>{escape(f"http://{publisher.host}{port}{entry.page_path}")}</loc>
<lastmod>{entry.local_update.isoformat()}</lastmod>
<news:news>
<news:publication><news:name>{escape(publisher.name)}</news:name><news:language>{entry.article.language}</news:language></news:publication>
<news:publication_date>{entry.local_date.isoformat()}</news:publication_date>
<news:title>{escape(entry.article.title)}</news:title>
<news:keywords>{escape(entry.publisher.sections[entry.placement.section])}</news:keywords>
</news:news>
</url>"""
