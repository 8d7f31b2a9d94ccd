"""Compares two lakes in SQL, in bounded memory: what does not fit is spilled to a temporary directory. Only reads both."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Any

import duckdb

from pipeline.errors import InputError, LakeError
from pipeline.lake.definitions import definitions, make
from pipeline.lake.layout import Lake
from pipeline.lake.store import only_in_directory

MEMORY = "2GB"
SIDES = ("old", "new")
#: Words shown around a change, the words of one change that are shown, and how many changes of one text.
AROUND, MOST_WORDS, MOST_CHANGES = 3, 12, 5


@dataclass(frozen=True, slots=True)
class Example:
    """One difference; of a text or of promotion, `changes` are pieces with the words removed and added: "… [-old-] {+new+} …"."""

    article_id: str | None
    title: str | None
    about: str | None
    old: str | None
    new: str | None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of difference: how many there are, and of how many things."""

    what: str
    change: str
    count: int
    of: int
    examples: tuple[Example, ...] = ()

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Diff:
    """Two lakes over some days: all kinds of differences that occur, and of how many things of each kind there could be any."""

    since: date
    until: date
    kinds: tuple[Kind, ...]
    bases: dict[str, int]


@contextmanager
def compared(old: Lake, new: Lake, since: date | None = None, until: date | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the table `differences`; by default over the days that both lakes have.

    Raises:
        LakeError: one is no lake, lacks files of its own, or newer code wrote it.
        InputError: no day is in both.
    """
    with (
        tempfile.TemporaryDirectory(prefix="newsmill-") as scratch,
        duckdb.connect(config={"autoinstall_known_extensions": False, "memory_limit": MEMORY, "temp_directory": scratch}) as con,
    ):
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false")
        for side, lake in zip(SIDES, (old, new), strict=True):
            _attach(con, side, lake)
        con.execute("USE memory")
        first, last = _days(con, since, until)
        con.execute(
            "CREATE TEMP TABLE days AS SELECT $first::DATE AS since, $last::DATE AS until", {"first": first, "last": last}
        )
        for side in SIDES:
            con.execute(_sql("side", side=side, since=f"DATE '{first}'", until=f"DATE '{last}'"))
        words = {f"word_of_{side}": f"['negative', 'neutral', 'positive'][{side}_sign + 2]" for side in SIDES}
        con.execute(_sql("differences", **words))
        yield con


def _attach(con: duckdb.DuckDBPyConnection, side: str, lake: Lake) -> None:
    lake = Lake(lake.root.resolve())
    only_in_directory(lake.root, "`newsmill lake diff`", "name two directories, or ask each with `newsmill sql`")
    lake.check()
    con.execute(f"ATTACH ':memory:' AS {side}; USE {side}")
    try:
        make(con, definitions(lake))
    except duckdb.IOException as error:
        raise LakeError(f"the lake at {lake.root} lacks files of its own ({error}); any `newsmill run` puts them back") from error


def _days(con: duckdb.DuckDBPyConnection, since: date | None, until: date | None) -> tuple[date, date]:
    spans = [con.sql(f"SELECT min(date), max(date) FROM {side}.lake.visits").fetchall()[0] for side in SIDES]
    if any(first is None for first, _ in spans):
        raise InputError(f"the {SIDES[[f for f, _ in spans].index(None)]} lake has no visits yet, so there is nothing to compare")
    first = since or max(first for first, _ in spans)
    last = until or min(last for _, last in spans)
    if first > last:
        told = ", ".join(f"the {side} has {a} to {b}" for side, (a, b) in zip(SIDES, spans, strict=True))
        raise InputError(f"no day from {first} to {last} to compare: {told}")
    return first, last


def _sql(name: str, **values: str) -> str:
    text = files("pipeline.lake.diff").joinpath(f"{name}.sql").read_text()
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def differences(con: duckdb.DuckDBPyConnection, examples: int = 3) -> Diff:
    """The kinds of differences, each with some examples, the same ones whenever it is asked."""
    ((since, until),) = con.sql("FROM days").fetchall()
    bases = dict(con.sql("FROM bases").fetchall())
    counts = con.sql("SELECT what, change, sum(n)::BIGINT FROM differences GROUP BY ALL").fetchall()
    order = list(bases)
    kinds = [
        Kind(what, change, n, bases[what], tuple(_examples(con, what, change, examples)))
        for what, change, n in sorted(counts, key=lambda row: (order.index(row[0]), row[1]))
    ]
    return Diff(since, until, tuple(kinds), bases)


def _examples(con: duckdb.DuckDBPyConnection, what: str, change: str, most: int) -> Iterator[Example]:
    rows = con.execute(
        "SELECT article_id, title, about, old, new FROM differences WHERE what = $what AND change = $change "
        "ORDER BY n DESC, title, article_id, about, old, new LIMIT $most",
        {"what": what, "change": change, "most": most},
    ).fetchall()
    for row in rows:
        changes = _words_changed(*_contents(con, what, row[0])) if what in _CONTENT else ()
        yield replace(Example(*row), changes=tuple(changes))


_CONTENT = {"text": "text", "promotion": "array_to_string(list_transform(promo, lambda p: p.kind || ': ' || p.text), chr(10))"}


def _contents(con: duckdb.DuckDBPyConnection, what: str, article: str) -> list[str]:
    """The text, or the promotion taken out, of an article in either lake."""
    found: list[Any] = []
    for side in SIDES:
        query = f"SELECT {_CONTENT[what]} FROM {side}.lake.articles SEMI JOIN (FROM {side}_articles WHERE article_id = $id)"
        found += con.execute(f"{query} USING (version_id)", {"id": article}).fetchall()[0]
    return found


def _words_changed(old: str, new: str) -> Iterator[str]:
    """What was removed and added, each with some words around it."""
    before, after = old.split(), new.split()
    steps = [s for s in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if s[0] != "equal"]
    for _, a, b, c, d in steps[:MOST_CHANGES]:
        removed = f"[-{_cut(before[a:b])}-]" if b > a else ""
        added = f"{{+{_cut(after[c:d])}+}}" if d > c else ""
        yield " ".join(filter(None, ("…", *before[max(0, a - AROUND) : a], removed, added, *before[b : b + AROUND], "…")))
    if len(steps) > MOST_CHANGES:
        yield f"… and {len(steps) - MOST_CHANGES} more places"
    if not steps:
        yield "only white space differs"


def _cut(words: list[str]) -> str:
    return " ".join(words) if len(words) <= MOST_WORDS else " ".join([*words[: MOST_WORDS - 2], "…", words[-1]])
