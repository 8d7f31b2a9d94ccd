"""What a batch's kept bytes come to with the code of today: the steps of the stages, without their requests. Reads only.

What happened (visits, fetches, when attempts ended) stays as the old lake tells it; so do the rows about what was taken down, and
of documents that were dropped for it: no bytes tell of them any more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import LossError
from pipeline.feeds import load_catalogue
from pipeline.isolate import Workers
from pipeline.lake.forget import forgotten
from pipeline.lake.layout import Lake
from pipeline.lake.origin import Origin, Part
from pipeline.lake.staging import kept, kept_owners
from pipeline.lake.work import DueEntry, entries_by_id, last_visits, untagged
from pipeline.parse import parse_document, parse_feed
from pipeline.run import pull, read, tag
from pipeline.run.account import attempt_key, balance
from pipeline.run.context import Decided
from pipeline.run.hosts import TABLES_OF_HOSTS
from pipeline.settings import Settings
from pipeline.tag import Tagger
from schemas.article import Relation
from schemas.columns import from_arrow, to_arrow
from schemas.feed import Entry, Feed, Visit, VisitCode
from schemas.outcome import CameIn, Outcome
from schemas.web import Body, FetchCode, Page

#: What happened at a visit, whatever is made of its document.
_HAPPENED = (
    "source", "url", "final_url", "redirects", "visited_at", "status", "body_bytes", "failures", "retry_after_s", "next_due_at",
    "due_rule", "failure_grade", "failing_since", "rhythm_s", "pace", "span_s", "wish_s", "verified_at",
    "trusted_since", "moved_to", "moved_since", "moved_visits",
)  # fmt: skip


class BytesLost(LossError):
    """Bytes that belong to a batch are not there any more."""


@dataclass
class Rederiving:
    """One lake being made from another: the two, what all batches share, and what was met on the way."""

    settings: Settings
    origin: Origin
    lake: Lake
    workers: Workers
    news_at: dict[str, datetime]  # by the batch that read them: when its articles were first available
    orphans: int = 0  # attempts at entries that there are not any more
    _left: set[str] = field(default_factory=set)

    @cached_property
    def tagger(self) -> Tagger:
        return Tagger.load()

    @cached_property
    def feeds(self) -> dict[str, Feed]:
        catalogue = self.settings.catalogue
        return {f.feed_id: f for f in load_catalogue(catalogue)} if catalogue.exists() else {}

    def part(self, con: duckdb.DuckDBPyConnection, part: Part) -> Decided:
        """What a part adds to the new lake, which `con` reads; accounted for like any batch.

        Raises:
            BytesLost: bytes it rests on are not there.
            LossError: what came in does not equal what goes out.
        """
        step = {"push": self._pull, "pull": self._pull, "read": self._read, "tag": self._tag}[part.ref.stage]
        came_in, decided = step(con, part)
        of_stage = {"push": pull, "pull": pull, "read": read, "tag": tag}[part.ref.stage]
        before = decided.taken_down | of_stage.settled_before(con, part.ref, [one.id for one in came_in])
        tables = decided.tables | {name: self.origin.rows(name, part) for name in TABLES_OF_HOSTS}
        return replace(decided, tables=tables, counts={**balance(part.ref, came_in, decided.tables, before), **decided.counts})

    def _pull(self, con: duckdb.DuckDBPyConnection, part: Part) -> tuple[list[CameIn], Decided]:
        old = {v.visit_id: v for v in from_arrow(self.origin.rows("visits", part), Visit)}
        self._refuse_lost(part, old.keys())
        dropped: set[str] = set()
        bodies = _not_dropped(self._kept(part, old.keys()), old, dropped)
        parse = parse_document if part.ref.stage == "push" else parse_feed
        found = pull.results(con, bodies, self._feeds(part, old.values()), last_visits(con), self.workers, _silent, parse)
        decided = pull.decide(con, found)
        tables = dict(decided.tables)
        as_it_happened = [replace(v, **_happened(old[v.visit_id])) for v in from_arrow(tables["visits"], Visit)]
        tables["visits"] = to_arrow([*as_it_happened, *(old[v] for v in sorted(dropped))], Visit)
        gone = forgotten(con, tables["entries"]["entry_id"].to_pylist()).keys()
        again = set(_pairs(tables["entries"], "entry_id", "visit_id"))
        had, told = self.origin.rows("entries", part), self.origin.rows("outcomes", part)
        shown = _pairs(had, "entry_id", "visit_id")
        stays = [visit in dropped or (entry in gone and (entry, visit) in again) for entry, visit in shown]
        kept_entries = had.filter(pa.array(stays, pa.bool_()))
        stay = kept_entries["entry_id"].to_pylist()
        for table, rows in {"entries": kept_entries, "outcomes": told.filter(_among(told, "entry_id", stay))}.items():
            rest = tables[table].filter(pc.invert(_among(tables[table], "entry_id", stay)))
            tables[table] = pa.concat_tables([rest, rows.cast(rest.schema)])
        return [CameIn(id=v.visit_id, name=v.feed_id) for v in old.values()], replace(decided, tables=tables)

    def _feeds(self, part: Part, visits: Iterable[Visit]) -> dict[str, Feed]:
        """The feeds as the catalogue has them, or as they were; their publisher's name is that of the time."""
        spoken = dict(_pairs(self.origin.rows("entries", part), "feed_id", "language"))
        return {
            v.feed_id: replace(
                self.feeds.get(v.feed_id) or Feed(feed_id=v.feed_id, url=v.url, source=v.source, language=spoken.get(v.feed_id)),
                url=v.url,
                source=v.source,
            )
            for v in visits
        }

    def _read(self, con: duckdb.DuckDBPyConnection, part: Part) -> tuple[list[CameIn], Decided]:
        told, fetched = self.origin.rows("outcomes", part), self.origin.rows("pages", part)
        pages = {p.page_id: (p.entry_id, p.revision, p.attempt) for p in from_arrow(fetched, Page)}
        self._refuse_lost(part, pages.keys())
        ended = {(o.entry_id, o.revision, o.attempt): o.ended_at for o in from_arrow(told, Outcome)}
        gone = forgotten(con, {entry for entry, _, _ in (*ended, *pages.values())}).keys()
        entries = self._entries(con, part, sorted({(e, r) for e, r, _ in (*ended, *pages.values()) if e not in gone}))
        lost = {key for key in (*ended, *pages.values()) if key[:2] not in entries and key[0] not in gone}
        self.orphans += len(lost)
        asked = {key for key in pages.values() if key[:2] in entries}
        due = {DueEntry(entries[k[:2]], k[2]): at for k, at in ended.items() if k[:2] in entries and k not in asked}
        in_feed = [d for d in due if read.is_carried(d.entry)]
        settled = read.unasked(con, [d for d in due if not read.is_carried(d.entry)], due.__getitem__)
        answers = (
            replace(body, revision=entries[body.target, body.revision or ""].revision)
            for body in self._kept(part, pages.keys())
            if (body.target, body.revision or "") in entries
        )
        now = {(e.entry_id, e.revision): e for e in entries.values()}
        found = read.results(read.Reads(settled, in_feed, answers, now), self.workers, _silent, due.__getitem__)
        decided = read.decide(con, found, self._relations(con, part))
        ids = {(e, entries[e, r].revision, n) for e, r, n in (*ended, *pages.values()) if (e, r) in entries}
        tables = dict(decided.tables)
        old_pages = fetched.filter(_among(fetched, "page_id", [p for p, key in pages.items() if key[0] in gone]))
        tables["pages"] = pa.concat_tables([tables["pages"], old_pages.cast(tables["pages"].schema)])
        old_ends = told.filter(_among(told, "entry_id", sorted(gone)))
        ids |= set(zip(*(old_ends[name].to_pylist() for name in ("entry_id", "revision", "attempt")), strict=True))
        tables["outcomes"] = pa.concat_tables([tables["outcomes"], old_ends.cast(tables["outcomes"].schema)])
        tables["superseded"] = self._with_superseded(con, part, tables["superseded"])
        return [CameIn(id=attempt_key(*key), name=f"{key[0]}") for key in sorted(ids)], replace(decided, tables=tables)

    def _entries(self, con: duckdb.DuckDBPyConnection, part: Part, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        """The entries of these old (entry_id, revision) in the new lake.

        Their revision is another one where another wording is read out of the document of the same visit.
        """
        found = entries_by_id(con, keys)
        missing = [key for key in keys if key not in found]
        shown = self._shown_by(part, missing) if missing else {}
        if shown:
            rows = con.sql(
                "SELECT * FROM lake.entries WHERE entry_id IN $entries AND visit_id IN $visits",
                params={"entries": [e for e, _ in shown], "visits": sorted(set(shown.values()))},
            ).to_arrow_table()
            now = {(e.entry_id, e.visit_id): e for e in from_arrow(rows, Entry)}
            found |= {key: now[key[0], visit] for key, visit in shown.items() if (key[0], visit) in now}
        return found

    def _shown_by(self, part: Part, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The visits that showed these revisions in the old lake; mostly the days just before know them."""
        found: dict[tuple[str, str], str] = {}
        for first in (part.day - timedelta(days=2), date.min):
            asked = sorted({entry for entry, revision in keys if (entry, revision) not in found})
            query = "SELECT entry_id, revision, visit_id FROM lake.entries WHERE date >= $first AND entry_id IN $asked"
            rows = self.origin.ask(query, asked=asked, first=first) if asked else []
            found |= {(r["entry_id"], r["revision"]): r["visit_id"] for r in rows}
        return {key: found[key] for key in keys if key in found}

    def _relations(self, con: duckdb.DuckDBPyConnection, part: Part) -> dict[str, Relation]:
        """The relations of a part to what was taken down since."""
        related = from_arrow(self.origin.rows("relations", part), Relation)
        gone = forgotten(con, {r.other_article_id for r in related})
        return {r.version_id: r for r in related if r.other_article_id in gone}

    def _with_superseded(self, con: duckdb.DuckDBPyConnection, part: Part, rows: pa.Table) -> pa.Table:
        """With those rows that name versions which were taken down."""
        had = self.origin.rows("superseded", part)
        if not had.num_rows or not _any_tombstone(con):
            return rows
        there = self.origin.rows("articles", part)["version_id"].to_pylist()
        return pa.concat_tables([rows, had.filter(pc.invert(_among(had, "replaced_by", there))).cast(rows.schema)])

    def _tag(self, con: duckdb.DuckDBPyConnection, part: Part) -> tuple[list[CameIn], Decided]:
        mine = set(self.origin.rows("taggings", part)["version_id"].to_pylist())
        waiting = untagged(con)
        others = [u.article.version_id for u in waiting if u.article.version_id not in mine | self._left]
        if others:  # what the old lake has is tagged by the batch that did it there, or by none
            query = "SELECT version_id FROM lake.articles WHERE version_id IN $asked"
            self._left |= {row["version_id"] for row in self.origin.ask(query, asked=others)}
        todo = [u for u in waiting if u.article.version_id in mine or u.article.version_id not in self._left]
        found = tag.results(
            [replace(u, news_at=self.news_at.get(u.batch_id, u.news_at)) for u in todo], _silent, lambda: self.tagger
        )
        decided = tag.decide(con, found)
        tables = decided.tables | {"companies": self._with_companies(con, part, decided.tables["companies"])}
        came_in = [CameIn(id=u.article.version_id, name=u.article.version_id) for u in todo]
        return came_in, replace(decided, tables=tables)

    def _with_companies(self, con: duckdb.DuckDBPyConnection, part: Part, rows: pa.Table) -> pa.Table:
        """With the companies that were first named in what was taken down."""
        had = self.origin.rows("companies", part)
        if not had.num_rows or not _any_tombstone(con):
            return rows
        named = [*self.origin.rows("mentions", part)["company_id"].to_pylist(), *rows["company_id"].to_pylist()]
        return pa.concat_tables([rows, had.filter(pc.invert(_among(had, "company_id", named))).cast(rows.schema)])

    def _refuse_lost(self, part: Part, owners: Iterable[str]) -> None:
        lost = set(owners) - kept_owners(self.lake, part.ref)
        if lost:
            raise BytesLost(f"{part.ref.name}: the bytes of {len(lost)} answers are not in {self.origin.lake.raw(part.ref)}")

    def _kept(self, part: Part, owners: Iterable[str]) -> Iterator[Body]:
        mine = set(owners)
        return (body for body in kept(self.lake, part.ref, lambda _url: True) if body.owner in mine)


def _not_dropped(bodies: Iterator[Body], old: dict[str, Visit], dropped: set[str]) -> Iterator[Body]:
    """Those of which the document is there, or never was; the visits of the others are noted in `dropped`."""
    for body in bodies:
        had = body.code == FetchCode.OK and body.sha256 is not None and old[body.owner].outcome != VisitCode.UNCHANGED
        if had and body.content is None:
            dropped.add(body.owner)
        else:
            yield body


def _happened(visit: Visit) -> dict[str, Any]:
    return {name: getattr(visit, name) for name in _HAPPENED}


def _among(rows: pa.Table, column: str, ids: Iterable[str]) -> pa.ChunkedArray:
    return pc.is_in(rows[column], value_set=pa.array(list(ids), pa.string()))


def _pairs(rows: pa.Table, one: str, other: str) -> Iterator[tuple[Any, Any]]:
    return zip(rows[one].to_pylist(), rows[other].to_pylist(), strict=True)


def _any_tombstone(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(con.sql("SELECT 1 FROM lake.forgotten LIMIT 1").fetchall())


def _silent(_line: str) -> None:
    """A replay says how far it is, not what each page came to: the outcomes do."""
