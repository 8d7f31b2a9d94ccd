"""Bodies in encodings: bombs in each, nested, truncated, lied about. Pure.

A bomb is written without unpacking it anywhere: members, blocks or streams of zeros, one after the other.
"""

import gzip
import struct
import zlib
from collections.abc import Iterator
from functools import cache

import brotli
from backports import zstd

from schemas.feed import VisitCode
from schemas.outcome import OutcomeCode
from schemas.web import Kind
from tests.fetch.site import answer
from tests.wire_hostile.case import ANY_STATUS, Case, feed_answer, maker, rss

MIB = 1024 * 1024
_FEED = rss()
_OVER = r"more than \d+ bytes unpacked"


def gzip_bomb(size_mib: int) -> bytes:
    return gzip.compress(bytes(MIB), mtime=0) * size_mib


@cache
def deflate_bomb(size_mib: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size_mib)) + packer.flush()


@cache
def brotli_bomb(size_mib: int) -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(bytes(MIB)) for _ in range(size_mib)) + packer.finish()


def zstd_bomb(size_mib: int) -> bytes:
    """A frame of blocks that each repeat one byte 128 KiB times (RFC 8878, 3.1.1.2)."""
    blocks = size_mib * 8
    header = b"\x28\xb5\x2f\xfd" + bytes([0, 0x38])  # no size told, a window of 128 KiB
    return header + b"".join((128 * 1024 << 3 | 1 << 1 | (n == blocks - 1)).to_bytes(3, "little") + b"\0" for n in range(blocks))


BOMBS = {"gzip": gzip_bomb, "deflate": deflate_bomb, "br": brotli_bomb, "zstd": zstd_bomb}


def packed(size_mib: int = 64) -> Iterator[Case]:
    yield from _bombs(size_mib)
    yield from _oddities()


def _bombs(size_mib: int) -> Iterator[Case]:
    feed, page = maker(Kind.FEED, "bomb"), maker(Kind.PAGE, "page-bomb")
    for encoding, bomb in BOMBS.items():
        how, data = f"{size_mib} MiB in a few KB of {encoding}", bomb(size_mib)
        reply = answer(body=data, Content_Encoding=encoding, Content_Type="text/html")
        yield feed(encoding, how, reply, VisitCode.TOO_LARGE, detail=_OVER)
        yield page(encoding, how, reply, OutcomeCode.TOO_LARGE, detail=_OVER)
    gone = answer("404 Not Found", gzip_bomb(size_mib), Content_Encoding="gzip")
    yield feed("404", "a bomb for a missing page", gone, VisitCode.HTTP_ERROR, 404, detail=_OVER)
    robots = answer(body=gzip_bomb(size_mib), Content_Encoding="gzip")
    yield feed("robots", "a bomb for a robots.txt", feed_answer(), VisitCode.PARSED, robots=robots)
    moved = answer("302 Found", gzip_bomb(size_mib), Content_Encoding="gzip", Location="/there")
    yield feed("redirect", "a bomb in the body of a redirect", moved, VisitCode.PARSED, others={"/there": feed_answer()})


def _oddities() -> Iterator[Case]:
    case = maker(Kind.FEED, "packed")
    whole = gzip.compress(_FEED, mtime=0)
    broken = "broken answer: .+"
    good = {
        "gzip": ("gzip", whole),
        "deflate": ("deflate", zlib.compress(_FEED)),
        "raw-deflate": ("deflate", zlib.compress(_FEED)[2:-4]),
        "br": ("br", brotli.compress(_FEED)),
        "zstd": ("zstd", zstd.compress(_FEED)),
        "behind": ("gzip", whole + b"and more"),
        "members": ("gzip", gzip.compress(_FEED[:9]) + gzip.compress(_FEED[9:])),
        "identity": ("identity", _FEED),
        "upper": ("GZIP", whole),
        "x-empty": ("", _FEED),
    }
    for name, (encoding, body) in good.items():
        yield case(name, f"a feed in {encoding or 'nothing'}", feed_answer(body, Content_Encoding=encoding), VisitCode.PARSED)
    bad = {
        "gzip-lie": ("gzip", _FEED),
        "br-lie": ("br", _FEED),
        "deflate-lie": ("deflate", _FEED),
        "deflate-cut": ("deflate", zlib.compress(_FEED)[:-9]),
        "gzip-cut": ("gzip", whole[:-9]),
        "gzip-half": ("gzip", whole[: len(whole) // 2]),
        "br-cut": ("br", brotli.compress(_FEED)[:-3]),
        "zstd-cut": ("zstd", zstd.compress(_FEED)[:-3]),
        "gzip-crc": ("gzip", whole[:-8] + struct.pack("<II", 1, len(_FEED))),
    }
    for name, (encoding, body) in bad.items():
        yield case(
            name,
            f"no whole {encoding}",
            feed_answer(body, Content_Encoding=encoding),
            VisitCode.UNREACHABLE,
            ANY_STATUS,
            detail=broken,
        )
    for name, encoding in {"twice": "gzip, gzip", "unknown": "snappy", "latin-1": "\xe4", "old": "compress", "star": "*"}.items():
        yield case(
            name,
            f"Content-Encoding: {encoding}",
            feed_answer(whole, Content_Encoding=encoding),
            VisitCode.UNREACHABLE,
            detail="content encoding .+ was not asked for",
        )
    yield case(
        "nested",
        "gzip in gzip, one of them told",
        feed_answer(gzip.compress(whole), Content_Encoding="gzip"),
        VisitCode.NOT_A_FEED,
        detail="neither XML nor HTML",
    )
    yield case("untold", "gzip without a word", feed_answer(whole), VisitCode.NOT_A_FEED, detail="neither XML nor HTML")
    yield case(
        "empty",
        "nothing, in gzip",
        feed_answer(b"", Content_Encoding="gzip"),
        VisitCode.NOT_A_FEED,
        detail="empty body|the body is empty",
    )
