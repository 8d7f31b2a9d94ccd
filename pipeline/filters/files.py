"""The files that lines name, read and taken apart; runs in a worker. I/O: reads them."""

import gzip
import stat
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import InputError
from pipeline.filters import answered, said
from pipeline.filters.said import Row
from schemas.article import Reading, Unreadable

BYTE_CAP = 30_000_000


def parse_file(path: str, url: str, received_at: datetime) -> Row:
    """The answer of `parse` for one file."""
    from pipeline.parse import parse_feed

    parsed = parse_feed(_unpacked(path), url, received_at=received_at)
    return {"path": path, **(answered.refusal(parsed) if isinstance(parsed, Unreadable) else answered.feed(parsed))}


def read_file(path: str, url: str, hint: Row) -> Row:
    """The answer of `read` for one file."""
    from pipeline.read import read_page, read_text

    body = _unpacked(path)
    if path.removesuffix(".gz").endswith(".txt"):
        reading: Reading | Unreadable = read_text(body.decode("utf-8-sig", "replace"), url)
    else:
        reading = read_page(body, url, language=said.maybe(hint, "language"))
    row = answered.refusal(reading) if isinstance(reading, Unreadable) else answered.reading(_completed(reading, hint))
    return {"path": path, "url": url, **row}


def _unpacked(path: str) -> bytes:
    """The bytes of a file, unpacked where its name ends in .gz."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
            raise InputError(f"cannot read {path!r}: not a file")
        with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
            body = file.read(BYTE_CAP + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"cannot read {path!r}: {error}") from error
    if len(body) > BYTE_CAP:
        raise InputError(f"cannot read {path!r}: more than {BYTE_CAP} bytes once unpacked")
    return body


def _completed(reading: Reading, hint: Row) -> Reading:
    """The reading, with what the feed said where the page says nothing."""
    title, published = said.maybe(hint, "title"), said.maybe(hint, "published_at") or said.maybe(hint, "published")
    if title and not reading.title:
        reading = replace(reading, title=title)
    if published and not reading.published_at:
        with suppress(InputError):
            precision = "day" if len(published) == 10 else "second"
            published_at = said.moment(published)
            reading = replace(reading, published_at=published_at, published_precision=precision, published_basis="feed")
    return reading
