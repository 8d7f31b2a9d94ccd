"""What happened to a lake, as reads and acknowledgements, and what in it must never have happened. Pure.

A unit is what one batch carries: some rows in each table of its stage. A history is read by two clocks: the true one orders
reads and acknowledgements, the reader's own one is what `as_of` and `available_at` are held against. With `own` for the moment
a read began by the reader's clock, and `available` for the `available_at` that a unit's rows carry in the end, once corrected:

lost     a unit was acknowledged, or seen by a read that had ended, before a read began which lacks a row of it (one whose writer
         had no lock of the system may be seen by an outdated view and vanish until it is acknowledged)
doubled  a read shows a row twice
partial  a read shows some rows of a unit in a table and not others, or shows it in one table and not in one asked later
early    a plain read with own >= available lacks the unit (so its rows claim a time at which they could not be read), or
         as_of(T) with T <= own shows other units than those with available <= T (so two reads of one past would differ)
error    a read ended in any error but that its view is outdated

A read that took longer than the grace period is promised nothing, and is counted apart.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

#: The rows a unit of a stage has in each table; `feeds` is a view over closed and open days alike.
ROWS = {
    "pull": {"visits": 1, "feeds": 1, "entries": 3, "outcomes": 3},
    "tag": {"taggings": 1, "mentions": 3},
}
STAGE_OF = {table: stage for stage, tables in ROWS.items() for table in tables}
LOST, DOUBLED, PARTIAL, EARLY, ERROR = KINDS = ("lost", "doubled", "partial", "early", "error")


@dataclass(frozen=True, slots=True)
class Seen:
    """One table in one read: bit n of `whole` where unit n is there, all rows once; (rows, distinct rows) of the others."""

    table: str
    whole: int
    odd: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """One read: when by the true clock, how far ahead the reader's is, the moment asked as of, and the tables in their order."""

    reader: str
    began: float
    ended: float
    skew: float = 0.0
    as_of: float | None = None
    seen: tuple[Seen, ...] = ()
    error: str | None = None
    outdated: bool = False

    @property
    def own(self) -> float:
        return self.began + self.skew


@dataclass(frozen=True, slots=True)
class History:
    """Everything a checker needs: units are numbers, times are seconds of the true clock."""

    stage_of: dict[int, str]
    acknowledged: dict[int, float]
    available: dict[int, float]
    reads: list[Read]
    grace: float
    unlocked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Violation:
    """What must not have happened, to which unit, and the read that shows it."""

    kind: str
    unit: int | None
    what: str
    read: Read


def seen_of(table: str, counts: Iterable[tuple[int, int, int]]) -> Seen:
    """A table as read: of each unit its number, rows and distinct rows."""
    whole, odd = 0, {}
    wanted = ROWS[STAGE_OF[table]][table]
    for unit, rows, distinct in counts:
        if rows == distinct == wanted:
            whole |= 1 << unit
        else:
            odd[unit] = (rows, distinct)
    return Seen(table, whole, odd)


def check(history: History) -> list[Violation]:
    """Everything in a history that must not have happened."""
    members = {stage: _bits(u for u, s in history.stage_of.items() if s == stage) for stage in ROWS}
    acknowledged, available = _Known(history.acknowledged), _Known(history.available)
    witnessed, unlocked = _witnessed(history.reads), _bits(history.unlocked)
    found: list[Violation] = []
    for read in history.reads:
        if is_overlong(read, history.grace) or read.outdated:
            continue
        if read.error is not None:
            found.append(Violation(ERROR, None, read.error, read))
        found += _within(read)
        for seen in read.seen:
            own = members[STAGE_OF[seen.table]]
            whole = seen.whole | _bits(seen.odd)
            told = _teller(read, seen)
            if read.as_of is None:
                found += told(LOST, acknowledged.before(read.began) & own & ~whole, "was acknowledged before and is not in")
                vanished = witnessed[seen.table].before(read.began) & ~whole & ~unlocked
                found += told(LOST, vanished, "was seen before and is not in")
                found += told(EARLY, available.through(read.own) & own & ~whole, "says it was available before and is not in")
            elif read.as_of <= read.own:
                expected = available.through(read.as_of) & own
                found += told(EARLY, whole & ~expected, "is shown as of a time before it was available, in")
                found += told(EARLY, expected & ~whole, "is shown later as of this time and is not in")
    return found


def counted(history: History) -> Counter[str]:
    """How many reads there were, and how many of them are no witnesses."""
    return Counter(
        reads=sum(1 for r in history.reads if not r.outdated),
        outdated=sum(1 for r in history.reads if r.outdated),
        overlong=sum(1 for r in history.reads if not r.outdated and is_overlong(r, history.grace)),
    )


def story(history: History, violation: Violation) -> str:
    """The history of the row that a violation is about: its acknowledgement, its time, and the reads around it."""
    unit, read = violation.unit, violation.read
    lines = [f"{violation.kind}: {violation.what}", f"  read by {read.reader} {_moment(read)}"]
    if unit is None:
        return "\n".join(lines)
    lines.append(f"  unit {unit} of stage {history.stage_of.get(unit)}: acknowledged at {history.acknowledged.get(unit)}, "
                 f"available at {history.available.get(unit)}")  # fmt: skip
    near = sorted((r for r in history.reads if r.as_of == read.as_of), key=lambda r: abs(r.began - read.began))[:9]
    for r in sorted(near, key=lambda r: r.began):
        shown = ", ".join(f"{s.table} {s.odd.get(unit) or ('whole' if s.whole >> unit & 1 else 'none')}" for s in r.seen)
        lines.append(f"  {'>' if r is read else ' '} {r.reader} {_moment(r)}: {r.error or shown}")
    return "\n".join(lines)


def is_overlong(read: Read, grace: float) -> bool:
    return read.ended - read.began > grace


def _within(read: Read) -> Iterator[Violation]:
    """What a single read shows to be wrong."""
    last: dict[str, Seen] = {}
    for seen in read.seen:
        stage = STAGE_OF[seen.table]
        for unit, (rows, distinct) in seen.odd.items():
            kind = DOUBLED if rows > distinct or distinct > ROWS[stage][seen.table] else PARTIAL
            yield Violation(kind, unit, f"unit {unit} has {rows} rows, {distinct} of them different, in {seen.table}", read)
        if earlier := last.get(stage):
            gone = (earlier.whole | _bits(earlier.odd)) & ~(seen.whole | _bits(seen.odd))
            yield from _teller(read, seen)(PARTIAL, gone, f"was in {earlier.table} and is not in")
        last[stage] = seen


def _teller(read: Read, seen: Seen) -> Callable[[str, int, str], list[Violation]]:
    as_of = "" if read.as_of is None else f" as of {read.as_of:.6f}"
    return lambda kind, units, words: [Violation(kind, u, f"unit {u} {words} {seen.table}{as_of}", read) for u in _units(units)]


class _Known:
    """Which units were known by when, as bits."""

    def __init__(self, moments: dict[int, float]) -> None:
        self._times: list[float] = []
        self._bits = [0]
        for unit, moment in sorted(moments.items(), key=lambda item: item[1]):
            self._times.append(moment)
            self._bits.append(self._bits[-1] | 1 << unit)

    def before(self, moment: float) -> int:
        return self._bits[bisect_left(self._times, moment)]

    def through(self, moment: float) -> int:
        return self._bits[bisect_right(self._times, moment)]


def _witnessed(reads: list[Read]) -> dict[str, _Known]:
    """For every table, from when each unit had been shown by a plain read that had ended."""
    first: dict[str, dict[int, float]] = {table: {} for table in STAGE_OF}
    known = dict.fromkeys(STAGE_OF, 0)
    for read in sorted((r for r in reads if r.as_of is None), key=lambda r: r.ended):
        for seen in read.seen:
            for unit in _units(seen.whole & ~known[seen.table]):
                first[seen.table][unit] = read.ended
            known[seen.table] |= seen.whole
    return {table: _Known(moments) for table, moments in first.items()}


def _bits(units: Iterable[int]) -> int:
    bits = 0
    for unit in units:
        bits |= 1 << unit
    return bits


def _units(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _moment(read: Read) -> str:
    as_of = "" if read.as_of is None else f", as of {read.as_of:.6f}"
    return f"from {read.began:.6f} to {read.ended:.6f} (own clock {read.skew:+.3f} s{as_of})"
