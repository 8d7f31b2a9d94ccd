"""Turns a page's bytes into text, or says what they are instead. Pure."""

import codecs
import re

from trafilatura.utils import detect_encoding

_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "gzip inside gzip"),
)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_READABLE_TYPE = re.compile(r"^\s*(?:text/html|application/xhtml\+xml|application/xml|text/xml|text/plain)\b", re.IGNORECASE)
# what browsers read under these names: https://encoding.spec.whatwg.org/#names-and-labels
_AS_BROWSERS_DO = {"iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}


def not_a_page(body: bytes, content_type: str | None) -> str | None:
    """What the bytes are if they are no page of text, in words."""
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return name
    if content_type and content_type.strip() and not _READABLE_TYPE.match(content_type):
        # servers that name no type at all, or bytes in general, often mean a page
        if content_type.split(";")[0].strip().lower() not in ("application/octet-stream", "text"):
            return f"content type {content_type.split(';')[0].strip()}"
        if b"<" not in body[:1024]:
            return "bytes without markup"
    if body[:512].count(0) > 8 and not _declared(body, content_type).startswith("utf-16"):
        return "binary data"
    return None


def decode_page(body: bytes, content_type: str | None) -> str:
    """The text of a page. UTF-8 where the bytes are valid UTF-8, else as declared (HTTP before meta), else as detected.

    UTF-8 comes first because servers declare Latin-1 by default, and text in another encoding is hardly ever valid UTF-8.
    """
    declared = _declared(body, content_type)
    for name in ("utf-8", declared) if not declared.startswith(("utf-16", "iso-2022")) else (declared,):
        decoded = _try(body, name)
        if decoded is not None:
            return decoded
    for name in detect_encoding(body):
        decoded = _try(body, name)
        if decoded is not None:
            return decoded
    known = _try(b"", declared) is not None and declared
    return body.decode(known or "utf-8", "replace")


def _declared(body: bytes, content_type: str | None) -> str:
    for bom, name in _BOMS:
        if body.startswith(bom):
            return name
    head = body[:2048].decode("latin-1")
    for place in (content_type or "", head):
        if (found := _CHARSET.search(place)) or (
            place is head and (found := re.search(r"""encoding=["']([\w.:-]+)""", place[:200]))
        ):
            name = found[1].lower()
            return _AS_BROWSERS_DO.get(name, name)
    return ""


def _try(body: bytes, name: str) -> str | None:
    if not name:
        return None
    try:
        return body.decode(name).lstrip("\ufeff")
    except (LookupError, UnicodeError, ValueError):  # codecs raise ValueError for names with a null byte
        return None
