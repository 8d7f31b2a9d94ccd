"""Unpacks a body as it comes, in pieces, and tells one that came to its end from one that was cut off. Pure.

The HTTP library unpacks too, but takes a gzip or br stream that ends in the middle for whole, and so half a page for an article.
"""

import sys
import zlib
from collections.abc import Iterator
from typing import Any

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = frozenset({"", "identity", "gzip", "deflate", "br", "zstd"})
PIECE = 256 * 1024  # bytes unpacked at a time, about
BROKEN = (zlib.error, brotli.error, zstd.ZstdError)
#: How another member or frame begins; what else follows an end is no part of the body.
_BEGINS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class Unpacker:
    """Packed bytes in, unpacked out; `ended` where the stream may end here. Raises one of BROKEN at what is no such stream."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._codec: Any = None
        self._first = True
        self.ended = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes unpack to; whoever has enough stops asking, and nothing more is unpacked."""
        step = {"gzip": self._inflate, "deflate": self._inflate, "zstd": self._zstd, "br": self._br}.get(self.encoding)
        if step is None:
            yield data
            return
        rest: bytes | None = data
        while rest is not None and self._goes_on(rest):
            piece, rest = step(rest)
            if piece:
                yield piece

    def _goes_on(self, data: bytes) -> bool:
        """Whether these bytes belong to the body: all do until it ends, and after that what begins as it began."""
        if self._codec is None and (self._first or data.startswith(_BEGINS.get(self.encoding, b"\0none"))):
            self._codec, self._first, self.ended = self._made(data), False, False
        return self._codec is not None

    def _made(self, data: bytes) -> Any:
        if self.encoding == "zstd":
            return zstd.ZstdDecompressor()
        if self.encoding == "br":
            return brotli.Decompressor()
        with_head = len(data) < 2 or (data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0)
        return zlib.decompressobj(31 if self.encoding == "gzip" else 15 if with_head else -15)

    def _inflate(self, data: bytes) -> tuple[bytes, bytes | None]:
        piece = self._codec.decompress(data, PIECE)
        # a full piece may leave some inside that no input is left for
        return piece, self._over() if self._codec.eof else self._codec.unconsumed_tail or (b"" if len(piece) >= PIECE else None)

    def _zstd(self, data: bytes) -> tuple[bytes, bytes | None]:
        piece = self._codec.decompress(data, PIECE)
        return piece, self._over() if self._codec.eof else None if self._codec.needs_input else b""

    def _br(self, data: bytes) -> tuple[bytes, bytes | None]:
        piece = self._codec.process(data, output_buffer_limit=PIECE)
        if self._codec.is_finished():
            self._codec, self.ended = None, True
            return piece, None
        return piece, None if self._codec.can_accept_more_data() and len(piece) < PIECE else b""

    def _over(self) -> bytes | None:
        """The end of one member; what came behind it."""
        unused: bytes = self._codec.unused_data
        self._codec, self.ended = None, True
        return unused or None
