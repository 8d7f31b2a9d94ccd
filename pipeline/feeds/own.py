"""Edits a catalogue's text and leaves its comments and order as they are; each edit is proved by reading the result. Pure."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import fields
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.feeds.catalogue import read_catalogue, source_of
from schemas.feed import Feed

HEAD = """\
# My feeds. `newsmill feeds add` and `remove` keep it, and so can you; config/feeds.toml says which keys there are.
"""

_HEADER = re.compile(r"\s*\[\[\s*feed\s*\]\]")
_OFF = re.compile(r"(\s*enabled\s*=\s*)false\b")
_KEYS = (
    "feed_id",
    "url",
    "title",
    "source",
    "language",
    "group",
    "every_minutes",
    "documented",
    "local",
    "credentials",
    "enabled",
)
_DEFAULTS = {field.name: field.default for field in fields(Feed)}


def with_feeds(text: str, feeds: Iterable[Feed], path: Path) -> str:
    """The text with these feeds at its end.

    Raises:
        ConfigError: the result would not be a catalogue with them.
    """
    added = tuple(feeds)
    head = text if not text or text.endswith("\n") else text + "\n"
    changed = "\n".join([head, *map(_block, added)]) if text.strip() else "\n".join([HEAD, *map(_block, added)])
    return _proved(changed, read_catalogue(text, path) + added, path, "add the feed")


def without(text: str, feed_ids: Collection[str], path: Path) -> str:
    """The text without these feeds and the comments right above them."""
    feeds = read_catalogue(text, path)
    lines = text.splitlines(keepends=True)
    for start, end in reversed([span for f, span in zip(feeds, _spans(lines), strict=False) if f.feed_id in feed_ids]):
        del lines[start : end + (end < len(lines) and not lines[end].strip())]
    left = tuple(f for f in feeds if f.feed_id not in feed_ids)
    return _proved("".join(lines), left, path, "remove the feed")


def switched_on(text: str, feed_id: str, path: Path) -> str:
    """The text with `enabled = true` for this feed."""
    feeds = read_catalogue(text, path)
    lines = text.splitlines(keepends=True)
    for start, end in [span for f, span in zip(feeds, _spans(lines), strict=False) if f.feed_id == feed_id]:
        lines[start:end] = [_OFF.sub(r"\1true", line) for line in lines[start:end]]
    return _proved("".join(lines), tuple(_on(f) if f.feed_id == feed_id else f for f in feeds), path, "set enabled = true")


def _on(feed: Feed) -> Feed:
    return Feed(**{field.name: getattr(feed, field.name) for field in fields(Feed)} | {"enabled": True})


def _proved(text: str, wanted: tuple[Feed, ...], path: Path, remedy: str) -> str:
    """The text, if it says what it shall: lines may stand inside a longer string, or feeds in another notation."""
    try:
        if read_catalogue(text, path) == wanted:
            return text
    except ConfigError:
        pass
    raise ConfigError(f"{path}: its notation cannot be edited safely, nothing was changed; {remedy} by hand")


def _spans(lines: list[str]) -> list[tuple[int, int]]:
    """First line and line behind the last of each [[feed]]: from the comments right above it to its last key."""
    spans = []
    headers = [i for i, line in enumerate(lines) if _HEADER.match(line)]
    for header, following in zip(headers, [*headers[1:], len(lines)], strict=False):
        start, end = header, following
        while start and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        while end > header + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        spans.append((start, end))
    return spans


def _block(feed: Feed) -> str:
    said = {"source": source_of(feed.url)}
    values = {key: getattr(feed, key) for key in _KEYS}
    lines = [f"{key} = {_toml(value)}\n" for key, value in values.items() if value != said.get(key, _DEFAULTS[key])]
    return "[[feed]]\n" + "".join(lines)


def _toml(value: str | int | bool) -> str:
    """A value in TOML's notation, which for text is JSON's, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
