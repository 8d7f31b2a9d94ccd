"""A publisher on loopback whose answers the test can change, and a run directory that points at it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.lake import connect
from pipeline.run import run_once
from pipeline.settings import Settings
from tests.opened import opened

STORIES = {
    "siemens": (
        "Siemens raises its full-year forecast",
        "Siemens raised its forecast after orders rose 12 percent in the quarter.",
    ),
    "sap": ("SAP-Aktie fällt nach Zahlen", "Die Aktie von SAP fiel nach den Quartalszahlen um vier Prozent."),
    "boeing": ("Boeing hands over fewer jets", "Boeing delivered fewer jets in October than a year earlier, the company said."),
    "basf": ("BASF baut Stellen ab", "BASF will in Ludwigshafen weitere Stellen abbauen, teilte der Konzern am Montag mit."),
}
MORE = "The board will present details when it reports results in February, and it kept the dividend at the level of last year. "


@dataclass
class Publisher:
    """What it serves now, and what it was asked."""

    port: int = 0
    slugs: list[str] = field(default_factory=lambda: list(STORIES))
    page_status: int = 200
    feed_status: int = 200
    retry_after: str | None = None
    text: str = MORE
    asked: list[str] = field(default_factory=list)
    tag: str | None = None  # the ETag of everything, whatever it is; none where empty
    items: list[dict[str, str]] | None = None  # guid, title, path (and more, as XML) of each, instead of the slugs
    pages: dict[str, str] = field(default_factory=dict)  # what stands at a path; what begins with / is a redirect to there

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def feed(self) -> str:
        if self.items is not None:
            return _rss(
                "".join(
                    f"<item><guid>{i['guid']}</guid><title>{i['title']}</title><link>{self.base}{i['path']}</link>"
                    f"{i.get('more', '')}</item>"
                    for i in self.items
                )
            )
        items = "".join(
            f"<item><guid>{slug}</guid><title>{STORIES[slug][0]}</title><link>{self.base}/{slug}?utm_source=rss</link>"
            f"<pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate></item>"
            for slug in self.slugs
        )
        return _rss(items)

    def page(self, slug: str) -> str:
        title, lead = STORIES[slug]
        paragraphs = "".join(f"<p>{part}</p>" for part in (lead, f"{title}: {self.text * 2}", f"More of {slug}. {self.text}"))
        return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"


def _rss(items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


def page_of(title: str, *sentences: str, head: str = "") -> str:
    """A page with an article long enough to be read as one."""
    paragraphs = "".join(f"<p>{s} {MORE}</p>" for s in sentences)
    return f"<html><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher that serves until the block ends."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            publisher.asked.append(path)
            if path == "feed":
                self._answer(publisher.feed_status, "application/rss+xml", publisher.feed())
            elif (found := publisher.pages.get(f"/{path}", "")).startswith("/"):
                self._answer(301, "text/html", "", found)
            elif found:
                self._answer(publisher.page_status, "text/html; charset=utf-8", found)
            elif path in STORIES:
                self._answer(publisher.page_status, "text/html; charset=utf-8", publisher.page(path))
            else:
                self._answer(404, "text/html", "<p>no such page</p>")

        def _answer(self, status: int, kind: str, text: str, location: str | None = None) -> None:
            tag = f'"{abs(hash(text))}"' if publisher.tag is None else publisher.tag
            if tag and status == 200 and self.headers.get("If-None-Match") == tag:
                status = 304
            body = text.encode() if status == 200 else b""
            self.send_response(status)
            for name, value in {
                "Content-Type": kind,
                "ETag": tag,
                "Retry-After": publisher.retry_after,
                "Location": location,
            }.items():
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()


def settings_for(run_dir: Path, port: int) -> Settings:
    """A run directory of its own, whose catalogue names the publisher's feed; young articles are not read again."""
    run_dir.mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{port}/feed"
    (run_dir / "feeds.toml").write_text(
        f'[[feed]]\nfeed_id = "t"\nurl = "{url}"\nsource = "T"\nlanguage = "en"\nevery_minutes = 1\n'
    )
    (run_dir / "wire-address").write_text(f"127.0.0.1:{port}")
    settings = Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"})
    assert settings.wire == f"127.0.0.1:{port}"
    return replace(settings, shards=1, reread_h=())


START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Desk:
    """A lake with a publisher, and batches at moments the test names."""

    def __init__(self, run_dir: Path, publisher: Publisher) -> None:
        self.publisher = publisher
        self.settings = settings_for(run_dir, publisher.port)
        self.now = START
        opened(self.settings.lake)

    def batch(self, after: timedelta) -> dict[str, dict[str, int]]:
        self.now += after
        reports = run_once(self.settings, lambda _line: None, lambda: self.now)
        return {r.stage: {k: n for k, n in r.counts.items() if n} for r in reports}

    def rows(self, query: str) -> list[Any]:
        with connect(self.settings.lake) as con:
            return con.sql(query).fetchall()
