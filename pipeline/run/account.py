"""The account of a batch: what came in, each thing by its id, against the rows in which it ends. Pure.

It compares what the shards noted before they began with the very tables that are to be committed, so that a row lost or
doubled anywhere between the two is noticed before the commit.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from typing import Any

import pyarrow as pa

from pipeline.errors import LossError
from pipeline.lake.layout import BatchRef
from pipeline.lake.rows import Tables
from schemas.feed import VisitCode
from schemas.outcome import CameIn, OutcomeCode

#: Ended by another batch, or another attempt at this one, between the look at what is due and the commit.
SETTLED_BEFORE = "settled before"
SHARDS_MISSING = "shards missing"
_ENDS = frozenset({*map(str, VisitCode), *map(str, OutcomeCode), "tagged", "failed", SETTLED_BEFORE})
#: What becomes of the entries in a feed's document: the column of the visit, and the word for it.
_OF_ENTRIES = {
    "entries_new": "entries new",
    "entries_known": "entries known",
    "entries_repeated": "entries repeated",
    "entries_dropped": "entries over the cap",
    "entries_endless": "entries changing without end",
    "entries_absorbed": "entries absorbed",
}


def attempt_key(entry_id: str, revision: str, attempt: int) -> str:
    """The id under which one attempt at one revision of an entry is accounted for."""
    return f"{entry_id} {revision} {attempt}"


def balance(batch: BatchRef, came_in: list[CameIn], tables: Tables, before: Set[str]) -> dict[str, int]:
    """How many things came in and how they end: each in one row of `tables`, or `before` in the lake.

    Raises:
        LossError: one has no end or two, or something ends that did not come in; or a visit's entries do not add up.
    """
    names = {one.id: one.name for one in came_in}
    ends = _ends(batch.stage, tables)
    times = Counter([one for one, _ in ends] + sorted(before))
    _none(batch, "came in and do not end", [name for one, name in names.items() if one not in times], len(names))
    _none(batch, "end more than once", [names.get(one, one) for one, n in times.items() if n > 1], len(names))
    _none(batch, "end and had not come in", [one for one in times if one not in names], len(times))
    codes = _ordered(Counter(code for _, code in ends))
    entries = _entries(batch, tables) if batch.stage in ("push", "pull") else {}
    return {"came_in": len(names), **codes, SETTLED_BEFORE: len(before), **entries, "missing": 0}


def in_words(counts: Mapping[str, Any]) -> str:
    """A batch's account as people read it: '12 came in = 11 article + 1 gone; 0 missing; 3 due again'."""
    said = [_sum(f"{counts['came_in']} came in", _ordered({code: n for code, n in counts.items() if code in _ENDS}))]
    if seen := counts.get("entries seen"):
        ends = {word.removeprefix("entries "): counts[word] for word in _OF_ENTRIES.values()}
        said.append(_sum(f"{seen} entries seen", ends))
    said.append(f"{counts['missing']} missing")
    told = {"batch_id", "came_in", "missing", "entries seen", SHARDS_MISSING, *_ENDS, *_OF_ENTRIES.values()}
    others = _ordered({what: n for what, n in counts.items() if what not in told})
    aside = ", ".join(f"{n} {what}" for what, n in others.items() if n)
    return "; ".join([*said, aside] if aside else said)


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """The most first, also of counts that come from Airflow's database, which keeps no order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _sum(total: str, ends: Mapping[str, int]) -> str:
    return " = ".join(filter(None, (total, " + ".join(f"{n} {code}" for code, n in ends.items() if n))))


def _ends(stage: str, tables: Tables) -> list[tuple[str, str]]:
    """The rows in which things end, as the id of the thing and how it ended."""
    match stage:
        case "push" | "pull":
            return [(visit, code) for visit, code in _rows(tables["visits"], "visit_id", "outcome")]
        case "read":
            rows = _rows(tables["outcomes"], "entry_id", "revision", "attempt", "code")
            return [(attempt_key(entry, revision, attempt), code) for entry, revision, attempt, code in rows]
        case _:
            rows = _rows(tables["taggings"], "version_id", "problem")
            return [(version, "failed" if problem else "tagged") for version, problem in rows]


def _rows(table: pa.Table, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[column].to_pylist() for column in columns), strict=True)


def _entries(batch: BatchRef, tables: Tables) -> dict[str, int]:
    """What became of the entries in the documents of all visits; each visit's own numbers must add up."""
    visits, rows = tables["visits"].to_pylist(), Counter(tables["entries"]["visit_id"].to_pylist())
    wrong = []
    for v in visits:
        seen, noted, new = v["entries_seen"], v["entries_new"], rows[v["visit_id"]]
        accounted = sum(v[column] for column in _OF_ENTRIES) - noted + new
        if (seen, noted) != (accounted, new):
            wrong.append(f"{v['feed_id']} ({seen} seen, {accounted} accounted for; {noted} noted as new, {new} there)")
    _none(batch, "have entries that do not add up", wrong, len(visits))
    sums = {word: sum(v[column] for v in visits) for column, word in _OF_ENTRIES.items()}
    return {"entries seen": sum(v["entries_seen"] for v in visits), **sums}


def _none(batch: BatchRef, what: str, found: list[str], of: int) -> None:
    if found:
        names = ", ".join([*found[:5], "…"] if len(found) > 5 else found)
        raise LossError(
            f"batch {batch.name}: {len(found)} of {of} {what}: {names}; nothing is committed. this is a bug of newsmill, please "
            f"report it with this message; to have the batch done again from the bytes it kept, delete what is in "
            f"staging/{batch.name} of the lake, but not that directory, and clear the run in airflow, or say `newsmill run`"
        )
