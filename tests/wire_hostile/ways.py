"""Feeds behind redirects, robots.txt, names and TLS that lead astray, and walls in front of them. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.fetch.site import answer
from tests.wire_hostile.case import Case, End, Forever, feed_answer, head, maker, rss, script

_FEED = rss()


def ways() -> Iterator[Case]:
    yield from _redirects()
    yield from _forbidden()
    yield from _robots()
    yield from _hosts()
    yield from _walls()


def _to(location: str, status: int = 302) -> bytes:
    return answer(f"{status} Moved", Location=location)


def _redirects() -> Iterator[Case]:
    case = maker(Kind.FEED, "redirect")
    there = {"/there": feed_answer()}
    for status in (301, 302, 303, 307, 308):
        yield case(f"{status}", "leads to the feed", _to("/there", status), VisitCode.PARSED, others=there)
    yield case("self", "leads to itself", _to("/redirect/self"), VisitCode.HTTP_ERROR, 302, detail="redirects in a loop")
    yield case(
        "loop",
        "leads in a circle",
        _to("/b"),
        VisitCode.HTTP_ERROR,
        302,
        detail="redirects in a loop",
        others={"/b": _to("/c"), "/c": _to("/redirect/loop")},
    )
    chain = {f"/{n}": _to(f"/{n + 1}") for n in range(20)}
    yield case("chain", "leads on and on", _to("/0"), VisitCode.HTTP_ERROR, 302, detail="more than 8 redirects", others=chain)
    yield case("eight", "leads on eight times", _to("/13"), VisitCode.PARSED, others={**chain, "/20": feed_answer()})
    yield case(
        "nowhere", "a redirect without a Location", answer("302 Found", b"hm"), VisitCode.HTTP_ERROR, 302, detail="status 302"
    )
    yield case("on-200", "a Location on an answer", feed_answer(Location="http://10.0.0.1/"), VisitCode.PARSED)
    yield case(
        "on-300", "a choice that names one", _to("/there", 300), VisitCode.HTTP_ERROR, 300, detail="status 300", others=there
    )
    yield case(
        "endless",
        "a body without end beside the Location",
        script(head("Location: /there", status="302 Found"), Forever(b"x" * 999)),
        VisitCode.PARSED,
        others=there,
    )
    yield case("fragment", "leads to a fragment of the feed", _to("/there#top"), VisitCode.PARSED, others=there)
    yield case("latin-1", "leads to a path in Latin-1", _to("/b\xf6rse"), VisitCode.PARSED, others={"/b%C3%B6rse": feed_answer()})
    yield case(
        "to-410",
        "leads to where it is gone",
        _to("/gone", 301),
        VisitCode.GONE,
        410,
        detail="status 410",
        others={"/gone": answer("410 Gone")},
    )


def _forbidden() -> Iterator[Case]:
    case = maker(Kind.FEED, "forbidden")
    targets = {
        "metadata": "http://169.254.169.254/latest/meta-data/",
        "loopback": "http://127.0.0.1:1/",
        "loopback-v6": "http://[::1]/",
        "private": "https://10.0.0.1/",
        "decimal": "http://2130706433/",
        "short": "http://127.1/",
        "mapped": "http://[::ffff:127.0.0.1]/",
        "nat64": "http://[64:ff9b::7f00:1]/",
        "name": "http://localhost:1/",
        "file": "file:///etc/passwd",
        "ftp": "ftp://127.0.0.1/",
        "data": "data:text/xml,<rss/>",
        "javascript": "javascript:alert(1)",
        "gopher": "gopher://127.0.0.1:70/_x",
        "login": "http://user:secret@example.org/",
        "port-0": "http://example.org:0/",
        "bracket": "http://[",
        "upper": "HTTP://LOCALHOST:1/",
        "wide-dots": "http://127\u30020\u30020\u30021/",
    }
    for name, target in targets.items():
        location = target.encode().decode("latin-1")
        yield case(name, f"leads to {target}", _to(location), VisitCode.FORBIDDEN_ADDRESS, None, detail=".+")


def _robots() -> Iterator[Case]:
    case = maker(Kind.FEED, "robots")

    def said(path: str, how: str, robots: object, outcome: VisitCode = VisitCode.PARSED, **more: object) -> Case:
        return case(path, how, feed_answer(), outcome, None if outcome is VisitCode.DISALLOWED else 200, robots=robots, **more)

    no = {"outcome": VisitCode.DISALLOWED, "detail": "robots.txt disallows it"}
    for name, text in {
        "all": "User-agent: *\nDisallow: /",
        "us": "User-agent: Newsmill\nDisallow: /",
        "case": "USER-AGENT: newsMILL/9\nDISALLOW: /",
        "bom": "\ufeffUser-agent: *\nDisallow: /",
        "cr": "User-agent: *\rDisallow: /",
        "glob": "User-agent: *\nDisallow: /*/glob$",
    }.items():
        yield said(name, "forbids it", answer(body=text.encode()), **no)
    for name, text in {
        "others": "User-agent: news\nDisallow: /",
        "allow": "User-agent: *\nDisallow: /\nAllow: /robots/",
        "empty": "",
        "html": "<html>" * 99,
        "binary": bytes(range(256)).decode("latin-1"),
        "groups": "User-agent: a\nDisallow: /\n" * 9_000,
        "stars": f"User-agent: *\nDisallow: /{'*a' * 5000}b$",
        "delay": "User-agent: *\nCrawl-delay: 0.1",
    }.items():
        yield said(name, "does not forbid it", answer(body=text.encode()))
    yield said("delay-absurd", "asks for a pause of a day", answer(body=b"User-agent: *\nCrawl-delay: 86400"))
    for name, status in {"403": "403 No", "404": "404 No", "500": "500 No", "429": "429 Slow"}.items():
        yield said(name, "cannot be had", answer(status))
    yield said("loop", "leads in a circle", _to("/robots.txt"))
    yield said("private", "leads to a private address", _to("http://127.0.0.1:1/"))
    yield said("stall", "never comes", script(End.STALL))
    yield said("endless", "has no end", script(head(), Forever(b"Disallow: /x\n" * 999)))
    yield said("reset", "is cut off", script(head("Content-Length: 99"), End.RESET))
    yield said("rubbish", "is no answer", script(b"\0\1\2\r\n\r\n"))


def _hosts() -> Iterator[Case]:
    def case(name: str, how: str, url: str, outcome: VisitCode, detail: str) -> Case:
        made = maker(Kind.FEED, "host")
        return made(name, how, feed_answer(), outcome, None, url=url, detail=detail)

    forbidden, out = VisitCode.FORBIDDEN_ADDRESS, VisitCode.UNREACHABLE
    yield case("tls", "TLS asked of a port that speaks plainly", "https://HOST/PATH", out, "tls: .+|no connection within .+")
    yield case(
        "closed", "nobody listens", "http://closed.localhost:1/", forbidden, ".+ is 127.0.0.1: loopback; where it is your own, .+"
    )
    yield case("unknown", "a name that does not resolve", "http://nobody.invalid/", out, "name does not resolve: .+")
    yield case("long-label", "a name no resolver takes", f"http://{'a' * 64}.example/", forbidden, "not a host name")
    yield case("private", "a private address", "http://192.168.1.1/feed", forbidden, "192.168.1.1: private network; .+")
    yield case("metadata", "a cloud's metadata", "http://169.254.169.254/feed", forbidden, "169.254.169.254: link-local")
    yield case("octal", "a private address in octal", "http://0177.0.0.1/feed", forbidden, "0177.0.0.1: not an address")


def _walls() -> Iterator[Case]:
    """What is shown in place of the feed."""
    case = maker(Kind.FEED, "wall")
    no_feed = "an HTML page, perhaps a login or consent wall"
    challenge = (
        b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><div id='cf-wrapper'>Checking your browser</div>"
    )
    yield case(
        "challenge-403",
        "a challenge",
        answer("403 No", challenge, cf_mitigated="challenge", Server="cloudflare"),
        VisitCode.CHALLENGE,
        403,
        detail=".+",
    )
    yield case(
        "challenge-503",
        "a challenge as 503",
        answer("503 No", challenge, cf_mitigated="challenge", Server="cloudflare"),
        VisitCode.CHALLENGE,
        503,
        detail=".+",
    )
    pages = {
        "consent": b"<!DOCTYPE html><html><title>Wir brauchen Ihre Zustimmung</title><body><h1>Datenschutz</h1>"
        b"<p>Wir und unsere 237 Partner "
        b"verarbeiten Daten. <button>Alle akzeptieren</button> <button>Einstellungen</button></p></body></html>",
        "login": b"<!DOCTYPE html><html><title>Anmelden</title><body><form action='/login' method='post'><input name='user'>"
        b"<input type='password' name='password'><button>Anmelden</button></form></body></html>",
    }
    for name, page in pages.items():
        yield case(
            name,
            f"a page of {name} instead",
            answer(body=page, Content_Type="text/html"),
            VisitCode(name),
            detail=".+",
        )
    yield case(
        "html",
        "its front page instead",
        answer(body=b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>", Content_Type="text/html"),
        VisitCode.NOT_A_FEED,
        detail=no_feed,
    )
