"""What a feed announces, what a signature must be, and when a hub is asked: tables of cases."""

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.parse import parse_feed
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import Asked, Heard, Keys, Mode, announced, ask_again, is_live, is_signed, next_ask
from schemas.feed import ParsedFeed

URL, HUB, TOPIC = "https://news.example/feed?x=1", "https://hub.example/", "https://news.example/topic"
NONE: dict[str, str | None] = {"hub": None, "self": None}
HERE: dict[str, str | None] = {"hub": HUB, "self": TOPIC}


@pytest.mark.parametrize(
    ("link", "document", "expected"),
    [
        (None, NONE, (None, None)),
        (None, HERE, (HUB, TOPIC)),
        (None, HERE | {"self": None}, (HUB, URL)),
        (None, HERE | {"hub": "/hub"}, ("https://news.example/hub", TOPIC)),
        (f'<{HUB}>; rel="hub", <{TOPIC}>; rel="self"', NONE, (HUB, TOPIC)),
        (f'<{HUB}>; title="a, b"; rel=hub', HERE | {"hub": "https://other.example/"}, (HUB, URL)),
        (f'<{TOPIC}>; rel="self"', HERE, (HUB, TOPIC)),
        ('<https://a.example/>; rel="alternate hub"', NONE, ("https://a.example/", URL)),
        (None, HERE | {"hub": "javascript:alert(1)"}, (None, None)),
        (None, HERE | {"hub": "https://user:pw@hub.example/"}, (None, None)),
        (None, HERE | {"self": "file:///etc/passwd"}, (None, None)),
        (None, HERE | {"hub": "https://[half/"}, (None, None)),
        ("<" * 5000 + '; rel="hub"', NONE, (None, None)),
    ],
)
def test_what_an_answer_announces(link: str | None, document: dict[str, str | None], expected: Any) -> None:
    assert announced(link, document, URL) == expected


@pytest.mark.parametrize(
    "head",
    [
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title><atom:link rel="self" href="S"/>'
        '<atom:link rel="hub" href="H"/><item><title>x</title></item></channel></rss>',
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><link rel="self" href="S"/><link rel="hub" href="H"/>'
        "<entry><title>x</title></entry></feed>",
    ],
)
def test_a_document_names_hub_and_topic(head: str) -> None:
    parsed = parse_feed(head.encode(), URL, received_at=datetime.now(UTC))
    assert isinstance(parsed, ParsedFeed)
    assert (parsed.hub, parsed.topic) == ("H", "S")


#: Of b"news" with the secret "secret", by `openssl dgst -<name> -hmac secret`.
BY_OPENSSL = [
    "sha1=977622fd94adc9c9b1b1600836dc8b99ecd2b07e",
    "sha256=1012018980a3101f542350e984cf9ccd965ee612485d66a36cfadcc2d008ecbc",
]


def test_signatures() -> None:
    def of(method: str, content: bytes = b"news", secret: bytes = b"secret") -> str:
        return f"{method}={hmac.new(secret, content, method).hexdigest()}"

    good = (
        BY_OPENSSL
        + [of(m) for m in ("sha1", "sha256", "sha384", "sha512")]
        + [of("sha256").upper().replace("SHA256=", "sha256=")]
    )
    bad = [
        of("md5"),
        of("sha256", b"olds"),
        of("sha256", secret=b"other"),
        of("sha256")[:-1],
        "sha256=",
        "sha256",
        "",
        None,
        "sha256=é",
    ]
    assert [is_signed(one, b"news", "secret") for one in good] == [True] * len(good)
    assert [is_signed(one, b"news", "secret") for one in bad] == [False] * len(bad)


def test_no_two_secrets_are_the_same_and_a_short_one_is_refused() -> None:
    keys = Keys("0123456789abcdef")
    derived = [f(feed, topic) for f in (keys.token, keys.secret_of) for feed in ("a", "b") for topic in ("s", "t")]
    assert len(set(derived)) == 8
    with pytest.raises(ConfigError, match="openssl rand"):
        Keys("short")


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
H, D = timedelta(hours=1), timedelta(days=1)


def asked(ago: timedelta, **more: Any) -> Asked:
    return Asked(**{"feed_id": "t", "topic": TOPIC, "hub": HUB, "mode": Mode.SUBSCRIBE, "at": NOW - ago} | more)


def heard(ago: timedelta, left: timedelta, **more: Any) -> Heard:
    return Heard(**{"topic": TOPIC, "verified_at": NOW - ago, "lease_until": NOW + left} | more)


@pytest.mark.parametrize(
    ("before", "known", "why", "times"),
    [
        (None, None, "announces a hub", 1),
        (asked(D, mode=Mode.UNSUBSCRIBE), None, "announces a hub", 1),
        (asked(H, hub="https://old.example/"), heard(H, D), "another hub", 1),
        (asked(H / 2, hub="https://old.example/"), None, None, 0),  # a feed that names another one each time
        (asked(H / 2), None, None, 0),  # the hub may still ask back
        (asked(2 * H), None, "not confirmed", 2),
        (asked(2 * H, times=2), None, None, 0),
        (asked(5 * H, times=2), None, "not confirmed", 3),
        (asked(6 * D, times=9), None, None, 0),
        (asked(8 * D, times=9), None, "not confirmed", 10),
        (asked(D), heard(D, 9 * D), None, 0),
        (asked(8 * D), heard(8 * D, 2 * D), "ends soon", 1),
        (asked(H / 2), heard(8 * D, 2 * D), None, 0),  # renewed just now
        (asked(2 * H), heard(8 * D, 2 * D), "not confirmed", 2),
        (asked(11 * D), heard(11 * D, -D), "ends soon", 1 + 1),
        (asked(2 * H), heard(3 * H, -H, denied_at=NOW - H), "had refused", 2),
        (asked(H / 2), Heard(topic=TOPIC, denied_at=NOW - H / 4), None, 0),
        (asked(2 * D, silent_since=NOW - H), heard(2 * D, 8 * D), "nothing has been pushed", 2),
        (asked(2 * D, silent_since=NOW - H), heard(2 * D, 8 * D, pushed_at=NOW - 2 * H), "nothing has been pushed", 2),
        (asked(2 * D, silent_since=NOW - H), heard(2 * D, 8 * D, pushed_at=NOW), None, 0),
        (asked(D), heard(D, D, topic="https://other.example/"), "not confirmed", 2),
    ],
)
def test_when_a_hub_is_asked(before: Asked | None, known: Heard | None, why: str | None, times: int) -> None:
    found = next_ask(HUB, TOPIC, before, known, NOW)
    assert (found is None) if why is None else (found is not None and why in found), found
    if why:
        assert ask_again(HUB, TOPIC, before, known, feed_id="t", now=NOW).times == times


@pytest.mark.parametrize(
    ("before", "known", "live"),
    [
        (None, None, False),
        (asked(D), heard(D, D), False),  # confirmed, but nothing came yet
        (asked(D), heard(D, D, pushed_at=NOW - H), True),
        (asked(D), heard(D, -H, pushed_at=NOW - 2 * H), False),
        (asked(D, silent_since=NOW - H), heard(D, D, pushed_at=NOW - 2 * H), False),
        (asked(D, silent_since=NOW - 2 * H), heard(D, D, pushed_at=NOW - H), True),
        (asked(D, mode=Mode.UNSUBSCRIBE), heard(D, D, pushed_at=NOW - H), False),
    ],
)
def test_when_push_is_relied_on(before: Asked | None, known: Heard | None, live: bool) -> None:
    assert is_live(before, known, NOW) is live


def test_what_was_asked_is_noted_also_where_there_is_no_inbox_yet(tmp_path: Path) -> None:
    Subscriptions(tmp_path / "run" / "inbox").note_asked(asked(D))
    assert Subscriptions(tmp_path / "run" / "inbox").all_asked() == {"t": asked(D)}
