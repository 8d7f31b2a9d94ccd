"""What a takedown takes, and its tombstones: from their commit on no view shows it and no stage brings it back. I/O.

An article goes with every entry that led to it and every address it is known under; a source with all its articles and entries.
Addresses stand in tombstones as hashes. `pipeline.lake.erase` then takes the words out of the files.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import duckdb

from pipeline.errors import DayClosed, InputError
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake, batch_id_of
from pipeline.lake.lock import hold, nobody_commits
from pipeline.lake.store import store_of
from pipeline.lake.watermark import open_day
from schemas.columns import to_arrow
from schemas.ids import content_hash
from schemas.outcome import Forgotten, OutcomeCode

#: The key of an address, "" for what is none.
KeyOf = Callable[[str], str]

#: Rows of an entry stay, as ids, codes and times: what came in still adds up to what ended. These columns hold its words.
WORDLESS: dict[str, dict[str, Any]] = {
    "entries": dict.fromkeys(("url", "raw_url", "summary", "content_html", "published_raw"))
    | {"key": "", "title": "", "authors": ()},
    "outcomes": {"title": "", "url": None, "detail": None},
    "pages": dict.fromkeys(("host", "final_url", "body_sha256", "detail", "etag", "last_modified"))
    | {"url": "", "redirects": ()},
    "attempts": dict.fromkeys(("url", "final_key", "canonical_key", "article_id", "detail", "article"))
    | {"title": "", "link_key": "", "code": OutcomeCode.FORGOTTEN},
}


@dataclass(frozen=True, slots=True)
class Going:
    """What is to be taken down: ids of articles and entries, hashes of their addresses' keys, and the source where it is one.

    `places` are addresses that may be one for many articles; with one of the `words` (titles, texts; hashes too) they tell.
    """

    articles: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def tombstones(self, why: str) -> list[Forgotten]:
        kinds = {"article": self.articles, "entry": self.entries, "key": self.keys}
        kinds |= {"place": self.places, "words": self.words, "source": self.sources}
        return [Forgotten(what=what, id=id, why=why) for what, ids in kinds.items() for id in sorted(ids)]


def article_going(con: duckdb.DuckDBPyConnection, named: str, key_of: KeyOf) -> Going:
    """What goes with an article, named by its id, a version's or an entry's, or by an address; nothing where it went before.

    Raises:
        InputError: nothing is known under that name.
    """
    key = key_of(named)
    if key:
        articles = _ids(con, "SELECT article_id FROM lake.article_keys WHERE key IN $names", names=[key])
        entries = _entries_under(con, {key}, key_of)
        articles |= _ids(con, _ARTICLES_OF["e"], names=sorted(entries)) if not articles else set()
    else:
        articles = _ids(con, _ARTICLES_OF.get(named[:1], _ARTICLES_OF["a"]), names=[named])
        entries = _ids(con, "SELECT entry_id FROM lake.entries WHERE entry_id IN $names", names=[named])
    if articles or entries:
        return _with_all_of_it(con, articles, entries, key_of)
    if forgotten(con, [content_hash(key) if key else named]):
        return Going()
    raise InputError(
        f"the lake knows nothing under {named!r}; give the id of an article (a_…), a version (v_…) or an entry (e_…), or the "
        f'article\'s address: newsmill sql "select article_id, title, url from articles"'
    )


_ARTICLES_OF = {
    "a": """
        SELECT article_id FROM lake.articles WHERE article_id IN $names
        UNION SELECT article_id FROM lake.outcomes WHERE article_id IN $names""",
    "v": """
        SELECT article_id FROM lake.articles WHERE version_id IN $names
        UNION SELECT article_id FROM lake.outcomes WHERE version_id IN $names AND article_id IS NOT NULL""",
    "e": """
        SELECT article_id FROM lake.articles WHERE entry_id IN $names
        UNION SELECT article_id FROM lake.article_keys WHERE key IN $names
        UNION SELECT article_id FROM lake.outcomes WHERE entry_id IN $names AND article_id IS NOT NULL""",
}


def source_going(con: duckdb.DuckDBPyConnection, source: str, key_of: KeyOf) -> Going:
    """What goes with a source (or one feed of it): it, and all articles and entries that came from it."""
    of_it = "WHERE source IN $names OR feed_id IN $names"
    articles = _ids(con, f"SELECT article_id FROM lake.articles {of_it}", names=[source])
    entries = _ids(con, f"SELECT entry_id FROM lake.entries {of_it}", names=[source])
    return replace(_with_all_of_it(con, articles, entries, key_of), sources=frozenset([source]))


def sources_known(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of all feeds and sources that were ever visited."""
    return _ids(con, "SELECT feed_id FROM lake.visits UNION SELECT source FROM lake.visits")


def _with_all_of_it(con: duckdb.DuckDBPyConnection, articles: set[str], entries: set[str], key_of: KeyOf) -> Going:
    """The articles with all entries that led to them, all their addresses, and all entries with one of these."""
    known = sorted(articles)
    entries = entries | _ids(con, _ENTRIES_OF, names=known)
    own = _ids(con, _KEYS.format("basis = 'link'"), names=known)
    links = _ids(con, "SELECT url FROM lake.entries WHERE entry_id IN $names AND url IS NOT NULL", names=sorted(entries))
    linked = {key for link in links if (key := key_of(link))} - own
    keys = own | (linked - _led_elsewhere(con, linked, known))
    # where an article led, and what it names as canonical, may be one address for many: a consent page, a section
    places = _ids(con, _KEYS.format("basis IN ('final', 'canonical')"), names=known) - keys
    titles = _ids(con, _TITLES, names=known, entries=sorted(entries)) if places else set()
    texts = _ids(con, "SELECT text_hash FROM lake.articles WHERE article_id IN $names", names=known) if places else set()
    return Going(
        articles=frozenset(articles),
        entries=frozenset(entries | _entries_under(con, keys | places, key_of)),
        keys=frozenset(map(content_hash, keys)),
        places=frozenset(map(content_hash, places)),
        words=frozenset({*map(content_hash, titles - {""}), *(texts - {""})}),
    )


_ENTRIES_OF = """
SELECT entry_id FROM lake.articles WHERE article_id IN $names
UNION SELECT key FROM lake.article_keys WHERE article_id IN $names AND basis = 'entry'
UNION SELECT entry_id FROM lake.outcomes WHERE article_id IN $names
"""
_KEYS = "SELECT key FROM lake.article_keys WHERE article_id IN $names AND {}"
_TITLES = """
SELECT title FROM lake.articles WHERE article_id IN $names
UNION SELECT title FROM lake.entries WHERE entry_id IN $entries
"""


def _led_elsewhere(con: duckdb.DuckDBPyConnection, keys: set[str], articles: list[str]) -> set[str]:
    """Those of these keys that lead to an article which stays."""
    query = "SELECT key FROM lake.article_keys WHERE key IN $names AND article_id NOT IN $articles"
    return _ids(con, query, names=sorted(keys), articles=articles)


def _entries_under(con: duckdb.DuckDBPyConnection, keys: set[str], key_of: KeyOf) -> set[str]:
    """The entries whose link has one of these keys."""
    query = "SELECT DISTINCT entry_id, url FROM lake.entries WHERE regexp_matches(url, $at)"
    return {entry for entry, url in _ask(con, query, at=_at_hosts(keys)) if key_of(url) in keys} if keys else set()


def _at_hosts(keys: Iterable[str]) -> str:
    """A pattern in every address with one of these keys; a host that is not ASCII has another form in its key."""
    return "(?i)" + "|".join(["[^ -~]", *sorted({re.escape(urlsplit(key).netloc) for key in keys})])


def described(con: duckdb.DuckDBPyConnection, going: Going) -> list[dict[str, Any]]:
    """The articles of a takedown as people know them, and how many copies of each stay; none of what was taken down before."""
    query = """
        SELECT article_id, arg_max(title, seen_at) AS title, any_value(source) AS source, count(*) AS versions,
               min(seen_at) AS first_seen_at, (
                   SELECT count(DISTINCT r.article_id) FROM lake.relations r
                   WHERE r.other_article_id = a.article_id AND r.kind = 'duplicate_of' AND r.article_id NOT IN $names
                     AND r.article_id NOT IN (SELECT id FROM lake.forgotten)
               ) AS copies_that_stay
        FROM lake.articles a WHERE article_id IN $names AND article_id NOT IN (SELECT id FROM lake.forgotten)
        GROUP BY article_id ORDER BY first_seen_at, article_id
    """
    return con.sql(query, params={"names": sorted(going.articles)}).to_arrow_table().to_pylist()


def bury(lake: Lake, con: duckdb.DuckDBPyConnection, rows: list[Forgotten], now: datetime, timing: Timing) -> BatchRef | None:
    """Commits those tombstones that the lake does not have, while no stage commits; None where it has them all.

    Raises:
        LakeBusy: somebody else is taking something down.
    """
    have = forgotten(con, [row.id for row in rows])
    fresh = [row for row in rows if row.id not in have]
    counts = {f"{what} tombstones": n for what in ("article", "entry", "key") if (n := sum(row.what == what for row in fresh))}
    while fresh:
        ref = BatchRef(batch_id_of(now), "forget")
        parcel = Parcel(ref, {"forgotten": to_arrow(fresh, Forgotten)}, counts=counts, day=open_day(lake, now))
        with suppress(DayClosed), hold(lake, ref, "tombstones", last=True):
            if commit(lake, parcel, timing, lambda: nobody_commits(lake)):
                return ref
        now += timedelta(milliseconds=1)
    return None


def tombstones_placed(lake: Lake) -> list[str]:
    """The batches of open days that hold tombstones: what was decided before one more came is decided again."""
    return sorted(p.name for p in (lake.root / "hot").glob("date=*/*-forget") if store_of(p).is_placed(p))


def forgotten(con: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> dict[str, str]:
    """Which of these were taken down, and as what: ids of articles and entries, hashes, names of sources and feeds."""
    names = sorted(set(ids))
    return dict(_ask(con, "SELECT id, what FROM lake.forgotten WHERE id IN $names", names=names)) if names else {}


def _ids(con: duckdb.DuckDBPyConnection, query: str, **asked: list[str]) -> set[str]:
    return {row[0] for row in _ask(con, query, **asked)}


def _ask(con: duckdb.DuckDBPyConnection, query: str, **asked: list[str] | str) -> list[Any]:
    return con.execute(query, asked).fetchall()
