"""Pages behind the entries of one feed: what is no article, comes badly, or is meant to do harm. Pure."""

from collections.abc import Iterator

from schemas.outcome import OutcomeCode
from schemas.web import Kind
from tests.fetch.site import answer
from tests.wire_hostile.case import Case, End, Forever, head, maker, script

_WORDS = (
    "The board will present details when it reports results in February, and it kept the dividend at the level of last year. "
)
_BROKEN = "broken answer: .+"


def article(name: str, body: str = "") -> bytes:
    """A page that is read as an article, with something more in its body."""
    parts = "".join(f"<p>{name} says something of its own, part {n}. {_WORDS}{_WORDS}</p>" for n in range(3))
    start = f"<!DOCTYPE html><html><head><title>{name}</title></head><body><article><h1>{name}</h1>"
    return f"{start}{parts}</article>{body}</body></html>".encode()


def _page(body: bytes, **headers: str) -> bytes:
    return answer(body=body, **{"Content_Type": "text/html; charset=utf-8", **headers})


def pages() -> Iterator[Case]:
    yield from _answers()
    yield from _contents()


def _answers() -> Iterator[Case]:
    case = maker(Kind.PAGE, "page")
    codes = dict.fromkeys((404, 410), OutcomeCode.GONE) | dict.fromkeys((401, 403, 451), OutcomeCode.REFUSED)
    for status in (401, 403, 404, 410, 418, 429, 451, 500, 503):
        yield case(
            f"status-{status}",
            "answers with this status",
            answer(f"{status} No", b"<p>no"),
            codes.get(status, OutcomeCode.HTTP_ERROR),
            status,
            detail=f"status {status}",
        )
    out, forbidden = OutcomeCode.UNREACHABLE, OutcomeCode.FORBIDDEN_ADDRESS
    yield case(
        "304",
        "says unchanged, unasked",
        head(status="304 Not Modified"),
        OutcomeCode.HTTP_ERROR,
        304,
        detail="304 to a request without conditions",
    )
    yield case("stall", "says nothing", script(End.STALL), out, None, detail=r"nothing came for [\d.]+ s")
    yield case(
        "slow",
        "a byte every tenth of a second",
        script(head("Content-Length: 9999"), Forever(b"x", 0.1)),
        out,
        detail=r"not finished within [\d.]+ s",
    )
    yield case(
        "endless",
        "a body without end",
        script(head("Content-Type: text/html"), Forever(b"<p>x" * 9_999)),
        OutcomeCode.TOO_LARGE,
        detail="more than \\d+ bytes unpacked",
    )
    yield case("cut", "hangs up before the end", script(head("Content-Length: 9999") + article("x")[:99]), out, detail=_BROKEN)
    yield case(
        "reset",
        "resets the connection",
        script(End.RESET),
        out,
        None,
        detail="connection lost: .+|the server hung up without an answer",
    )
    yield case("rubbish", "no answer", script(b"\0\1\2\r\n\r\n"), out, None, detail=_BROKEN)
    yield case(
        "loop",
        "leads to itself",
        answer("302 Found", Location="/page/loop"),
        OutcomeCode.REDIRECT_LOOP,
        302,
        detail="redirects in a loop",
    )
    yield case(
        "metadata",
        "leads to a cloud's metadata",
        answer("302 Found", Location="http://169.254.169.254/"),
        forbidden,
        None,
        detail="169.254.169.254: link-local",
    )
    yield case(
        "file",
        "leads to a file",
        answer("302 Found", Location="file:///etc/passwd"),
        forbidden,
        None,
        detail="scheme 'file' is not http or https",
    )
    yield case(
        "no-robots",
        "robots.txt cannot be had",
        _page(article("x")),
        out,
        None,
        detail="robots.txt: status 500",
        robots=answer("500 No"),
    )
    yield case(
        "disallowed",
        "robots.txt forbids it",
        _page(article("x")),
        OutcomeCode.DISALLOWED,
        None,
        detail="robots.txt disallows it",
        robots=answer(body=b"User-agent: *\nDisallow: /"),
    )


def _contents() -> Iterator[Case]:
    case = maker(Kind.PAGE, "page")
    no_text, nothing = OutcomeCode.NO_TEXT, "no article found on the page"
    for name, kind in {
        "pdf": "application/pdf",
        "video": "video/mp4",
        "json": "application/json",
        "zip": "application/zip",
    }.items():
        yield case(
            name,
            "no page",
            answer(body=b"%PDF-1.7" + bytes(99), Content_Type=kind),
            OutcomeCode.NOT_HTML,
            detail=f"content type {kind}",
        )
    for name, body in {
        "pdf": b"%PDF-1.7\n" + bytes(99),
        "png": b"\x89PNG\r\n\x1a\n" + bytes(99),
        "zip": b"PK\3\4" + bytes(99),
        "gzip": b"\x1f\x8b\x08" + bytes(99),
    }.items():
        yield case(f"{name}-lie", "something else, called a page", _page(body), OutcomeCode.NOT_HTML, detail=".+")
    yield case("empty", "nothing", _page(b""), no_text, detail="the page is empty")
    yield case("spaces", "spaces", _page(b" \n" * 999), no_text, detail=".+")
    yield case(
        "script",
        "a page that a script would fill",
        _page(b"<html><body><div id=root></div><script>x()</script></body></html>"),
        no_text,
        detail=nothing,
    )
    yield case(
        "frames", "a page of frames", _page(b"<html><frameset><frame src='/x'></frameset></html>"), no_text, detail=nothing
    )
    deep = {
        "deep": b"<div>" * 50_000,
        "lists": b"<ul><li>" * 9_000,
        "tables": b"<table><tr><td>" * 3_000,
        "less-than": b"<" * 200_000,
        "comments": b"<!--" * 50_000,
        "bold": b"<b>" * 50_000,
        "forms": b"<form>" * 9_000,
        "attributes": b"<p " + b"a " * 100_000 + b">",
    }
    for name, body in deep.items():
        yield case(name, "the same again and again", _page(b"<html><body>" + body), no_text, detail=".+")
    yield case(
        "links",
        "20,000 links",
        _page(b"<html><body>" + b"".join(b'<p><a href="/%d">n%d</a></p>' % (n, n) for n in range(20_000))),
        no_text,
        detail=".+",
    )
    for name, head_part in {
        "json-ld": '<script type="application/ld+json">' + "[" * 50_000 + "</script>",
        "json-ld-lie": '<script type="application/ld+json">{"@type": "NewsArticle", "headline": 7,'
        ' "datePublished": [1], "author": {"name": {}}, "articleBody": null}</script>',
        "refresh": '<meta http-equiv="refresh" content="0;url=http://169.254.169.254/">',
        "base": '<base href="javascript:x">',
        "charset": '<meta charset="klingon">',
        "canonical": '<link rel="canonical" href="http://169.254.169.254/">',
        "lang": '<html lang="' + "x" * 9999 + '">',
    }.items():
        page = article(f"The bank named {name}").replace(b"<head>", b"<head>" + head_part.encode())
        yield case(name, "an article with a head that lies", _page(page), OutcomeCode.ARTICLE)
    challenge = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
    yield case(
        "challenge",
        "a challenge",
        answer("403 No", challenge, cf_mitigated="challenge", Content_Type="text/html"),
        OutcomeCode.CHALLENGE,
        403,
        detail=".+",
    )
    yield case(
        "latin-1",
        "another charset than it says",
        _page(article("The bank named latin-1").replace(b"says", "s\xe4gt".encode("latin-1"))),
        OutcomeCode.ARTICLE,
    )
