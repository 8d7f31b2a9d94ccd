"""Checks a lake and names what is wrong in it, where, and the remedy. Only reads, also while others write."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import duckdb

from pipeline.lake.layout import Lake
from pipeline.lake.retire import Rules
from pipeline.lake.verify.cold import check_cold, check_copies, check_schema_files
from pipeline.lake.verify.finding import Finding, Severity, Watch, print_findings
from pipeline.lake.verify.hot import Sources, check_hot
from pipeline.lake.verify.marks import read_marks
from pipeline.lake.verify.raw import check_raw
from pipeline.lake.verify.rows import check_rows
from pipeline.lake.verify.unfinished import check_unfinished

__all__ = ["Finding", "Severity", "print_findings", "verify"]

_MARKS = ("watermark.json", "deleted.parquet", "erased.json")
#: A lake that moves on while it is looked at can look damaged; so often it is looked at anew.
ATTEMPTS = 3


def verify(lake: Lake, now: datetime, rules: Rules, watch: Watch = lambda *_: None, *, raw: bool = False) -> list[Finding]:
    """Everything that is wrong, errors first; `raw` also reads all raw bytes, which takes longest.

    Raises:
        LakeError: there is no lake, or newer code wrote it.
    """
    lake = Lake(lake.root.resolve())
    for attempt in range(1, ATTEMPTS + 1):
        before = _moment(lake)
        try:
            found = list(_all(lake, now, rules, watch, raw=raw))
        except (FileNotFoundError, duckdb.IOException):
            if attempt == ATTEMPTS or _moment(lake) == before:
                raise
            continue
        if not found or _moment(lake) == before:
            break
    return sorted(_being_erased(lake, found), key=lambda f: f.severity != Severity.ERROR)


def _all(lake: Lake, now: datetime, rules: Rules, watch: Watch, *, raw: bool) -> Iterator[Finding]:
    marks, found = read_marks(lake)
    yield from found
    yield from check_schema_files(lake)
    sources = Sources()
    yield from check_hot(lake, marks, sources, watch)
    yield from check_cold(lake, marks, sources, watch)
    yield from check_copies(lake, sources)
    yield from check_rows(lake, marks, sources, now, watch)
    yield from check_unfinished(lake, marks, now, rules)
    if raw:
        yield from check_raw(lake, marks, sources, rules, now, watch)


def _moment(lake: Lake) -> tuple[object, ...]:
    """What changes when a batch is committed, a day closes, something that was moved is deleted, or something is taken down."""
    marks = [path.stat().st_mtime_ns for name in _MARKS if (path := lake.root / name).exists()]
    places = sorted(str(path) for pattern in ("hot/*/*", "closed/*", "staging/*") for path in lake.root.glob(pattern))
    return (*marks, *places)


def _being_erased(lake: Lake, found: list[Finding]) -> list[Finding]:
    """A takedown that was broken off leaves files which their records do not fit yet; going on with it is their remedy."""
    try:
        files = set(json.loads((lake.root / "erased.json").read_text())["rewriting"])
    except (OSError, ValueError, KeyError, TypeError):
        return found
    remedy = "`newsmill lake close` ends the takedown that was broken off here"
    return [replace(f, remedy=remedy) if f.kind in ("damaged", "rows") and f.place in files else f for f in found]
