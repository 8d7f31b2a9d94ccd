"""Feeds whose server misbehaves: statuses, waits, lengths, chunks, headers. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.fetch.site import answer
from tests.wire_hostile.case import ANY_STATUS, Case, Forever, feed_answer, head, maker, rss, script

FEED = rss()
_LENGTH = f"Content-Length: {len(FEED)}"
_CHUNKED = "Transfer-Encoding: chunked"
_BROKEN = "broken answer: .+"
_LATE = r"not finished within [\d.]+ s"
_SILENT = r"nothing came for [\d.]+ s"


def answers() -> Iterator[Case]:
    yield from _statuses()
    yield from _waits()
    yield from _lengths()
    yield from _heads()


def _statuses() -> Iterator[Case]:
    case = maker(Kind.FEED, "status")
    codes = {401: VisitCode.REFUSED, 403: VisitCode.REFUSED, 451: VisitCode.REFUSED, 410: VisitCode.GONE, 429: VisitCode.BUSY}
    for status in (400, 401, 402, 403, 404, 405, 408, 410, 418, 421, 429, 451, 500, 501, 502, 503, 504, 520, 599):
        code = codes.get(status, VisitCode.HTTP_ERROR)
        yield case(
            str(status),
            "answers with this status and a page",
            answer(f"{status} No", b"<p>no"),
            code,
            status,
            detail=f"status {status}",
        )
    for status in (200, 204, 205):
        yield case(
            f"empty-{status}",
            "brings nothing",
            answer(f"{status} Nothing"),
            VisitCode.NOT_A_FEED,
            status,
            detail="empty body|the body is empty",
        )
    yield case("206", "brings a part that was not asked for", answer("206 Partial Content", FEED), VisitCode.PARSED, 206)
    yield case(
        "304",
        "says unchanged, unasked",
        head(status="304 Not Modified"),
        VisitCode.HTTP_ERROR,
        304,
        detail="304 to a request without conditions",
    )
    yield case(
        "304-etag",
        "says unchanged with an entity tag, unasked",
        head('ETag: "a"', status="304 Not Modified"),
        VisitCode.HTTP_ERROR,
        304,
        detail="304 to a request without conditions",
        more={"etag": None},
    )
    yield case(
        "300",
        "offers a choice without naming it",
        answer("300 Multiple Choices", b"<p>"),
        VisitCode.HTTP_ERROR,
        300,
        detail="status 300",
    )
    yield case(
        "103", "hints early, then answers", script(head("Link: </a>", status="103 Early Hints") + feed_answer()), VisitCode.PARSED
    )
    yield case("999", "an invented status", answer("999 No", b"<p>"), VisitCode.HTTP_ERROR, 999, detail="status 999")


def _waits() -> Iterator[Case]:
    case = maker(Kind.FEED, "wait")
    waits = {
        "seconds": ("7200", 7200.0),
        "zero": ("0", 0.0),
        "absurd": ("999999999", 999999999.0),
        "past": ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    }
    unread = {"overlong": "9" * 40, "negative": "-5", "words": "after lunch", "fraction": "1.5", "empty": ""}
    for name, (value, wait_s) in (waits | {name: (value, None) for name, value in unread.items()}).items():
        yield case(
            f"429-{name}",
            f"busy, Retry-After: {value[:30]}",
            answer("429 Slow", b"<p>", Retry_After=value),
            VisitCode.BUSY,
            429,
            detail="status 429",
            more={"retry_after_s": wait_s},
        )
    yield case(
        "503",
        "busy with 503",
        answer("503 Busy", b"<p>", Retry_After="60"),
        VisitCode.BUSY,
        503,
        detail="status 503",
        more={"retry_after_s": 60.0},
    )
    yield case(
        "200", "asks to wait though it answers", feed_answer(Retry_After="60"), VisitCode.PARSED, more={"retry_after_s": None}
    )
    yield case("cache", "may be kept for a thousand years", feed_answer(Cache_Control="max-age=31536000000"), VisitCode.PARSED)


def _lengths() -> Iterator[Case]:
    case = maker(Kind.FEED, "length")
    for name, line in {
        "negative": "-1",
        "words": "many",
        "hex": "0x10",
        "plus": "+5",
        "huge": "9" * 30,
        "empty": "",
        "list": "5, 6",
    }.items():
        yield case(
            name,
            f"Content-Length: {line[:20]}",
            script(head(f"Content-Length: {line}") + FEED),
            VisitCode.UNREACHABLE,
            None,
            detail=_BROKEN,
        )
    yield case(
        "two",
        "two lengths that differ",
        script(head(_LENGTH, "Content-Length: 3") + FEED),
        VisitCode.UNREACHABLE,
        None,
        detail=_BROKEN,
    )
    yield case(
        "and-chunks", "a length and chunks", script(head(_LENGTH, _CHUNKED) + FEED), VisitCode.UNREACHABLE, None, detail=_BROKEN
    )
    yield case(
        "too-long", "hangs up before the end", script(head("Content-Length: 99999") + FEED), VisitCode.UNREACHABLE, detail=_BROKEN
    )
    yield case(
        "too-short",
        "goes on after the end",
        script(head(_LENGTH) + FEED + b"<rss>" * 99),
        VisitCode.UNREACHABLE,
        None,
        detail=_BROKEN,
    )
    yield case("none", "no length; the end is where it hangs up", script(head() + FEED), VisitCode.PARSED)
    chunks = {
        "bad-size": b"zz\r\nabc\r\n",
        "negative": b"-5\r\nabc\r\n",
        "huge": b"f" * 20 + b"\r\nabc\r\n",
        "no-end": b"3\r\nabc\r\n",
        "wrong-size": b"2\r\nabcdef\r\n0\r\n\r\n",
        "no-size": b"\r\n\r\n",
        "binary": bytes(range(256)),
    }
    for name, data in chunks.items():
        yield case(
            f"chunks-{name}",
            "chunks that are none",
            script(head(_CHUNKED) + data),
            VisitCode.UNREACHABLE,
            ANY_STATUS,
            detail=f"{_BROKEN}|{_LATE}",
        )
    small = b"".join(b"1\r\n%c\r\n" % byte for byte in FEED) + b"0\r\n\r\n"
    yield case("chunks-of-one", "a chunk for every byte", script(head(_CHUNKED) + small), VisitCode.PARSED)


def _heads() -> Iterator[Case]:
    case = maker(Kind.FEED, "head")
    rubbish = {
        "old": b"<rss></rss>\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "smtp": b"220 mail ESMTP\r\n\r\n",
        "binary": bytes(range(256)) * 9,
        "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "http3": b"HTTP/3.0 200 OK\r\n\r\n",
        "status-9": b"HTTP/1.1 9 OK\r\n\r\n",
        "status-1000": b"HTTP/1.1 1000 OK\r\n\r\n",
        "status-minus": b"HTTP/1.1 -200 OK\r\n\r\n",
        "status-word": b"HTTP/1.1 OK\r\n\r\n",
        "blank": b"\r\n\r\n\r\n",
        "tls-alert": b"\x15\x03\x01\x00\x02\x02\x28",
        "nul-name": head("a\0b: c"),
        "no-colon": head("nonsense"),
        "space-in-name": head("Content Type: text/xml"),
        "nul-value": head("Server: a\0b"),
    }
    for name, data in rubbish.items():
        yield case(
            name,
            "bytes that are no answer",
            script(data),
            VisitCode.UNREACHABLE,
            None,
            detail=f"{_BROKEN}|the server hung up without an answer",
        )
    wide = {"one": [f"X: {'y' * 200_000}"], "many": [f"X-{n}: y" for n in range(20_000)], "name": [f"{'x' * 200_000}: y"]}
    for name, lines in wide.items():
        yield case(
            f"wide-{name}",
            "headers over every size",
            script(head(_LENGTH, *lines) + FEED),
            VisitCode.UNREACHABLE,
            None,
            detail=_BROKEN,
        )
    yield case(
        "long-policy",
        "a header of 20 KB, as real sites have",
        feed_answer(Content_Security_Policy="x " * 10_000),
        VisitCode.PARSED,
    )
    yield case("cookies", "a hundred cookies", script(head(_LENGTH, *["Set-Cookie: a=b"] * 100) + FEED), VisitCode.PARSED)
    yield case(
        "endless-hints",
        "hints early, for ever",
        script(Forever(head(status="103 Early Hints"), 0.01)),
        VisitCode.UNREACHABLE,
        None,
        detail=_LATE,
    )
    yield case(
        "endless",
        "headers without end",
        script(b"HTTP/1.1 200 OK\r\n", Forever(b"X: y\r\n" * 99)),
        VisitCode.UNREACHABLE,
        None,
        detail=_BROKEN,
    )
    yield case(
        "endless-line",
        "a header line without end",
        script(b"HTTP/1.1 200 OK\r\nX: ", Forever(b"y" * 9999)),
        VisitCode.UNREACHABLE,
        None,
        detail=_BROKEN,
    )
    yield case(
        "endless-status",
        "a status line without end",
        script(b"HTTP/1.1 200 ", Forever(b"O" * 9999)),
        VisitCode.UNREACHABLE,
        None,
        detail=_BROKEN,
    )
    yield case("latin-1", "headers in Latin-1", feed_answer(Server="B\xf6rse"), VisitCode.PARSED)
    yield case("folded", "a header over two lines", script(head(_LENGTH, "X-A: b\r\n c") + FEED), VisitCode.PARSED)
