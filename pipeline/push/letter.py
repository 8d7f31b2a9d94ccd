"""A letter: a document with what is known of it, in one file, so that it is placed by one rename. Pure.

Its first lines are `name: value`, as in HTTP or mail; after an empty line the document follows, byte for byte.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import InputError

SUFFIX = ".push"
_LONGEST_HEAD = 16_000
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n|^\r?\n")
#: What a letter may say of its document; anything else is taken for a slip of the pen.
NAMES = ("feed", "url", "content-type")


@dataclass(frozen=True, slots=True)
class Letter:
    """A document's bytes, and what was said of it by names of `NAMES`."""

    content: bytes
    said: Mapping[str, str] = field(default_factory=dict)


def written(letter: Letter) -> bytes:
    """The letter as a file. Values are kept on one line each, whatever was sent."""
    lines = (f"{name}: {' '.join(value.split())}\n" for name, value in letter.said.items())
    return "".join([*lines, "\n"]).encode("utf-8", "replace") + letter.content


def read(file: bytes) -> Letter:
    """A file as a letter.

    Raises:
        InputError: its head cannot be read.
    """
    found = _EMPTY_LINE.search(file[:_LONGEST_HEAD])
    if not found:
        raise InputError("a letter begins with lines such as `url: https://…`, then an empty line, then the document")
    said: dict[str, str] = {}
    for line in file[: found.start()].decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if not colon or name.strip().lower() not in NAMES:
            raise InputError(f"{line[:80]!r} says nothing that a letter may say; it may say {', '.join(NAMES)}")
        said[name.strip().lower()] = value.strip()
    if not said.get("url", "https://").startswith(("https://", "http://")):
        raise InputError(f"url is {said['url'][:80]!r}; give an address that begins with https:// or http://")
    return Letter(file[found.end() :], said)
