"""Tells walls from what was asked for: pages that want to see a browser, ask for consent, or ask to log in. Pure.

Publishers put the scripts of such services, cookie banners and forms to log in on every page they have. So a sign counts where
nothing else was to be had: on a refusal, or on a page without an article; what is found on a redirect's way counts the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pipeline.errors import WorkerError
from pipeline.read.consent import is_consent_wall
from schemas.article import Reading, Unreadable
from schemas.outcome import OutcomeCode
from schemas.web import Body, FetchCode


@dataclass(frozen=True, slots=True)
class Wall:
    """What kind of wall it is (CHALLENGE, CONSENT or LOGIN) and the sign that it was told by."""

    code: OutcomeCode
    sign: str


_START = 60_000  # bytes that are searched; challenges are short, and titles stand at the beginning
_LONG = 1_500  # characters of text that no wall has

_REFUSALS = frozenset({401, 403, 405, 406, 429, 503})
#: What stands on the challenge pages of a service and, unlike its scripts, on no page that it lets through.
_CHALLENGES: Mapping[str, re.Pattern[str]] = {
    "a challenge of Cloudflare": re.compile(
        r"_cf_chl_opt|cf-chl-|cf-browser-verification|cf-error-details"
        r"|<title>\s*(?:attention required! \| cloudflare|just a moment)"
    ),
    "a challenge of DataDome": re.compile(
        r"captcha-delivery\.com/(?:captcha|interstitial|c\.js|i\.js)|'host':'[\w.-]*captcha-delivery"
    ),
    "a challenge of HUMAN (PerimeterX)": re.compile(r"px-captcha|access to this page has been denied"),
    "a refusal of Akamai": re.compile(
        r"<title>\s*access denied\s*</title>[^\0]{0,2000}?(?:reference\s*(?:#|&#35;|&#32;)|edgesuite)"
    ),
    "a challenge of Imperva (Incapsula)": re.compile(r"incapsula incident id|<iframe[^>]{0,200}_incapsula_resource"),
    "a challenge of AWS WAF": re.compile(r"gokuprops|awswafcookiedomainlist"),
    "a refusal of Sucuri": re.compile(r"sucuri website firewall - access denied"),
}
_QUESTION = re.compile(
    r"<title>[^<]{0,80}(?:are you (?:a )?(?:human|robot)|sind sie ein (?:mensch|roboter)|security check"
    r"|sicherheits(?:über)?prüfung|bot verification|verifying you are human)"
)
_CAPTCHA = re.compile(r"g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile|friendlycaptcha")

_CONSENT_HOSTS = frozenset(
    {"consent.yahoo.com", "guce.yahoo.com", "guce.advertising.com", "guce.oath.com", "consent.google.com", "consent.google.de",
     "consent.youtube.com", "myprivacy.dpgmedia.nl", "myprivacy.dpgmedia.be", "consent.nytimes.com"}
)  # fmt: skip
_CONSENT_PATHS = frozenset(
    {"consent", "zustimmung", "einwilligung", "cookie-consent", "cookieconsent", "cookiewall", "cookie-wall", "privacywall",
     "cmp", "privacy-consent", "gdpr-consent", "datenschutz-zustimmung", "collectconsent", "consent-management"}
)  # fmt: skip
_LOGIN_HOSTS = ("login.", "sso.", "signin.", "anmelden.", "accounts.", "auth.")
_LOGIN_PATHS = frozenset(
    {"login", "log-in", "signin", "sign-in", "anmelden", "anmeldung", "einloggen", "sso", "oauth", "authorize", "kundenlogin",
     "user-login", "wp-login", "login-required"}
)  # fmt: skip
_LOGIN_TITLE = re.compile(
    r"<title[^>]{0,99}>\W*(?:anmeld(?:en|ung)|einloggen|bitte (?:anmelden|einloggen|melden sie sich)|(?:kunden-?|abo-?)?"
    r"log[ -]?in|sign[ -]?in|please (?:log|sign) in|member login|subscriber login|authentication required)\b"
)
_PASSWORD = re.compile(r"<input[^>]{0,300}type\s*=\s*[\"']?password")
_HIDDEN = re.compile(r"<(?:script|style|noscript|template)\b")
_TAGS = re.compile(r"<[^<>]{0,2000}>")


def wall_of(body: Body, read: Reading | Unreadable | WorkerError | None = None) -> Wall | None:
    """The wall that was met instead of what was asked for, or None; `read` is what was read of the page."""
    if body.code not in (FetchCode.OK, FetchCode.STATUS):
        return None
    if "challenge" in (body.header("cf-mitigated") or "").lower():
        return Wall(OutcomeCode.CHALLENGE, "cf-mitigated: challenge")
    if isinstance(read, Reading) and len(read.text) > _LONG:
        return None
    html = (body.content or b"")[:_START].decode("utf-8", "replace").lower()
    led = _led_to(body)
    refused = body.code == FetchCode.STATUS and body.status in _REFUSALS
    if challenge := _challenge(html, refused=refused, read=isinstance(read, Reading)):
        return Wall(OutcomeCode.CHALLENGE, challenge)
    for code, leads in ((OutcomeCode.CONSENT, _to_consent), (OutcomeCode.LOGIN, _to_login)):
        if led and leads(led):
            return Wall(code, f"redirected to {led.netloc}{led.path}")
    if isinstance(read, Reading):
        return None
    if isinstance(read, Unreadable) and read.code == OutcomeCode.CONSENT:
        return Wall(OutcomeCode.CONSENT, read.detail)
    if _PASSWORD.search(html) and (refused or _LOGIN_TITLE.search(html)):
        return Wall(OutcomeCode.LOGIN, "a form that asks for a password")
    if "<html" in html and is_consent_wall(_lines(html)):
        return Wall(OutcomeCode.CONSENT, "the page asks for consent and shows nothing else")
    return None


def _challenge(html: str, *, refused: bool, read: bool) -> str | None:
    if found := next((name for name, sign in _CHALLENGES.items() if sign.search(html)), None):
        return found
    if not read and _QUESTION.search(html):
        return "a question for people"
    return "a captcha" if refused and _CAPTCHA.search(html) else None


def _led_to(body: Body) -> SplitResult | None:
    """Where the request was led, if not to what was asked for."""
    if not body.redirects or not body.final_url:
        return None
    asked, final = urlsplit(body.url), urlsplit(body.final_url)
    return final if (final.netloc, final.path) != (asked.netloc, asked.path) else None


def _to_consent(led: SplitResult) -> bool:
    return (led.hostname or "") in _CONSENT_HOSTS or _ends_in(led, _CONSENT_PATHS)


def _to_login(led: SplitResult) -> bool:
    return (led.hostname or "").startswith(_LOGIN_HOSTS) or _ends_in(led, _LOGIN_PATHS)


def _ends_in(led: SplitResult, names: frozenset[str]) -> bool:
    """Whether an address begins or ends in one of these: /login, /login/form, /de/login.html; a headline in it is none."""
    steps = [step.partition(".")[0] for step in led.path.lower().strip("/").split("/")]
    return steps[-1] in names or (steps[0] in names and len(steps) < 4)


def _lines(html: str) -> list[str]:
    first, *hidden = _HIDDEN.split(html)
    shown = " ".join([first, *(piece.partition("</")[2].partition(">")[2] for piece in hidden)])
    return [line for text in _TAGS.split(shown) if (line := " ".join(text.split()))]
