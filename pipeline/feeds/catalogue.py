"""Reads the catalogue of feeds, a TOML file kept by its user, and says of each mistake where it is and how to mend it. I/O."""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import ConfigError
from schemas.feed import Feed

#: The catalogue that comes with Newsmill, wherever a command is run from: that of the checkout, or the copy in a wheel.
OFFERED = Path(__file__).resolve().parents[2] / "config" / "feeds.toml"
IN_WHEEL = Path(__file__).resolve().parent / "offered.toml"

_LONGEST_SLUG = 64
_YEAR = 525_600


def load_catalogue(path: Path) -> tuple[Feed, ...]:
    """The feeds of a catalogue in its order, disabled ones too.

    Raises ConfigError, which names the file, the entry (1 is the first), what is wrong and what to do.
    """
    return read_catalogue(_text(path), path)


def read_catalogue(text: str, path: Path) -> tuple[Feed, ...]:
    """As `load_catalogue`, of a text that is or shall be at `path`. Pure."""
    entries = _entries(text, path)
    feeds = tuple(_feed(entry, f"{path}: feed {number}") for number, entry in enumerate(entries, start=1))
    _refuse_twins(path, feeds, "feed_id", lambda feed: feed.feed_id, "give one of them another feed_id")
    _refuse_twins(path, feeds, "url", lambda feed: same_address(feed.url), "remove one of them")
    return feeds


def nothing_on(path: Path) -> str | None:
    """Why no feed of a catalogue is visited, with how to choose some, where all of them are switched off; else None."""
    feeds = load_catalogue(path)
    what = f"all its {len(feeds)} feeds are switched off" if feeds else "it names no feed"
    remedy = "to choose some: newsmill feeds add --group central-banks, or the address of a feed or a site"
    return None if any(feed.enabled for feed in feeds) else f"{path}: {what}; {remedy}"


def offered() -> tuple[Feed, ...]:
    """The feeds of the catalogue that comes with Newsmill."""
    return load_catalogue(IN_WHEEL if IN_WHEEL.exists() else OFFERED)


def new_feed(url: str, taken: Collection[str], **known: Any) -> Feed:
    """A feed at this address under an id that is not taken, its source the host until somebody says more."""
    slug = _slug(url)
    feed_id = next(i for n in count(1) if (i := slug if n == 1 else f"{slug}-{n}") not in taken)
    return Feed(feed_id=feed_id, url=url, source=source_of(url), **known)


def source_of(url: str) -> str:
    """The publisher as far as an address tells: its host."""
    return _host(url).removeprefix("www.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); name a catalogue file that exists and is readable"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from error


def _entries(text: str, path: Path) -> list[Any]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}; correct that line, see https://toml.io") from error
    _refuse_unknown(document, {"feed"}, str(path))
    entries = document.get("feed", [])
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: feed is not a list; begin each feed with [[feed]], in double brackets")
    return entries


def _feed(entry: Any, where: str) -> Feed:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: not a table; begin each feed with [[feed]]")
    _refuse_unknown(entry, set(_VALID), where)
    for key, value in entry.items():
        if key == "url" and isinstance(value, str) and (host := _host_behind_login(value)):
            raise ConfigError(f"{where}: url has a user name or password before @{host}; leave it out, everybody would read it")
        is_valid, wanted = _VALID[key]
        if not is_valid(value):
            said = "no name" if key == "credentials" else repr(value)  # they may be the very thing itself
            raise ConfigError(f"{where}: {key} is {said}; {wanted}")
    if "url" not in entry:
        raise ConfigError(f'{where}: url is missing; add url = "https://…" with the feed\'s address')
    url = entry["url"].strip()
    return Feed(**{"feed_id": _slug(url), "source": source_of(url), **entry, "url": url})


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
            raise ConfigError(f"{where}: unknown key {key}; {remedy}")


def _refuse_twins(path: Path, feeds: tuple[Feed, ...], name: str, of: Callable[[Feed], str], remedy: str) -> None:
    first: dict[str, int] = {}
    for number, feed in enumerate(feeds, start=1):
        earlier = first.setdefault(of(feed), number)
        if earlier != number:
            raise ConfigError(f"{path}: feed {number}: same {name} as feed {earlier} ({getattr(feed, name)}); {remedy}")


def _host_behind_login(url: str) -> str:
    return _host(url) if "@" in url.partition("//")[2].partition("/")[0] else ""


def _host(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return parts.hostname or "" if parts.scheme in ("http", "https") else ""


def same_address(url: str) -> str:
    """What two spellings of one feed's address have in common."""
    parts = urlsplit(url)
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}"


def _slug(url: str) -> str:
    """A feed_id made of the address: its words joined by hyphens, cut and made unique by a hash where they are many."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2].lower().removeprefix("www.")
    slug = re.sub(r"[^a-z0-9]+", "-", f"{place}{parts.path}?{parts.query}".lower()).strip("-")
    if 0 < len(slug) <= _LONGEST_SLUG:
        return slug
    return f"{slug[: _LONGEST_SLUG - 9].strip('-') or 'feed'}-{blake2b(url.encode(), digest_size=4).hexdigest()}"


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


# For each key what it must be, and the words that say so.
_VALID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "feed_id": (_matches(r"[a-z0-9][a-z0-9._-]*"), "use lower-case letters, digits, dots and hyphens, or leave it out"),
    "url": (lambda value: isinstance(value, str) and bool(_host(value)), "give an address that begins with https:// or http://"),
    "source": (_matches(r".*\S.*"), "give the publisher's name in quotes, or leave it out"),
    "language": (_matches(r"[a-z]{2}"), 'use two letters, such as "de" or "en", or leave it out'),
    "every_minutes": (
        lambda value: type(value) is int and 1 <= value <= _YEAR,
        "give a whole number of minutes, 1 to 525600 (a year)",
    ),
    "enabled": (lambda value: isinstance(value, bool), "use true or false"),
    "title": (_matches(r".*\S.*"), "give the feed's name in quotes, or leave it out"),
    "group": (_matches(r".*\S.*"), "give the group's name in quotes, or leave it out"),
    "documented": (lambda value: isinstance(value, str) and bool(_host(value)), "give the page that lists it, https://…"),
    "local": (lambda value: isinstance(value, bool), "use true or false"),
    "credentials": (
        _matches(r"[a-z][a-z0-9_]*"),
        "give their name alone, in lower-case letters, digits and _; they are kept elsewhere, see docs/how-to/own-feeds.md",
    ),
}
