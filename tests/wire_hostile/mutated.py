"""Feeds of our own, changed at random from a seed, each through the parser in a process that can be killed. Starts processes.

Every one must end in a feed or a named refusal, whatever the bytes; an exception that comes through is an escape.
"""

import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipeline.errors import WorkerError
from pipeline.isolate import Workers
from pipeline.parse import parse_feed
from schemas.article import Unreadable
from schemas.feed import ParsedFeed
from tests.wire_hostile.documents import documents

RECEIVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_GOLDEN = Path(__file__).parents[1] / "parse" / "golden"
_LONGEST_SEED = 30_000
_SCRAPS = [
    *(
        b"&#xD800;",
        b"&#x110000;",
        b"&#0;",
        b"&nbsp;",
        b"&a;",
        b"&",
        b"<",
        b">",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"<?",
        b"?>",
    ),
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\x1b",
        b"<item>",
        b"</item>",
        b"<entry>",
        b"</rss>",
        b"<div>",
        b"<svg>",
    ),
    *(
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
        b'<content type="xhtml">',
        b'<content mode="base64">',
        b'<x:y xmlns:x="z">',
        b' xml:base="//["',
    ),
    *(
        b"<link>http://[</link>",
        b"<pubDate>0000-00-00</pubDate>",
        b"<guid>0</guid>",
        b'<title type="xhtml">',
        b"<math>",
        b"9" * 99,
    ),
]
_ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "cp1252", "utf-7", "cp037")

Change = Callable[[bytes, random.Random], bytes]


def _flip(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def _drop(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + body[at + chance.randint(1, 200) :]


def _insert(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + chance.choice(_SCRAPS) * chance.choice((1, 1, 1, 3, 50)) + body[at:]


def _swap_tags(body: bytes, chance: random.Random) -> bytes:
    parts = body.split(b"<")
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return b"<".join(parts)


def _repeat(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    part = body[at : at + chance.randint(1, 400)]
    return body[:at] + part * chance.choice((2, 2, 9, 60)) + body[at:]


def _nest(body: bytes, chance: random.Random) -> bytes:
    at, deep = body.find(b">", chance.randrange(len(body))) + 1, chance.choice((10, 300, 3000))
    return body[:at] + b"<div>" * deep + body[at:]


def _recode(body: bytes, chance: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(chance.choice(_ENCODINGS), "replace")


def _lie(body: bytes, chance: random.Random) -> bytes:
    return b'<?xml version="1.0" encoding="%s"?>' % chance.choice(_ENCODINGS).encode() + body.partition(b"?>")[2]


_CHANGES: tuple[Change, ...] = (_flip, _cut, _drop, _insert, _insert, _swap_tags, _repeat, _nest, _recode, _lie)


def seeds() -> list[bytes]:
    """Feeds of our own: the golden ones, and the smaller of the hostile wire."""
    golden = [path.read_bytes() for path in sorted(_GOLDEN.glob("*.xml"))]
    wire = [case.reply.partition(b"\r\n\r\n")[2] for case in documents() if isinstance(case.reply, bytes)]
    return golden * 20 + [body for body in wire if 100 < len(body) < _LONGEST_SEED]


def mutated(count: int, seed: int, of: Sequence[bytes]) -> Iterator[bytes]:
    """The same feeds for the same seed; each can be had alone, as it depends on its number only."""
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        body = chance.choice(of)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            body = chance.choice(_CHANGES)(body or b"<", chance)
        yield body


@dataclass(slots=True)
class Told:
    """What became of the feeds: how often each end occurs, what escaped, the slowest (seconds of CPU, number), and memory."""

    ends: Counter[str] = field(default_factory=Counter)
    escapes: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)
    grown_mb: float = 0.0


def run(count: int, seed: int, of: Sequence[bytes], workers: Workers) -> Told:
    told, first = Told(), 0.0
    calls = ((number, partial(judged, body)) for number, body in enumerate(mutated(count, seed, of)))
    for number, end in workers.attempt_each(calls):
        if isinstance(end, WorkerError) or end is None:
            told.escapes.append(f"{seed}/{number}: {end}")
            continue
        code, seconds, memory_mb = end
        first = first or memory_mb
        told.ends[code] += 1
        told.slowest = max(told.slowest, (seconds, number))
        told.grown_mb = max(told.grown_mb, memory_mb - first)
    return told


def judged(body: bytes) -> tuple[str, float, float]:
    """How one feed ends, the seconds of CPU that took, and the most memory this process has ever had, in MB."""
    began = time.process_time()
    end = parse_feed(body, "https://feeds.example/rss.xml", received_at=RECEIVED)
    seconds = time.process_time() - began
    if isinstance(end, ParsedFeed):
        _look_at(end)
    code = end.code if isinstance(end, Unreadable) else "feed"
    return str(code), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _look_at(feed: ParsedFeed) -> None:
    """Raises where an entry could do harm or could not be stored."""
    for entry in feed.entries:
        assert entry.key, "an entry without a key"
        assert (entry.url or "http://").startswith(("http://", "https://")), entry.url
        repr(entry).encode()
