"""Articles that are handed in as JSON: one, a list, a line each, or a JSON Feed. Pure.

The names are those of `newsmill read`, and of JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/) where those differ.
"""

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any

import orjson

from pipeline.parse.dates import read_date
from pipeline.parse.keys import Marks, choose_keys
from pipeline.parse.text import clean, language_code, plain_text, resolve_link
from schemas.article import Unreadable
from schemas.feed import ParsedEntry, ParsedFeed, VisitCode

#: What an article may say, each under the first of these names that it has.
_NAMES = {
    "id": ("id",),
    "url": ("url", "link", "external_url"),
    "title": ("title", "headline"),
    "summary": ("summary", "description"),
    "text": ("text", "content_text"),
    "html": ("html", "content_html"),
    "published": ("published_at", "date_published", "published"),
    "language": ("language",),
    "source": ("source", "publisher"),
}
ITEM_CAP = 2000


class _Mistake(Exception):
    """Something in the JSON that cannot be meant; its words say where and what to do."""


def parse_json(body: bytes, url: str, *, language: str | None, received_at: datetime) -> ParsedFeed | Unreadable:
    """The articles in `body`; all of them, or what is wrong with the first that cannot be taken."""
    try:
        head, raws = _articles(body)
        said = [_said(raw, number) for number, raw in enumerate(raws, start=1)]
    except _Mistake as mistake:
        return Unreadable(code=VisitCode.NOT_A_FEED, detail=str(mistake))
    spoken = language_code(language) or language_code(_text(head, "language"))
    return ParsedFeed(
        version="json",
        title=plain_text(_text(head, "title")) or None,
        language=spoken,
        url=resolve_link(_text(head, "home_page_url"), url),
        entries=tuple(_entries(raws, said, url, spoken, received_at)),
    )


def _articles(body: bytes) -> tuple[dict[str, Any], list[Any]]:
    """What is said of all, and each article."""
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        document = _lines(body, error)
    head: dict[str, Any] = {}
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        head, document = document, document["items"]
    raws = document if isinstance(document, list) else [document]
    if not raws:
        raise _Mistake("no article in it; give an object with url, title and text, a list of such, or one a line")
    if len(raws) > ITEM_CAP:
        raise _Mistake(f"{len(raws)} articles in one file, {ITEM_CAP} are taken at most; split it")
    return head, raws


def _lines(body: bytes, of_whole: Exception) -> list[Any]:
    lines = [(number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()]
    found = []
    for number, line in lines:
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            where = f"line {number}: {error}" if found else str(of_whole)
            raise _Mistake(f"not JSON: {where}; correct it and drop it again") from None
    return found


def _said(raw: Any, number: int) -> dict[str, str]:
    """The texts an article has, by our names for them."""
    if not isinstance(raw, dict):
        raise _Mistake(f"article {number} is no object; give url, title and text as names and values")
    said: dict[str, str] = {}
    for name, theirs in _NAMES.items():
        found = next((key for key in theirs if raw.get(key) is not None), None)
        value = raw[found] if found else ""
        if name == "id" and isinstance(value, int):
            value = str(value)
        if name == "source" and isinstance(value, dict):  # as schema.org has it
            value = value.get("name") or ""
        if not isinstance(value, str):
            raise _Mistake(f"article {number}: {found} is {type(value).__name__}; give it as text in quotes")
        said[name] = value
    if said["url"] and not resolve_link(said["url"]):
        raise _Mistake(f"article {number}: url is {said['url'][:120]!r}; give an address that begins with https:// or http://")
    if not said["url"] and not said["text"].strip() and not said["html"].strip():
        raise _Mistake(f"article {number}: neither url nor text; give one of them, or both")
    return said


def _entries(
    raws: list[Any], said: list[dict[str, str]], base: str, language: str | None, received_at: datetime
) -> Iterator[ParsedEntry]:
    links = [resolve_link(one["url"], base) for one in said]
    titles = [plain_text(one["title"]) for one in said]
    rest = [one["html"] or one["text"] for one in said]
    dated = [clean(one["published"]) for one in said]
    guids = [clean(one["id"]) for one in said]
    marks = [Marks(*mark) for mark in zip(guids, [link or "" for link in links], dated, titles, rest, strict=True)]
    for i, (key, basis) in enumerate(choose_keys(marks)[0]):
        spoken = language_code(said[i]["language"]) or language
        published_at, quality = read_date(dated[i], language=spoken, received_at=received_at)
        yield ParsedEntry(
            key=key,
            key_basis=basis,
            title=titles[i],
            url=links[i],
            raw_url=said[i]["url"] or None,
            summary=plain_text(said[i]["summary"]) or None,
            content_html=said[i]["html"] or _as_html(said[i]["text"]),
            authors=_authors(raws[i]),
            published_raw=dated[i] or None,
            published_at=published_at,
            date_quality=quality,
            source=plain_text(said[i]["source"]) or None,
            language=spoken,
            whole=bool(rest[i].strip()),
        )


def _as_html(text: str) -> str | None:
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip()) or None


def _authors(raw: dict[str, Any]) -> tuple[str, ...]:
    given = raw.get("authors") or raw.get("author") or ()
    named = given if isinstance(given, list) else [given]
    names = (one.get("name") if isinstance(one, dict) else one for one in named)
    return tuple(dict.fromkeys(name for one in names if isinstance(one, str) and (name := plain_text(one))))


def _text(head: dict[str, Any], name: str) -> str:
    value = head.get(name)
    return value if isinstance(value, str) else ""
