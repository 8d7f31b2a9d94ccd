"""CPU of parsing feeds against feedparser with its defaults on the same bytes, in turn; whether both find as many entries.

The feeds are the generator's, German and English, with whole articles in them, the parser's golden ones, and those of a
directory (`--pages DIR`, its .xml files).
"""

import io
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import feedparser

from benchmarks import heavy_pages
from benchmarks.table import Line, Options, Table
from pipeline.parse import parse_feed
from pipeline.parse.steps import MOST_ITEMS
from schemas.feed import ParsedFeed

LIMIT, ROUNDS, ENTRIES = 0.4, 3, 600
_GOLDEN = Path(__file__).parents[1] / "tests" / "parse" / "golden"
_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def measure(options: Options) -> Table:
    directory = sorted(options.pages.glob("*.xml")) if options.pages else []
    made = list(_made(heavy_pages.entries(30 if options.tiny else ENTRIES)))
    found = made + [path.read_bytes() for path in [*sorted(_GOLDEN.glob("[bm]*.xml")), *directory]]
    bodies = [body for body in found if _is_read(body)]
    rounds = [_round(bodies) for _ in range(1 if options.tiny else ROUNDS)]
    theirs = statistics.median(other for _, other, _ in rounds)
    ratio = statistics.median(mine / other for mine, other, _ in rounds)
    lines = [
        Line(what=f"{len(bodies)} feeds", figure=1000 * ratio * theirs, unit="ms", peer=1000 * theirs, limit=LIMIT),
        Line(what="feeds with another number of entries", figure=rounds[0][2], unit="", limit=0),
        Line(what="feeds left out, as feedparser raises on them", figure=len(found) - len(bodies), unit=""),
    ]
    size = sum(map(len, bodies)) / 1e6
    return Table(title=f"CPU of parsing {len(bodies)} feeds, {size:.1f} MB", against="feedparser", lines=lines)


def _made(entries: list[heavy_pages.Entry]) -> Iterator[bytes]:
    """The generator's articles as feeds of 25, each whole in its description, as HTML with links and a picture."""
    for start in range(0, len(entries), 25):
        items = "".join(map(_item, entries[start : start + 25]))
        yield f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()


def _item(entry: heavy_pages.Entry) -> str:
    link = escape(heavy_pages.link(entry))
    paragraphs = "".join(f'<p class="text">{block} <a href="{link}">more</a></p>\n' for block in entry.article.blocks)
    described = escape(f'<img src="{link}/1.jpg" alt=""/>{paragraphs}')
    head = f"<title>{escape(entry.article.title)}</title><link>{link}</link><pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate>"
    return f"<item>{head}<description>{described}</description></item>"


def _is_read(body: bytes) -> bool:
    try:
        feedparser.parse(io.BytesIO(body))
    except Exception:  # noqa: BLE001 - of seven types at least
        return False
    return True


def _round(bodies: list[bytes]) -> tuple[float, float, int]:
    """Seconds of CPU of ours and of feedparser, and how many feeds have not the same number of entries for both."""
    mine = other = 0.0
    differing = 0
    for body in bodies:
        began = time.process_time()
        ours = parse_feed(body, "https://feeds.example/", received_at=_AT)
        between = time.process_time()
        theirs = feedparser.parse(io.BytesIO(body))
        mine, other = mine + between - began, other + time.process_time() - between
        differing += (len(ours.entries) if isinstance(ours, ParsedFeed) else 0) != min(MOST_ITEMS, len(theirs.entries))
    return mine, other, differing
