"""Feeds whose server stops, slows down or goes on for ever, in each phase of its answer. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.wire_hostile.case import Case, End, Forever, feed_answer, head, maker, rss, script

FEED = rss()
_LENGTH = f"Content-Length: {len(FEED)}"
_CHUNKED = "Transfer-Encoding: chunked"
_BROKEN = "broken answer: .+"
_LATE = r"not finished within [\d.]+ s"
_SILENT = r"nothing came for [\d.]+ s"


def phases() -> Iterator[Case]:
    before = {
        "status": b"",
        "status-line": b"HTTP/1.1 2",
        "header": b"HTTP/1.1 200 OK\r\nContent-Ty",
        "body": head(_LENGTH),
        "body-middle": head(_LENGTH) + FEED[:60],
        "chunk": head(_CHUNKED) + b"ff\r\nabc",
    }
    for phase, data in before.items():
        status = 200 if b"\r\n\r\n" in data else None
        yield maker(Kind.FEED, "stall")(
            phase, "says nothing more", script(data, End.STALL), VisitCode.UNREACHABLE, status, detail=_SILENT
        )
        yield maker(Kind.FEED, "reset")(
            phase,
            "resets the connection",
            script(data, 0.05, End.RESET),
            VisitCode.UNREACHABLE,
            status,
            detail="connection lost: .+|the server hung up without an answer|broken answer: .+",
        )
        yield maker(Kind.FEED, "hang-up")(
            phase,
            "hangs up",
            script(data),
            VisitCode.UNREACHABLE,
            status,
            detail=f"the server hung up without an answer|{_BROKEN}",
        )
    case = maker(Kind.FEED, "slow")
    yield case(
        "headers",
        "a header every tenth of a second",
        script(b"HTTP/1.1 200 OK\r\n", Forever(b"A: b\r\n", 0.1)),
        VisitCode.UNREACHABLE,
        None,
        detail=_LATE,
    )
    yield case(
        "body",
        "a byte every tenth of a second",
        script(head("Content-Length: 9999"), Forever(b"x", 0.1)),
        VisitCode.UNREACHABLE,
        detail=_LATE,
    )
    yield case(
        "chunks",
        "an empty line every tenth of a second, in chunks",
        script(head(_CHUNKED), Forever(b"1\r\n\n\r\n", 0.1)),
        VisitCode.UNREACHABLE,
        detail=_LATE,
    )
    yield case("late", "answers after half a second", script(0.5, feed_answer()), VisitCode.PARSED)
    yield case(
        "endless",
        "a body without end",
        script(head(), Forever(b"<item>" * 10_000)),
        VisitCode.TOO_LARGE,
        detail="more than \\d+ bytes unpacked",
    )
    yield case(
        "endless-chunks",
        "chunks without end",
        script(head(_CHUNKED), Forever(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")),
        VisitCode.TOO_LARGE,
        detail="more than \\d+ bytes unpacked",
    )
    yield case(
        "endless-404",
        "a missing page without end",
        script(head(status="404 No"), Forever(b"x" * 60_000)),
        VisitCode.HTTP_ERROR,
        404,
        detail="more than \\d+ bytes unpacked",
    )
