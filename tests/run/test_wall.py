# ruff: noqa: E501 -- sample pages stay whole
"""Challenges, pages that ask for consent or to log in, in German and English; and what looks like them and is none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.read import read_page
from pipeline.run.attempt import attempt_of, page_of
from pipeline.run.visit import code_of
from pipeline.run.wall import wall_of
from schemas.article import Unreadable
from schemas.feed import DateQuality, Entry, KeyBasis
from schemas.web import Body, FetchCode, Header, Kind
from tests.read.test_consent import NEWS, WALL_DE, WALL_EN

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
URL = "https://news.example/wirtschaft/siemens-hebt-prognose-an-1234"
TEASER = f"<article><h1>Nordlicht</h1><p>{NEWS}</p><p>Weiterlesen mit dem Digitalabo, monatlich kündbar und im ersten Monat kostenlos.</p></article>"
LONG = f"<article><h1>Nordlicht</h1>{''.join(f'<p>{NEWS} Das war Tag {n} der {n}. Woche.</p>' for n in range(15))}</article>"
FORM = '<form action="/login"><input name="user"><input type="password" name="pw"><button>Anmelden</button></form>'


def body(html: str, status: int = 200, *, final: str | None = None, **headers: str) -> Body:
    return Body(
        kind=Kind.PAGE, owner="p", target="e", url=URL, final_url=final or URL, redirects=(final,) if final else (), asked_at=AT,
        answered_at=AT, code=FetchCode.OK if status == 200 else FetchCode.STATUS, status=status, content=html.encode(),
        headers=tuple(Header(name=name.replace("_", "-"), value=value) for name, value in headers.items()),
    )  # fmt: skip


def page(title: str, inner: str) -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{inner}</body></html>"


def said(*lines: str) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


WALLS: dict[str, tuple[Body, str]] = {
    "by its header": (body(page("x", ""), 403, cf_mitigated="challenge"), "challenge: cf-mitigated: challenge"),
    "Cloudflare, 503": (body(page("Just a moment...", "<script>window._cf_chl_opt={cvId: '3'}</script>"), 503), "challenge: a challenge of Cloudflare"),
    "Cloudflare in German, 200": (
        body(page("Nur einen Moment…", "<p>Bestätigen Sie, dass Sie ein Mensch sind. Dies kann einige Sekunden dauern.</p><script>window._cf_chl_opt={}</script>")),
        "challenge: a challenge of Cloudflare"),
    "Cloudflare's block": (body(page("Attention Required! | Cloudflare", "<p>Sorry, you have been blocked</p>"), 403), "challenge: a challenge of Cloudflare"),
    "DataDome": (body("<html><head><title>news.example</title></head><body><script>var dd={'rt':'c','cid':'A','host':'geo.captcha-delivery.com'}</script></body></html>", 403),
                 "challenge: a challenge of DataDome"),
    "HUMAN": (body(page("Access to this page has been denied", '<div id="px-captcha"></div>'), 403), "challenge: a challenge of HUMAN (PerimeterX)"),
    "Akamai": (body("<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\nYou don't have permission to access this server.<P>\nReference&#32;&#35;18&#46;2d3e", 403),
               "challenge: a refusal of Akamai"),
    "Imperva": (body('<html><body><iframe id="main-iframe" src="/_Incapsula_Resource?SWUDNSAI=31">Request unsuccessful. Incapsula incident ID: 1-2</iframe></body></html>'),
                "challenge: a challenge of Imperva (Incapsula)"),
    "a captcha": (body(page("Sicherheit", '<div class="g-recaptcha"></div>'), 429), "challenge: a captcha"),
    "a question": (body(page("Sind Sie ein Mensch?", "<p>Bitte klicken</p>")), "challenge: a question for people"),
    "Yahoo's consent": (body(page("Yahoo", said(*WALL_EN)), final="https://consent.yahoo.com/v2/collectConsent?sessionId=3"), "consent: redirected to consent.yahoo.com/v2/collectConsent"),
    "a consent page of its own": (body(page("Zustimmung", "<p>Bitte</p>"), final=f"https://www.news.example/zustimmung?redirect={URL}"), "consent: redirected to www.news.example/zustimmung"),
    "all consent, German": (body(page("News", said(*WALL_DE))), "consent: the page asks for consent and shows no article"),
    "all consent, English": (body(page("News", said(*WALL_EN))), "consent: the page asks for consent and shows no article"),
    "led to log in": (body(page("Mein Konto", FORM), final="https://login.news.example/anmelden?r=1"), "login: redirected to login.news.example/anmelden"),
    "a form, German": (body(page("Anmelden | News", FORM)), "login: a form that asks for a password"),
    "a form, English": (body(page("Log in - News", FORM.replace("Anmelden", "Log in"))), "login: a form that asks for a password"),
    "a form with its refusal": (body(page("News", FORM), 401), "login: a form that asks for a password"),
}  # fmt: skip

NONE: dict[str, Body] = {
    "a refusal": body(page("403 Forbidden", "<h1>Forbidden</h1><hr>nginx"), 403),
    "nothing there": body(page("404", FORM), 404),
    "an article with a banner": body(page("Nordlicht", TEASER + said(*WALL_DE))),
    "an article under scripts of the services": body(page("Nordlicht", LONG + "<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script><script src=https://js.datadome.co/tags.js></script><script src=/_Incapsula_Resource?a=1></script><script>window._pxAppId='PX1'</script>")),
    "a teaser under scripts of the services": body(page("Nordlicht", TEASER + "<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script><script src=https://js.datadome.co/tags.js></script>")),
    "a teaser with a form to log in": body(page("Nordlicht wächst", TEASER + FORM)),
    "a teaser, refused for its rest": body(page("Anmelden leicht gemacht: Nordlicht wächst", TEASER)),
    "an article about it": body(page("Access denied: how publishers lock out readers", f"<article>{said(NEWS, 'Just a moment, says Cloudflare, and asks for a captcha before it lets a reader in.')}</article>")),
    "an article behind a redirect": body(page("Nordlicht", TEASER), final="https://www.news.example/login-pflicht-fuer-haendler-98765.html"),
    "an article that moved to a section of that name": body(page("Nordlicht", LONG), final="https://www.news.example/consent/einwilligung"),
    "nothing to read": body(page("Video", "<p>Video</p>")),
}  # fmt: skip

ENTRY = Entry(
    entry_id="e", revision="r", wording="w", feed_id="f", source="F", visit_id="v", seen_at=AT, position=0, key="k", key_basis=KeyBasis.GUID,
    url=URL, title="Nordlicht", date_quality=DateQuality.MISSING,
)  # fmt: skip


def attempt(answer: Body) -> Any:
    read = read_page(answer.content or b"", URL) if answer.code == FetchCode.OK else None
    return attempt_of(ENTRY, 1, AT, body=answer, read=read)


@pytest.mark.parametrize("case", WALLS)
def test_a_wall_is_named_with_its_sign_and_is_no_article(case: str) -> None:
    answer, told = WALLS[case]
    made = attempt(answer)
    assert (f"{made.code}: {made.detail}", made.article) == (told, None)


@pytest.mark.parametrize("case", WALLS)
def test_a_wall_instead_of_a_feed(case: str) -> None:
    answer, told = WALLS[case]
    code, sign = code_of(
        answer, Unreadable(code="not_a_feed", detail="an HTML page") if answer.code == FetchCode.OK else None, None
    )
    assert f"{code}: {sign}".replace("shows nothing else", "shows no article") == told


@pytest.mark.parametrize("case", NONE)
def test_what_is_no_wall(case: str) -> None:
    made = attempt(NONE[case])
    assert made.code in (None, "refused", "gone", "no_text")
    assert (made.article is not None) == (made.code is None)


def test_what_was_not_answered_is_no_wall() -> None:
    silent = Body(kind=Kind.FEED, owner="v", target="f", url=URL, asked_at=AT, answered_at=AT, code=FetchCode.UNREACHABLE)
    assert wall_of(silent) is None


def test_opt_outs_of_the_server_stand_beside_the_page_read_or_not() -> None:
    sent = {"x_robots_tag": "somebot: noai", "tdm_reservation": "1"}
    html = page("Nordlicht", TEASER).replace("<title>", '<meta name="robots" content="noarchive, noai"><title>')
    answer, refusal = body(html, **sent), body("", 403, **sent)
    assert page_of(answer, read_page(answer.content or b"", URL)).opt_out == ("noai", "tdm-reservation", "noarchive")
    assert page_of(refusal, None).opt_out == ("noai", "tdm-reservation")
