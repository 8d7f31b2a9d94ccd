"""One exchange and what becomes of it: answers, conditions, encodings, redirects, and everything that breaks."""

import asyncio
import gzip
import hashlib
import random
import socket
import struct
import zlib

import brotli
import pytest
from backports import zstd

from pipeline.errors import ConfigError
from pipeline.fetch import Policy, well_formed_etag, well_formed_http_date
from schemas.web import Body, FetchCode, Header, Kind
from tests.fetch.site import NOW, Site, answer, ask_site, bodies, policy_for, request, serving

FEED = "<rss><channel><title>Börse am Morgen</title></channel></rss>".encode()


def test_a_whole_exchange() -> None:
    reply = answer(body=FEED, ETag='W/"7"', Content_Type="application/rss+xml", Set_Cookie="a=b", X_Robots_Tag="noai")
    (body,), site = ask_site({"/feed": reply}, "/feed#latest")
    url = f"http://127.0.0.1:{site.port}/feed"
    assert body == Body(
        kind=Kind.FEED,
        owner="f_1",
        target="feed",
        url=url + "#latest",
        final_url=url,
        asked_at=NOW,
        answered_at=NOW,
        code=FetchCode.OK,
        status=200,
        headers=(
            Header(name="content-length", value=str(len(FEED))),
            Header(name="etag", value='W/"7"'),
            Header(name="content-type", value="application/rss+xml"),
            Header(name="x-robots-tag", value="noai"),
        ),
        robots="none",
        sha256=hashlib.sha256(FEED).hexdigest(),
        content=FEED,
    )
    sent = site.asked[-1].headers
    assert sent.pop("accept").startswith("application/atom+xml")
    assert sent == {"host": f"127.0.0.1:{site.port}", "user-agent": "newsmill/1.0", "accept-encoding": "gzip, deflate, br, zstd"}


def conditional(etag: str | None, modified: str | None) -> tuple[Body, dict[str, str]]:
    async def run() -> tuple[Body, dict[str, str]]:
        async with serving({"/": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"}) as site:
            asked = request(f"http://127.0.0.1:{site.port}/", etag=etag, last_modified=modified)
            (body,) = await bodies([asked], policy_for(site))
            return body, site.asked[-1].headers

    return asyncio.run(run())


def test_conditions_are_sent_and_304_is_understood() -> None:
    body, sent = conditional('"abc"', "Sun, 22 Nov 2026 10:15:00 GMT")
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"abc"', "Sun, 22 Nov 2026 10:15:00 GMT")
    assert (body.code, body.status, body.content, body.sha256) == (FetchCode.NOT_MODIFIED, 304, None, None)


@pytest.mark.parametrize("poison", ['"a"\r\nX-Evil: 1', '"ä"', '"a\x00"', "unquoted", '"a\x7f"', ""])
def test_poisonous_conditions_are_not_sent(poison: str) -> None:
    body, sent = conditional(poison, poison)
    assert {"if-none-match", "if-modified-since", "x-evil"}.isdisjoint(sent)
    assert (body.code, body.status, body.detail) == (FetchCode.STATUS, 304, "304 to a request without conditions")


ETAGS = {'"a"': True, 'W/"a"': True, '""': True, "a": False, 'w/"a"': False, '"a"b"': False, '"a b"': False, '"ü"': False}
DATES = {
    "Sun, 22 Nov 2026 10:15:00 GMT": True,
    "Sunday, 22-Nov-26 10:15:00 GMT": True,
    "Sun Nov 22 10:15:00 2026": True,
    "Sun, 22 Nov 2026 11:15:00 +0100": True,
    "Sun, 22 Nov 2026 10:15:00 GMT\n": False,
    "Sun, 22 März 2026 10:15:00 GMT": False,
    "yesterday": False,
    "0": False,
    "Sun, 99 Nov 2026 10:15:00 GMT": False,
    "": False,
}


def test_grammar_of_validators() -> None:
    assert {value: well_formed_etag(value) for value in ETAGS} == ETAGS
    assert {value: well_formed_http_date(value) for value in DATES} == DATES


def test_a_servers_odd_headers_are_not_kept() -> None:
    reply = answer(body=FEED, ETag='"\xe4"', Last_Modified="gestern", Server="\xfcber", Link="<a>; rel=hub")
    (body,), _ = ask_site({"/": reply}, "/")
    assert body.headers[1:] == (Header(name="server", value="\ufffdber"), Header(name="link", value="<a>; rel=hub"))
    assert body.header("etag") is None


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(FEED, mtime=0)),
        ("deflate", zlib.compress(FEED)),
        ("deflate", zlib.compress(FEED)[2:-4]),
        ("br", brotli.compress(FEED)),
        ("zstd", zstd.compress(FEED)),
        ("zstd", zstd.compress(FEED[:9]) + zstd.compress(FEED[9:])),
        ("GZIP", gzip.compress(FEED[:9], mtime=0) + gzip.compress(FEED[9:], mtime=0)),
    ],
)
def test_packed_bodies_are_unpacked(encoding: str, packed: bytes) -> None:
    (body,), _ = ask_site({"/": answer(body=packed, Content_Encoding=encoding)}, "/")
    assert (body.code, body.content, body.sha256) == (FetchCode.OK, FEED, hashlib.sha256(FEED).hexdigest())


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,br", "zstd, zstd", "x-gzip", "compress", "\xe4"])
def test_other_encodings_and_several_of_them_are_not_taken_for_content(encoding: str) -> None:
    (body,), _ = ask_site({"/": answer(body=gzip.compress(gzip.compress(FEED)), Content_Encoding=encoding)}, "/")
    assert (body.code, body.content) == (FetchCode.UNREACHABLE, None)
    assert encoding == "\xe4" or body.detail == f"content encoding {encoding!r} was not asked for"


def test_other_statuses_keep_their_body() -> None:
    routes = {"/wall": answer("403 Forbidden", b"<html>", cf_mitigated="challenge"), "/gone": answer("410 Gone")}
    (wall, gone), _ = ask_site(routes, "/wall", "/gone")
    assert (wall.code, wall.status, wall.content, wall.header("cf-mitigated")) == (FetchCode.STATUS, 403, b"<html>", "challenge")
    assert (gone.code, gone.status, gone.content, gone.sha256) == (FetchCode.STATUS, 410, None, None)


def test_caps_differ_by_kind_and_count_unpacked_bytes() -> None:
    routes = {"/": answer(body=gzip.compress(b"x" * 1001), Content_Encoding="gzip")}
    caps = {"max_feed_bytes": 1001, "max_page_bytes": 1000}
    (feed,), _ = ask_site(routes, "/", **caps)
    (page,), _ = ask_site(routes, "/", kind=Kind.PAGE, **caps)
    assert (feed.code, feed.content) == (FetchCode.OK, b"x" * 1001)
    assert (page.code, page.status, page.content, page.detail) == (
        FetchCode.TOO_LARGE,
        200,
        None,
        "more than 1000 bytes unpacked",
    )


def test_a_long_body_of_another_status_is_not_kept() -> None:
    (body,), _ = ask_site({"/": answer("404 Not Found", b"x" * 1001)}, "/", max_feed_bytes=1000)
    assert (body.code, body.status, body.content) == (FetchCode.STATUS, 404, None)


def moved(to: str, status: int = 302) -> bytes:
    return answer(f"{status} Moved", Location=to)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_recorded(status: int) -> None:
    routes = {"/a/": moved("b?q=1#top", status), "/a/b?q=1": moved("//127.0.0.1:{port}/c", status), "/c": answer(body=FEED)}

    async def run() -> None:
        async with serving({}) as site:
            site.routes = {path: reply.replace(b"{port}", str(site.port).encode()) for path, reply in routes.items()}
            start = f"http://127.0.0.1:{site.port}"
            (body,) = await bodies([request(start + "/a/")], policy_for(site))
            assert (body.code, body.status, body.content) == (FetchCode.OK, 200, FEED)
            assert body.redirects == (start + "/a/b?q=1", start + "/c")
            assert body.final_url == start + "/c"
            assert site.paths() == ["/robots.txt", "/a/", "/a/b?q=1", "/c"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("statuses", "to"), [((301, 308), "/2"), ((301, 302), "/1"), ((302, 301), None), ((), None), ((308, 302, 301), "/1")]
)
def test_what_permanent_redirects_alone_lead_to_is_noted(statuses: tuple[int, ...], to: str | None) -> None:
    way = {f"/{n}": moved(f"/{n + 1}", status) for n, status in enumerate(statuses)}
    (body,), site = ask_site(way | {f"/{len(statuses)}": answer(body=FEED)}, "/0")
    assert (body.code, body.moved_to) == (FetchCode.OK, to and f"http://127.0.0.1:{site.port}{to}")


def test_redirects_end() -> None:
    endless = {f"/{n}": moved(f"/{n + 1}") for n in range(20)}
    (loop, long), site = ask_site({"/a": moved("/b"), "/b": moved("/a")} | endless, "/a", "/0", max_redirects=3)
    assert (loop.code, loop.status, loop.detail, len(loop.redirects)) == (
        FetchCode.TOO_MANY_REDIRECTS,
        302,
        "redirects in a loop",
        2,
    )
    assert (long.code, long.detail, len(long.redirects)) == (FetchCode.TOO_MANY_REDIRECTS, "more than 3 redirects", 4)
    assert site.paths() == ["/robots.txt", "/a", "/b", "/0", "/1", "/2", "/3"]


def test_a_location_in_latin_1_is_read() -> None:
    (body,), site = ask_site({"/": moved("/b\xf6rse"), "/b%C3%B6rse": answer(body=FEED)}, "/")
    assert (body.content, site.paths()[-1]) == (FEED, "/b%C3%B6rse")


def test_a_redirect_without_location_is_an_answer() -> None:
    (body,), _ = ask_site({"/": answer("302 Found", b"hm")}, "/")
    assert (body.code, body.status, body.content, body.redirects) == (FetchCode.STATUS, 302, b"hm", ())


async def _trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _trickle_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"A: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _hang_in_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    await reader.read()


async def _reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _cut_short(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    await writer.drain()


async def _broken_chunks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
    await writer.drain()


async def _broken_gzip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00 not gzip at all, is it?")
    await writer.drain()


@pytest.mark.parametrize(
    ("play", "detail"),
    [
        (_trickle, "not finished within 0.6 s"),
        (_trickle_head, "not finished within 0.6 s"),
        (_hang, "nothing came for 0.3 s"),
        (_hang_in_body, "nothing came for 0.3 s"),
        (_reset, "connection lost"),
        (_hang_up, "the server hung up without an answer"),
        (_cut_short, "broken answer: Response payload"),
        (_broken_chunks, "broken answer"),
        (_broken_gzip, "broken answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\nContent-Length", "broken answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "broken answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", "broken answer"),
    ],
)
def test_what_breaks_is_unreachable_in_plain_words(play: bytes, detail: str) -> None:
    routes = {"/": play, "/well": answer(body=FEED)}
    (broken, well), _ = ask_site(routes, "/", "/well", total_s=0.6, read_s=0.3)
    assert (broken.code, broken.content) == (FetchCode.UNREACHABLE, None)
    assert broken.detail is not None
    assert broken.detail.startswith(detail)
    assert (well.code, well.content) == (FetchCode.OK, FEED)


def test_nobody_listens() -> None:
    async def run() -> Body:
        async with serving({}) as site:
            pass
        (body,) = await bodies([request(f"http://127.0.0.1:{site.port}/")], policy_for(site))
        return body

    body = asyncio.run(run())
    assert (body.code, body.status, body.final_url, body.robots) == (FetchCode.UNREACHABLE, None, None, "unavailable")
    assert body.detail is not None
    assert body.detail.startswith("no connection: ")


def test_tls_that_fails_is_named() -> None:
    async def no_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("400 Bad Request"))
        await writer.drain()
        writer.close()

    async def run() -> Body:
        server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        (body,) = await bodies([request(f"https://127.0.0.1:{port}/")], policy_for(Site({}, port)))
        server.close()
        return body

    body = asyncio.run(run())
    assert (body.code, (body.detail or "")[:5]) == (FetchCode.UNREACHABLE, "tls: ")


def test_mutated_answers_always_end_as_values() -> None:
    seed = answer(body=gzip.compress(FEED), Content_Encoding="gzip", ETag='"a"', Transfer_Encoding="chunked")
    rng = random.Random(7)

    def mutated() -> bytes:
        data = bytearray(seed)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(data))
            data[at : at + rng.choice((0, 1, 1, 4))] = rng.randbytes(rng.choice((0, 1, 1, 3)))
        return bytes(data)

    def play(data: bytes) -> object:
        async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        return write

    routes = {f"/{n}": play(mutated()) for n in range(300)}
    found, _ = ask_site(routes, *routes, total_s=2, read_s=1)  # type: ignore[arg-type]
    assert len(found) == 300
    assert {body.code for body in found} <= set(FetchCode)


@pytest.mark.parametrize("user_agent", ["", "news\r\nmill", "newsmill/ü", "1/1", "(x)"])
def test_a_policy_needs_a_name(user_agent: str) -> None:
    with pytest.raises(ConfigError):
        Policy(user_agent=user_agent)
