"""A lake's status on one screen of 100 columns, readable without colour. I/O on the terminal alone."""

from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.lake.status.gather import DayStatus, Part, Status
from pipeline.lake.verify import Finding, Severity

_BAR = 36
#: How the entries of a day stand: the sign of a bar, its colour, and the word for it.
_SIGNS = (("█", "green", "kept"), ("▒", "red", "dropped"), ("░", "yellow", "due"))


def draw(s: Status, console: Console) -> None:
    """Prints it: what is wrong first, then what is there, then what is to come."""
    console.print(_head(s))
    _attention(s, console)
    console.print(_tables(s))
    console.print(_days(s))
    for line in _upkeep(s):
        console.print(line)


def _head(s: Status) -> Text:
    fresh = f"newest row {ago(s.now, s.newest)}" if s.newest else "no rows yet"
    closed = f"closed through {s.mark.day}" if s.mark.day else "no day closed yet"
    month = f", months through {s.mark.month}" if s.mark.month else ""
    size = f"{amount(s.size.bytes)} in {s.size.files:,} files, {s.size.rows:,} rows"
    return Text.assemble((str(s.lake), "bold"), f"\n{size} · {fresh} · {closed}{month}")


def _attention(s: Status, console: Console) -> None:
    """One line for each kind of what is wrong: the first of it, and how many more there are."""
    kinds: dict[tuple[Severity, str], list[Finding]] = {}
    for one in sorted(s.attention, key=lambda f: f.severity != Severity.ERROR):
        kinds.setdefault((one.severity, one.kind), []).append(one)
    for (severity, _), (first, *others) in kinds.items():
        sign, style = ("✗", "bold red") if severity == Severity.ERROR else ("!", "yellow")
        more = f" (and {len(others):,} more)" if others else ""
        console.print(Text(f"{sign} {first.place}: {first.problem}{more} → {first.remedy}", style))
    if not kinds:
        console.print(Text("✓ nothing is overdue or left behind (`newsmill lake verify` looks into the files)", "green"))


def _tables(s: Status) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("\ntable", no_wrap=True)
    for name in ("\nrows", "hot\nfiles", "\nsize", "closed days\nfiles", "\nsize", "months\nfiles", "\nsize", "newest\nrow"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, t in s.tables.items():
        if t.all.rows:
            newest = ago(s.now, t.newest) if t.newest else ""
            table.add_row(name, f"{t.all.rows:,}", *_files(t.hot), *_files(t.days), *_files(t.months), newest)
    return table


def _files(part: Part) -> tuple[str, str]:
    return _count(part.files), amount(part.bytes) if part.files else ""


def _count(n: int) -> str:
    return f"{n:,}" if n else ""


def _days(s: Status) -> Table:
    title = Text("\nentries a day, and how they stand: ")
    for sign, style, word in _SIGNS:
        title.append(f"{sign} {word}  ", style)
    table = Table(box=None, padding=(0, 1), title=title, title_justify="left", header_style="bold")
    table.add_column("day", no_wrap=True)
    table.add_column("is", no_wrap=True)
    table.add_column("", width=_BAR, no_wrap=True)
    for name in ("entries", "kept", "dropped", "due", "articles"):
        table.add_column(name, justify="right", no_wrap=True)
    largest = max((d.entries for d in s.days), default=0)
    began = False
    for d in s.days:
        began = began or bool(d.state)
        state = Text(d.state) if d.state else Text("nothing", "bold yellow" if began else "dim")
        numbers = (d.entries, d.kept, d.dropped, d.due, d.articles)
        table.add_row(f"{d.day:%a %m-%d}", state, bar(d, largest), *map(_count, numbers))
    return table


def bar(d: DayStatus, largest: int, width: int = _BAR) -> Text:
    """A day's entries against the largest day's, divided by how they stand; what is there shows, however few."""
    text = Text()
    for n, (sign, style, _) in zip((d.kept, d.dropped, d.due), _SIGNS, strict=True):
        text.append(sign * (max(1, round(width * n / largest)) if n else 0), style)
    return text


def _upkeep(s: Status) -> list[Text]:
    lines = {"closing": _closing(s), "moved": _moved(s), "raw bytes": _raw(s), "under way": _begun(s), "locks": _locks(s)}
    return [Text.assemble("\n" if n == 0 else "", (f"{name:10}", "bold"), line) for n, (name, line) in enumerate(lines.items())]


def _closing(s: Status) -> str:
    by_time = sorted(s.to_close, key=lambda c: c.due_at)
    due = [c for c in by_time if c.due_at <= s.now]
    told = [f"{len(due):,} due, {due[0].period} {when(s.now, due[0].due_at)}"] if due else []
    told += [f"{c.period} {when(s.now, c.due_at)}" for c in by_time if c.due_at > s.now]
    return "; ".join(told[:3]) or "no day is open"


def _moved(s: Status) -> str:
    if not s.moved:
        return "nothing waits to be deleted"
    first = min(s.moved, key=lambda m: m.deleted_from)
    size = amount(sum(m.what.bytes for m in s.moved))
    return f"{size} of {len(s.moved):,} days or months wait to be deleted, {first.period} {when(s.now, first.deleted_from)}"


def _raw(s: Status) -> str:
    if s.raw.oldest is None:
        return "none"
    kept = "for good" if s.raw.kept_days is None else f"for {s.raw.kept_days:,} days"
    return f"{amount(s.raw.packs.bytes)} in {s.raw.packs.files:,} packs, {s.raw.oldest} to {s.raw.newest}, kept {kept}"


def _begun(s: Status) -> str:
    told = [f"{b.batch} {'at work' if b.held else 'left'}, begun {ago(s.now, b.began)}, {b.shards} shards done" for b in s.begun]
    return "; ".join(told[:2]) + (f"; {len(told) - 2:,} more" if len(told) > 2 else "") or "no batch"


def _locks(s: Status) -> str:
    return "; ".join(f"{stage}: {who}" for stage, who in s.locks.items()) or "nobody writes"


def amount(size: int) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size} B"


def ago(now: datetime, then: datetime) -> str:
    """How long ago; rows are stamped a little ahead of their time."""
    return "now" if now - then < timedelta(seconds=1) else f"{span(now - then)} ago"


def when(now: datetime, at: datetime) -> str:
    if at <= now:
        return f"due since {at:%m-%d %H:%M}"
    return f"from {at:%m-%d %H:%M} (in {span(at - now)})"


def span(length: timedelta) -> str:
    """A length of time in its largest unit."""
    for unit, one in (("days", timedelta(days=2)), ("h", timedelta(hours=2)), ("min", timedelta(minutes=2))):
        if length >= one:
            return f"{length / (one / 2):,.0f} {unit}"
    return f"{length.total_seconds():.0f} s"
