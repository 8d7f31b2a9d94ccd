"""Serves the sample wire over HTTP on loopback: one port, and one publisher for each host name. Does the I/O."""

import asyncio
import errno
import gzip
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from pipeline.errors import ConfigError, InputError
from pipeline.wire import feeds, newsroom, pages
from pipeline.wire.hub import HUB_PATH, Hub
from pipeline.wire.newsroom import Article, Publisher
from pipeline.wire.timeline import Entry, Timeline, timeline

ADDRESS = "127.0.0.1"
STARTED = "wire-started"
SLOW_S = 2.0
#: So long after the start everything written is out.
ALL_OUT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What stands at an address at a moment."""

    text: bytes
    content_type: str
    status: int = 200
    modified: datetime | None = None
    location: str | None = None
    delay_s: float = 0


async def serve(
    since: Path | datetime,
    port: int,
    *,
    clock: Callable[[], datetime],
    ready: Callable[[str], None],
    articles: Sequence[Article] | None = None,
) -> None:
    """Serve until cancelled; `ready` is told the base address once requests are answered.

    `since` is the moment of the first start (aware), or a directory in which that is kept and used again, so that a restart
    shows the same news. `articles` stand in for the written ones; the reports follow either.

    Raises:
        ConfigError: the port is taken or not allowed, or the kept start cannot be read.
    """
    start = since if isinstance(since, datetime) else await asyncio.to_thread(kept_start, since, clock)
    runner = web.AppRunner(app(start, clock, articles), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, ADDRESS, port).start()
        except OSError as error:
            raise _cannot_listen(port, error) from error
        ready(f"http://{ADDRESS}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def kept_start(run_dir: Path, clock: Callable[[], datetime]) -> datetime:
    """The moment of the wire's first start in this directory, written once."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / STARTED
    if not path.exists():
        aside = run_dir / f".{STARTED}.{os.getpid()}"
        aside.write_text(clock().astimezone(UTC).isoformat() + "\n", "utf-8")
        try:
            path.hardlink_to(aside)  # unlike a rename it fails where another start was quicker, whose moment then counts
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    try:
        start = datetime.fromisoformat(path.read_text("utf-8").strip())
    except ValueError as error:
        raise ConfigError(f"{path} holds no time; delete it to let the sample wire begin anew") from error
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def stopped_at(moment: str) -> tuple[datetime, Callable[[], datetime]]:
    """The start and the clock of a wire whose clock stands still at this moment, when everything written is out.

    Raises:
        InputError: `moment` is no time with an offset.
    """
    try:
        now = datetime.fromisoformat(moment)
    except ValueError:
        now = None
    if now is None or now.tzinfo is None:
        raise InputError(f"{moment!r} is no time with an offset; write it like 2026-11-23T14:00Z")
    return now - ALL_OUT, lambda: now


def app(start: datetime, clock: Callable[[], datetime], articles: Sequence[Article] | None = None) -> web.Application:
    """The wire as an application; `start` and the clock's times are aware."""
    shown = timeline(start, newsroom.publishers(), newsroom.articles() if articles is None else articles)
    application = web.Application()
    hub = Hub(lambda topic: _announcing(shown, topic, clock()))
    application.cleanup_ctx.append(hub.pushing)
    application.router.add_post(HUB_PATH, hub.take)
    application.router.add_get("/{path:.*}", _handler(shown, clock))
    return application


def _announcing(shown: Timeline, topic: str, now: datetime) -> bytes | None:
    """The feed at this address, where it is one that announces the hub."""
    host, colon, port = urlsplit(topic).netloc.lower().partition(":")
    publisher = next((p for p in shown.publishers.values() if (p.host, p.feed_path) == (host, urlsplit(topic).path)), None)
    if publisher is None or publisher.feed_kind != "atom":
        return None
    return feeds.feed(publisher, shown.latest(now, publisher.key), colon + port)


def _handler(shown: Timeline, clock: Callable[[], datetime]) -> Callable[[web.Request], Awaitable[web.Response]]:
    by_host = {publisher.host: publisher for publisher in shown.publishers.values()}

    async def handle(request: web.Request) -> web.Response:
        host, colon, port = request.host.lower().partition(":")
        publisher = by_host.get(host)
        now = clock()
        answer = (
            _publisher_answer(shown, publisher, request.path, now, colon + port)
            if publisher
            else _index_answer(shown, request.path, now, colon + port)
        )
        await asyncio.sleep(answer.delay_s)
        return _response(request, answer)

    return handle


def _index_answer(shown: Timeline, path: str, now: datetime, port: str) -> Answer:
    if path == "/":
        return Answer(text=pages.index_page(shown, now, port).encode(), content_type="text/html; charset=utf-8")
    return Answer(text=b"the index of the sample wire is at /\n", content_type="text/plain; charset=utf-8", status=404)


def _publisher_answer(shown: Timeline, publisher: Publisher, path: str, now: datetime, port: str) -> Answer:
    latest = shown.latest(now, publisher.key)
    modified = _modified(shown, latest)
    if path == publisher.feed_path:
        text = feeds.feed(publisher, latest, port)
        return Answer(text=text, content_type=feeds.CONTENT_TYPES[publisher.feed_kind], modified=modified)
    if path == publisher.sitemap_path:
        listed = shown.feed(now, publisher.key, path)
        text = feeds.sitemap(publisher, listed, port)
        return Answer(text=text, content_type="application/xml; charset=utf-8", modified=_modified(shown, listed))
    if path == "/robots.txt" and publisher.robots is not None:
        return Answer(text=publisher.robots.strip().encode() + b"\n", content_type="text/plain; charset=utf-8")
    if path == "/":
        return _html(publisher, pages.front_page(publisher, latest, publisher.name, port), modified=modified)
    if path == "/about":
        return _html(publisher, pages.about_page(publisher))
    if (section := path.strip("/")) in publisher.sections:
        listed = [entry for entry in latest if entry.placement.section == section]
        return _html(publisher, pages.front_page(publisher, listed, publisher.sections[section], port))
    return _article_answer(shown, publisher, path, now, port)


def _modified(shown: Timeline, entries: Sequence[Entry]) -> datetime:
    return max((entry.updated_at for entry in entries), default=shown.start)


def _article_answer(shown: Timeline, publisher: Publisher, path: str, now: datetime, port: str) -> Answer:
    if moved := shown.redirect(publisher.key, path, now):
        return Answer(
            text=b"",
            content_type="text/plain",
            status=moved.placement.redirect,
            location=f"http://{publisher.host}{port}{moved.page_path}",
        )
    if entry := shown.page(publisher.key, path, now):
        if now < entry.available_at:
            return Answer(text=b"busy, please try again later\n", content_type="text/plain; charset=utf-8", status=503)
        amp = path == entry.amp_path
        page = pages.amp_page(entry, port) if amp else pages.article_page(entry, shown.related(entry), port)
        delay_s = SLOW_S if entry.placement.page == "slow" else 0
        return replace(_html(publisher, page, modified=entry.updated_at), delay_s=delay_s)
    return _html(publisher, pages.not_found_page(publisher), status=404)


def _html(publisher: Publisher, page: str, *, status: int = 200, modified: datetime | None = None) -> Answer:
    text = page.encode(publisher.charset, "xmlcharrefreplace")
    return Answer(text=text, content_type=f"text/html; charset={publisher.charset}", status=status, modified=modified)


def _response(request: web.Request, answer: Answer) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: answer.content_type, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if answer.location:
        headers[hdrs.LOCATION] = answer.location
    text = answer.text
    if text and _takes_gzip(request):
        text = gzip.compress(text, mtime=0)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    response = web.Response(status=answer.status, body=text, headers=headers)
    if answer.status != 200:
        return response
    # Of the bytes as sent: a strong validator differs between encodings.
    response.etag = blake2b(text, digest_size=12).hexdigest()
    if answer.modified:
        response.last_modified = answer.modified
    if _unchanged(request, response):
        validators = {
            name: response.headers[name] for name in (hdrs.ETAG, hdrs.LAST_MODIFIED, hdrs.VARY) if name in response.headers
        }
        return web.Response(status=304, headers=validators)
    return response


def _takes_gzip(request: web.Request) -> bool:
    offers = request.headers.get(hdrs.ACCEPT_ENCODING, "").replace(" ", "").lower().split(",")
    wishes = (offer.partition(";q=") for offer in offers)
    return any(coding == "gzip" and (not weight or weight.strip("0.") != "") for coding, _, weight in wishes)


def _unchanged(request: web.Request, response: web.Response) -> bool:
    if request.if_none_match is not None:
        return any(tag.value in ("*", response.etag.value if response.etag else None) for tag in request.if_none_match)
    since, modified = request.if_modified_since, response.last_modified
    return since is not None and modified is not None and modified <= since


def _cannot_listen(port: int, error: OSError) -> ConfigError:
    reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
    return ConfigError(f"port {port} on {ADDRESS} {reason}; stop what listens there, or give the sample wire another port")
