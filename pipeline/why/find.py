"""Finds which articles and entries an id, the beginning of one, or an address means. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import duckdb

from pipeline.dedupe import url_key
from pipeline.errors import InputError, NotFound
from schemas import ids

#: The beginning of an id is enough from this length on, where only one id begins so.
SHORTEST_PREFIX = 6
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of id: the table that has every one of them, and the table and column that say what it leads to."""

    name: str
    table: str
    column: str
    told_by: str
    leads_to: str


KINDS = {
    "a": Kind("article", "articles", "article_id", "articles", "article_id"),
    "v": Kind("article version", "articles", "version_id", "articles", "article_id"),
    "e": Kind("feed entry", "entries", "entry_id", "entries", "entry_id"),
    "p": Kind("page fetch", "pages", "page_id", "pages", "entry_id"),
    "t": Kind("tagging", "taggings", "tagging_id", "taggings", "article_id"),
    "f": Kind("feed visit", "visits", "visit_id", "entries", "entry_id"),
}
_WHAT_THERE_IS = (
    f"there are {', '.join(f'{letter}_… ({kind.name})' for letter, kind in KINDS.items())}, "
    f"the first {SHORTEST_PREFIX} or more characters of one, and the addresses of articles (http…)"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for, as a whole id or a URL key, and what it leads to: articles, and every entry that leads to them."""

    asked: str
    kind: str
    articles: tuple[str, ...]
    entries: tuple[str, ...]


def find(con: duckdb.DuckDBPyConnection, asked: str) -> Found:
    """What an id, the beginning of one, or an address leads to; entries alone where no article came of them.

    Raises:
        InputError: it is no id and no address, or the beginning of several; the message says what could be meant.
        NotFound: nothing in the lake is meant by it, or nothing is kept of it.
    """
    asked = asked.strip()
    _refuse_taken_down(con, asked)
    if asked.lower().startswith(("http:", "https:")):
        return _at_address(con, asked)
    kind = KINDS.get(asked[:1].lower())
    if kind is None or asked[1:2] != "_":
        raise InputError(f"{asked!r} is no id: {_WHAT_THERE_IS}")
    id = _whole_id(con, kind, asked.lower())
    led_to = _column(con, kind.told_by, kind.leads_to, kind.column, [id])
    if kind.leads_to == "article_id":
        return Found(id, kind.name, tuple(led_to), _entries_of(con, led_to))
    return _behind(con, id, kind.name, led_to)


def _refuse_taken_down(con: duckdb.DuckDBPyConnection, asked: str) -> None:
    names = [asked.lower(), ids.content_hash(url_key(asked))]
    query = "SELECT min(available_at), arg_min(why, available_at) FROM lake.forgotten WHERE id IN (?, ?)"
    ((at, why),) = con.sql(query, params=names).fetchall()
    if at:
        raise NotFound(f"{asked} was taken down on {at:%Y-%m-%d %H:%M} UTC ({why}): nothing of it is kept")


def _whole_id(con: duckdb.DuckDBPyConnection, kind: Kind, asked: str) -> str:
    """The id that was given, or whose beginning was given."""
    begun = _beginning_with(con, kind, asked)
    if asked in begun:
        return asked
    if len(begun) == 1 and len(asked) >= SHORTEST_PREFIX:
        return begun[0]
    if len(begun) > 1:
        raise InputError(f"{len(begun)} ids begin with {asked!r}, write more of the one you mean: {_listed(begun)}")
    near = begun or _nearest(asked, _beginning_with(con, kind, asked[:SHORTEST_PREFIX]))
    meant = f"did you mean {_listed(near)}? " if near else ""
    raise NotFound(f"no {kind.name} {asked!r} in this lake (--lake DIR asks another): {meant}{_WHAT_THERE_IS}")


def _beginning_with(con: duckdb.DuckDBPyConnection, kind: Kind, beginning: str) -> list[str]:
    query = f"SELECT DISTINCT {kind.column} AS id FROM lake.{kind.table} WHERE starts_with({kind.column}, ?) ORDER BY 1"  # noqa: S608
    return [id for (id,) in con.sql(query, params=[beginning]).fetchall()]


def _nearest(asked: str, ids: list[str]) -> list[str]:
    """Those of the ids that agree longest with what was asked."""
    beginnings = (asked[:length] for length in range(len(asked), 0, -1))
    return next((near for beginning in beginnings if (near := [id for id in ids if id.startswith(beginning)])), [])


def _listed(ids: list[str]) -> str:
    return ", ".join(ids[:_MOST_LISTED]) + (f" and {len(ids) - _MOST_LISTED} more" if len(ids) > _MOST_LISTED else "")


def _at_address(con: duckdb.DuckDBPyConnection, address: str) -> Found:
    """By the keys of articles; else by the links of entries, which also leads to what was dropped."""
    key = url_key(address)
    if not key:
        raise InputError(f"{address!r} is no address with a readable host: {_WHAT_THERE_IS}")
    query = "SELECT arg_min(article_id, (available_at, batch_id)) FROM lake.article_keys WHERE key = ?"
    ((article,),) = con.sql(query, params=[key]).fetchall()
    if article is not None:
        return Found(key, "address", (article,), _entries_of(con, [article]))
    # the key of a link is kept only where an article came of it, so those of the host's links are made here
    hosts = [urlsplit(key).hostname, urlsplit(address).hostname]
    query = "SELECT DISTINCT entry_id, url FROM lake.entries WHERE contains(lower(url), ?) OR contains(lower(url), ?)"
    entries = sorted({entry for entry, url in con.sql(query, params=hosts).fetchall() if url_key(url) == key})
    if not entries:
        raise NotFound(f"no article and no feed entry at {address} in this lake (--lake DIR asks another): {_WHAT_THERE_IS}")
    return _behind(con, key, "address", entries)


def _behind(con: duckdb.DuckDBPyConnection, asked: str, kind: str, entries: list[str]) -> Found:
    """What these entries led to."""
    articles = _column(con, "outcomes", "article_id", "entry_id", entries)
    return Found(asked, kind, tuple(articles), _entries_of(con, articles) if articles else tuple(entries))


def _entries_of(con: duckdb.DuckDBPyConnection, articles: list[str]) -> tuple[str, ...]:
    return tuple(_column(con, "outcomes", "entry_id", "article_id", articles))


def _column(con: duckdb.DuckDBPyConnection, table: str, wanted: str, by: str, ids: Sequence[str]) -> list[str]:
    """The distinct values of one column in those rows of which another is one of these ids."""
    marks = ", ".join("?" * len(ids)) or "NULL"
    query = f"SELECT DISTINCT {wanted} AS id FROM lake.{table} WHERE {by} IN ({marks}) AND {wanted} IS NOT NULL ORDER BY 1"  # noqa: S608
    return [id for (id,) in con.sql(query, params=list(ids)).fetchall()]
