"""What a check finds: what is wrong, where, and the remedy; and how that is shown. I/O on the terminal alone."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.text import Text

from pipeline.lake.commit import note_of
from pipeline.lake.layout import PUSH, STAGES, BatchRef, Lake

#: Told how far a part of the check has come: what is looked at, how much of it is done, how much there is.
Watch = Callable[[str, int, int], None]


class Severity(StrEnum):
    ERROR = "error"  # rows are lost, doubled or cannot be read
    WARNING = "warning"  # something is unfinished, or is to be done


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `place` is a path in the lake, or a table."""

    severity: Severity
    kind: str
    place: str
    problem: str
    remedy: str


def error(kind: str, place: str, problem: str, remedy: str) -> Finding:
    return Finding(Severity.ERROR, kind, place, problem, remedy)


def warning(kind: str, place: str, problem: str, remedy: str) -> Finding:
    return Finding(Severity.WARNING, kind, place, problem, remedy)


def done_again(lake: Lake, place: str, name: str) -> str:
    """How the work of a committed directory is done again, where that can be; empty where it cannot."""
    ref = BatchRef.parse(name)
    if ref is None or ref.stage not in (PUSH, *STAGES):
        return ""
    move = f"move {place} out of the lake"
    if ref.stage == "tag":
        return f"{move} and call `newsmill run`: what it tagged is tagged again"
    if lake.raw(ref).is_dir():
        kept = f"staging/{ref.root}-{ref.stage}"
        return f"{move}, make the directory {kept} and call `newsmill run`: it is done again from the bytes it kept"
    # pages fetched anew would make versions with other ids than those that were tagged
    again = ref.stage == "read" and not _fetched(lake, place)
    return f"{move} and call `newsmill run`: what it ended is due again" if again else ""


def _fetched(lake: Lake, place: str) -> bool:
    """Whether a directory holds fetched pages, as far as can be told."""
    try:
        return bool(note_of(lake.root / place)["rows"].get("pages"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True


def restored(place: str, otherwise: str = "") -> str:
    """The remedy where rows are lost."""
    return f"restore {place} from a copy of the lake" + (f"; without one {otherwise}" if otherwise else "")


def print_findings(found: list[Finding], console: Console) -> None:
    """One block a finding: how grave, what kind, where; what is wrong; the remedy."""
    for one in found:
        grave = one.severity == Severity.ERROR
        console.print(
            Text.assemble((f"{one.severity:7}", "bold red" if grave else "yellow"), f"  {one.kind}  ", (one.place, "bold"))
        )
        console.print(Text(f"         {one.problem}"))
        console.print(Text(f"         → {one.remedy}", "green"))
    errors = sum(one.severity == Severity.ERROR for one in found)
    told = {"error": errors, "warning": len(found) - errors}
    console.print(", ".join(f"{n:,} {what}{'s' * (n > 1)}" for what, n in told.items() if n) or "nothing is wrong")
