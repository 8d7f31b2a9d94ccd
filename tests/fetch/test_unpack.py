"""Bodies in every encoding, however they are cut into pieces: whole, cut off, followed by something else."""

import gzip
import random
import zlib

import brotli
import pytest
from backports import zstd

from pipeline.fetch.unpack import BROKEN, PIECE, Unpacker

DATA = bytes(random.Random(1).choices(b"Kurse \n", k=400_000)) + bytes(1_000_000)
RAW = zlib.compressobj(wbits=-15)
PACKED = [
    ("gzip", gzip.compress(DATA)),
    ("deflate", zlib.compress(DATA)),
    ("deflate", RAW.compress(DATA) + RAW.flush()),
    ("br", brotli.compress(DATA, quality=3)),
    ("zstd", zstd.compress(DATA)),
    ("identity", DATA),
]


def unpacked(encoding: str, *parts: bytes) -> tuple[bytes, bool]:
    unpacker = Unpacker(encoding)
    pieces = [piece for part in parts for piece in unpacker.feed(part)]
    assert encoding == "identity" or max(map(len, pieces), default=0) <= 4 * PIECE
    return b"".join(pieces), unpacker.ended


@pytest.mark.parametrize(("encoding", "body"), PACKED)
@pytest.mark.parametrize("size", [997, 65_536, 10**8])
def test_it_is_the_same_in_whatever_parts_it_comes(encoding: str, body: bytes, size: int) -> None:
    assert unpacked(encoding, *(body[i : i + size] for i in range(0, len(body), size))) == (DATA, True)


@pytest.mark.parametrize(("encoding", "body"), PACKED[:-1])
@pytest.mark.parametrize("missing", [1, 5, 9, 100])
def test_what_is_cut_off_has_no_end(encoding: str, body: bytes, missing: int) -> None:
    content, ended = unpacked(encoding, body[:-missing])
    assert DATA.startswith(content) and not ended


@pytest.mark.parametrize(("encoding", "body"), [PACKED[0], PACKED[4]])
def test_members_follow_one_another_and_nothing_else_does(encoding: str, body: bytes) -> None:
    for parts in ((body + body,), (body, body), (body + body[:5], body[5:])):
        assert unpacked(encoding, *parts) == (DATA * 2, True)
    assert unpacked(encoding, body + b"rest", b"more") == (DATA, True)
    assert unpacked(encoding, body + body[:-1])[1] is False


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_is_none_is_told(encoding: str) -> None:
    assert unpacked(encoding) == (b"", True)
    with pytest.raises(BROKEN):
        unpacked(encoding, b"<html>not packed</html>")
