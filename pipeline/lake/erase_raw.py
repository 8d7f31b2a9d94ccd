"""Takes what was taken down out of the packs of raw bytes: its pages, and the feeds' documents that carried it. I/O.

A feed's document goes whole, as it cannot be cut without knowing what it means. Bytes that their batch has not brought into the
lake yet stay: other news may be in them. That batch leaves them out itself, when it is settled (`drop_bodies`).
"""

import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pyarrow.parquet as pq
from ahocorasick_rs import AhoCorasick

from pipeline.lake.forget import Going
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import guarded
from pipeline.lake.store import store_of
from pipeline.lake.watermark import late
from pipeline.lake.work import known_pages, known_visits
from pipeline.s3 import readable
from schemas import bodies_schema
from schemas.columns import from_arrow, to_arrow
from schemas.web import Body, Kind


def drop_bodies(lake: Lake, batch: BatchRef, owners: set[str]) -> int:
    """Drops the content of these visits and pages from a batch's packs; how many packs that changed."""
    packs = lake.raw(batch).glob("*.parquet") if owners else ()
    return sum(_rewrite(lake, pack, lambda body: body.owner in owners) for pack in sorted(packs))


def erase_raw(lake: Lake, con: duckdb.DuckDBPyConnection, going: Going) -> int:
    """Drops the pages of what goes and the feed documents it stands in; how many packs that changed."""
    if not (going.articles or going.entries or going.sources):
        return 0
    traces, waiting = _Traces.of(con, going), _waiting(lake)
    changed = 0
    for place in (path for day in lake.days("raw") for path in sorted((lake.root / "raw" / f"date={day}").iterdir())):
        for pack in filter(traces.may_lead_to, sorted(place.glob("*.parquet"))):
            committed = _committed(con, pack) if place.name in waiting else None
            changed += _rewrite(lake, pack, _of_it(traces, committed))
    return changed


def _of_it(traces: "_Traces", committed: set[str] | None) -> Callable[[Body], bool]:
    return lambda body: (committed is None or body.owner in committed) and traces.lead_to(body)


def _waiting(lake: Lake) -> set[str]:
    """The batches that may still need bytes they have kept."""
    names = [path.name for path in [*(lake.root / "staging").iterdir(), *late(lake)]]
    return {f"{ref.root}-{ref.stage}" for name in names if (ref := BatchRef.parse(name))}


def _committed(con: duckdb.DuckDBPyConnection, pack: Path) -> set[str]:
    owners = pq.read_table(readable(pack), columns=["owner"], partitioning=None)["owner"].to_pylist()
    return known_visits(con, owners, date.min) | known_pages(con, owners, date.min)


def _rewrite(lake: Lake, pack: Path, goes: Callable[[Body], bool]) -> bool:
    """Writes a pack anew without the content of what goes; False where it has none of it."""
    with guarded(lake, "raw"):
        bodies = from_arrow(pq.read_table(readable(pack), schema=bodies_schema(), partitioning=None), Body)
        kept = [_emptied(body) if goes(body) else body for body in bodies]
        if kept == bodies:
            return False
        store, at = store_of(pack), pack.stat().st_mtime_ns
        with store.scratch(lake.root, "raw") as scratch:
            aside = scratch / pack.name
            pq.write_table(to_arrow(kept, Body), aside, compression="zstd", compression_level=3, row_group_size=20)
            os.utime(aside, ns=(at, at))  # packs are read in the order in which they were kept
            store.bring_file(aside, pack)
        return True


def _emptied(body: Body) -> Body:
    """An exchange that was made, without what came; of a page, without where it was either."""
    if body.kind == Kind.FEED:
        return replace(body, content=None)
    return replace(body, url="", final_url=None, moved_to=None, redirects=(), headers=(), detail=None, sha256=None, content=None)


@dataclass(frozen=True, slots=True)
class _Traces:
    """What tells the bytes of something: its pages by entry, the visits that brought it, the words that stand in documents."""

    entries: frozenset[str]
    visits: frozenset[str]
    feeds: frozenset[str]
    whole_feeds: frozenset[str]
    addresses: AhoCorasick | None
    titles: AhoCorasick | None

    @staticmethod
    def of(con: duckdb.DuckDBPyConnection, going: Going) -> "_Traces":
        def ask(query: str) -> set[str]:
            lists = {"a": sorted(going.articles), "e": sorted(going.entries), "s": sorted(going.sources)}
            rows = con.execute(query, {name: ids for name, ids in lists.items() if f"${name}" in query}).fetchall()
            return {str(value) for row in rows for value in row if value}

        addresses = {_bare(address) for address in ask(_ADDRESSES)} - {""}
        titles = {words for title in ask(_TITLES) if (words := _words(title))}
        return _Traces(
            entries=going.entries,
            visits=frozenset(ask("SELECT visit_id FROM lake.entries WHERE entry_id IN $e")),
            feeds=frozenset(ask("SELECT feed_id FROM lake.entries WHERE entry_id IN $e")),
            whole_feeds=frozenset(ask("SELECT feed_id FROM lake.visits WHERE source IN $s OR feed_id IN $s")),
            addresses=AhoCorasick(sorted(addresses)) if addresses else None,
            titles=AhoCorasick([f" {title} " for title in sorted(titles)]) if titles else None,
        )

    def may_lead_to(self, pack: Path) -> bool:
        """Whether a pack is worth reading whole: it has documents of feeds, or pages of what goes."""
        table = pq.read_table(readable(pack), columns=["kind", "target"], partitioning=None)
        return Kind.FEED in table["kind"].to_pylist() or not self.entries.isdisjoint(table["target"].to_pylist())

    def lead_to(self, body: Body) -> bool:
        if body.kind == Kind.PAGE:
            return body.target in self.entries
        if body.owner in self.visits or body.target in self.whole_feeds:
            return True
        if not body.content:
            return False
        # JSON that was handed in may write its slashes as \/
        text = unescape(unescape(_decoded(body.content))).replace("\\/", "/")
        if self.addresses and self.addresses.find_matches_as_indexes(text):
            return True
        return bool(body.target in self.feeds and self.titles and self.titles.find_matches_as_indexes(f" {_words(text)} "))


_ADDRESSES = """
SELECT url, raw_url, key FROM lake.entries WHERE entry_id IN $e
UNION ALL SELECT url, canonical_url, NULL FROM lake.articles WHERE article_id IN $a
UNION ALL SELECT key, NULL, NULL FROM lake.article_keys WHERE article_id IN $a AND basis <> 'entry'
UNION ALL SELECT url, final_url, NULL FROM lake.pages WHERE entry_id IN $e
"""
_TITLES = """
SELECT title FROM lake.entries WHERE entry_id IN $e
UNION SELECT title FROM lake.articles WHERE article_id IN $a
UNION SELECT title FROM lake.outcomes WHERE entry_id IN $e
"""


def _bare(address: str) -> str:
    """An address as it stands in a document however its scheme is written; "" for a front page, to which everything links."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    if not parts.netloc or not (parts.path.strip("/") or parts.query):
        return ""
    return address.strip().partition("://")[2]


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace")


def _words(text: str) -> str:
    """Only the words, each with one space after it: markup, quotes and line breaks tell nothing."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", re.sub(r"<[^>]*>", " ", text)).casefold()))
