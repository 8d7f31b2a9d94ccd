"""What the stages do with what was taken down: it ends as forgotten, without its words, and its bytes are dropped. Reads only.

What decides is what makes an entry part of an article elsewhere: its id, its link's key; where its page led, and what that names
as canonical. An address that may be one for many articles (a consent page, a section) decides only with the same words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from pipeline.dedupe import url_key
from pipeline.lake.forget import WORDLESS, forgotten
from pipeline.lake.rows import Tables
from schemas import ids
from schemas.article import Attempt
from schemas.columns import col, from_arrow, to_arrow
from schemas.feed import Entry, Feed, Visit
from schemas.outcome import Forgotten
from schemas.web import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One entry in the document that a visit brought, by its id, or its link by its key's hash."""

    visit_id: str = col("the visit")
    mark: str = col("what a tombstone would name")


def carried(entries: Sequence[Entry]) -> list[Carried]:
    """What the documents of feeds carry, also what is no news: whether their bytes may be kept rests on all of it."""
    return [Carried(visit_id=e.visit_id, mark=mark) for e in entries for mark in (e.entry_id, *_hashes(url_key(e.url or "")))]


def silenced(con: duckdb.DuckDBPyConnection, feeds: Sequence[Feed]) -> set[str]:
    """Of these feeds those that were taken down, or whose source was."""
    gone = forgotten(con, [name for f in feeds for name in (f.feed_id, f.source)])
    return {f.feed_id for f in feeds if f.feed_id in gone or f.source in gone}


def gone_entries(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> set[str]:
    """Of these entries those that were taken down."""
    marks = {e.entry_id: {e.entry_id, e.feed_id, e.source, *_hashes(url_key(e.url or ""))} for e in entries}
    gone = forgotten(con, set().union(*marks.values()))
    return {entry for entry, its in marks.items() if not its.isdisjoint(gone)}


def wordless_entry(entry: Entry) -> Entry:
    """The entry as its id, wording and time: enough to know it again."""
    return replace(entry, **WORDLESS["entries"])


def gone_attempts(con: duckdb.DuckDBPyConnection, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Of these attempts those at something that was taken down; what led there takes along what has the same link."""
    gone = forgotten(con, {mark for a in attempts for mark in (*_own(a), *_led(a), *_words(a))})
    there = {a.link_key for a in attempts if _led_there(a, gone)}
    return [a for a in attempts if a.link_key in there or not gone.keys().isdisjoint(_own(a))]


def _led_there(a: Attempt, gone: dict[str, str]) -> bool:
    led = {gone[mark] for mark in _led(a) if mark in gone}
    return "key" in led or ("place" in led and any(gone.get(mark) == "words" for mark in _words(a)))


def without_words(attempts: Sequence[Attempt], gone: Sequence[Attempt]) -> list[Attempt]:
    """The attempts in their order, those that are gone as no more than how they end."""
    ends = set(map(id, gone))
    return [replace(a, **WORDLESS["attempts"]) if id(a) in ends else a for a in attempts]


def wordless_pages(pages: Sequence[Page], gone: Sequence[Attempt]) -> list[Page]:
    """The fetches, without where and what of those that brought what is gone."""
    shown = {a.shown_by for a in gone}
    return [replace(p, **WORDLESS["pages"]) if p.page_id in shown else p for p in pages]


def tombstones(con: duckdb.DuckDBPyConnection, gone: Sequence[Attempt]) -> pa.Table:
    """For entries the lake knew nothing of: they are taken down too, with their link where only that led there."""
    known = forgotten(con, [mark for a in gone for mark in _own(a)])
    strange = [a for a in gone if known.keys().isdisjoint(_own(a)) and a.link_key != a.entry_id]
    marks = {a.entry_id: "entry" for a in gone} | {mark: "key" for a in strange for mark in _hashes(a.link_key)}
    why = "leads to what was taken down"
    return to_arrow([Forgotten(what=what, id=id, why=why) for id, what in marks.items() if id not in known], Forgotten)


def gone_documents(con: duckdb.DuckDBPyConnection, merged: Tables) -> set[str]:
    """The visits of a batch whose document carried something that was taken down."""
    visits = from_arrow(merged["visits"], Visit)
    rows = from_arrow(merged["carried"], Carried) if "carried" in merged else []
    marks = [*((v.visit_id, name) for v in visits for name in (v.feed_id, v.source)), *((c.visit_id, c.mark) for c in rows)]
    gone = forgotten(con, [mark for _, mark in marks])
    return {visit for visit, mark in marks if mark in gone}


def gone_pages(con: duckdb.DuckDBPyConnection, merged: Tables) -> set[str]:
    """The fetches of a batch that brought something which was taken down."""
    return {a.shown_by for a in gone_attempts(con, from_arrow(merged["attempts"], Attempt)) if a.shown_by}


def _own(a: Attempt) -> list[str]:
    return [a.entry_id, a.feed_id, a.source, *_hashes(a.link_key)]


def _led(a: Attempt) -> list[str]:
    return _hashes(a.final_key, a.canonical_key)


def _words(a: Attempt) -> list[str]:
    return [*_hashes(a.title, a.article.title), a.article.text_hash] if a.article else _hashes(a.title)


def _hashes(*texts: str | None) -> list[str]:
    return [ids.content_hash(text) for text in texts if text]
