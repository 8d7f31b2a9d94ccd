"""A lake and a catalogue whose feeds and pages are at hand as kept bytes: batches run as always and ask no server."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks import heavy_pages
from pipeline.feeds import load_catalogue
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.staging import keep
from pipeline.lake.work import due_entries
from pipeline.settings import Settings
from schemas import ids
from schemas.web import Body, FetchCode, Header, Kind

_FEED_ENTRIES = 30


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes lie: `feeds.toml`, `feeds/<feed_id>.xml`, and `pages.json`, which says where each address lies."""

    place: Path

    def pages(self) -> dict[str, tuple[str, str]]:
        """File and content type of every page, by address."""
        return {url: (file, kind) for url, (file, kind) in json.loads((self.place / "pages.json").read_text()).items()}

    def files(self) -> list[str]:
        """The file of every page."""
        return [file for file, _ in self.pages().values()]


def made_up(place: Path, count: int) -> Source:
    """So many pages of the generator, in feeds of at most 30."""
    entries = heavy_pages.entries(count)
    pages = {}
    (place / "pages").mkdir()
    for number, entry in enumerate(entries):
        file = place / "pages" / f"{number:05d}.html"
        file.write_bytes(heavy_pages.page(entry, number))
        pages[heavy_pages.link(entry)] = str(file), f"text/html; charset={entry.publisher.charset}"
    feeds = [(name, p.name, p.language or "", body) for name, p, body in heavy_pages.feed_bodies(entries)]
    return _written(place, feeds, pages)


def of_directory(place: Path, directory: Path) -> Source:
    """The pages of a directory (.html, .html.gz), left where they are, behind feeds made for them."""
    files = sorted(f for f in directory.iterdir() if f.name.endswith((".html", ".html.gz")))
    # no charset: what the server said when these were saved is not known
    pages = {f"https://pages.example/{n}/{f.name.partition('.')[0]}": (str(f), "text/html") for n, f in enumerate(files)}
    urls = list(pages)
    parts = [urls[start : start + _FEED_ENTRIES] for start in range(0, len(urls), _FEED_ENTRIES)]
    return _written(place, [(f"pages-{n:03d}", "Pages", "", _rss(part)) for n, part in enumerate(parts)], pages)


def _rss(urls: list[str]) -> bytes:
    items = "".join(f"<item><title>{escape(url)}</title><link>{escape(url)}</link></item>" for url in urls)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Pages</title>{items}</channel></rss>'.encode()


def _written(place: Path, feeds: list[tuple[str, str, str, bytes]], pages: dict[str, tuple[str, str]]) -> Source:
    (place / "feeds").mkdir()
    catalogue = ""
    for name, source, language, body in feeds:
        (place / "feeds" / f"{name}.xml").write_bytes(body)
        catalogue += f'[[feed]]\nfeed_id = "{name}"\nurl = "https://feeds.example/{name}"\nsource = "{source}"\n'
        catalogue += f'language = "{language}"\n' if language else ""
    (place / "feeds.toml").write_text(catalogue)
    (place / "pages.json").write_text(json.dumps(pages))
    return Source(place)


def settings_for(source: Source, lake: Path) -> Settings:
    return replace(Settings.from_env({"NEWSMILL_LAKE": str(lake)}), catalogue=source.place / "feeds.toml", shards=1)


def keep_feeds(source: Source, settings: Settings, batch: BatchRef) -> None:
    """Puts the bytes of every feed where a batch finds what it has fetched."""
    with keep(Lake(settings.lake), batch, "kept") as packs:
        for feed in load_catalogue(settings.catalogue):
            content = (source.place / "feeds" / f"{feed.feed_id}.xml").read_bytes()
            packs.add(_body(Kind.FEED, ids.visit_id(batch.root, feed.feed_id), feed.feed_id, feed.url, "text/xml", content))


def keep_pages(source: Source, settings: Settings, batch: BatchRef) -> int:
    """Puts the bytes of the page behind every entry that is due where a batch finds what it has fetched; says how many."""
    count = 0
    with keep(Lake(settings.lake), batch, "kept") as packs:
        for body in _page_bodies(source, settings, batch):
            packs.add(body)
            count += 1
    return count


def _page_bodies(source: Source, settings: Settings, batch: BatchRef) -> Iterator[Body]:
    with connect(settings.lake) as con:
        due = due_entries(con, datetime.now(UTC))
    pages = source.pages()
    for entry, attempt in ((d.entry, d.attempt) for d in due):
        file, kind = pages[entry.url or ""]
        content = Path(file).read_bytes()
        content = gzip.decompress(content) if file.endswith(".gz") else content
        owner = ids.page_id(batch.root, entry.entry_id, entry.revision, attempt)
        yield replace(
            _body(Kind.PAGE, owner, entry.entry_id, entry.url or "", kind, content), revision=entry.revision, attempt=attempt
        )


def _body(kind: Kind, owner: str, target: str, url: str, content_type: str, content: bytes) -> Body:
    now = datetime.now(UTC)
    return Body(
        kind=kind, owner=owner, target=target, url=url, final_url=url, asked_at=now, answered_at=now, code=FetchCode.OK,
        status=200, headers=(Header(name="content-type", value=content_type),), robots="allowed",
        sha256=hashlib.sha256(content).hexdigest(), content=content,
    )  # fmt: skip
