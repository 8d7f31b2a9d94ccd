"""How feeds, and what they are worth, look on a terminal and to a program. Reads the lake for the last visits."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import LakeError
from pipeline.feeds.discover import Found
from pipeline.feeds.worth import Worth
from pipeline.lake import connect
from pipeline.lake.work import last_visits
from schemas.feed import Feed

UNVERIFIED = "unverified"
_COLOURS = {"good": "green", "usable": "yellow", "poor": "red"}


def as_rows(feeds: Sequence[Feed], lake: Path | None) -> list[dict[str, Any]]:
    """Each feed with how its last visit ended; `outcome` is unverified where no lake knows of one to this address."""
    visits, entries = _known(lake) if lake else ({}, {})
    rows = []
    for feed in feeds:
        visit = visits.get(feed.feed_id)
        same = visit if visit and visit.url == feed.url else None
        rows.append(
            asdict(feed)
            | {
                "outcome": str(same.outcome) if same else UNVERIFIED,
                "visited_at": same.visited_at if same else None,
                "next_due_at": same.next_due_at if same and feed.enabled else None,
                "entries": entries.get(feed.feed_id) if same else None,
                "detail": same.detail if same else None,
            }
        )
    return rows


def _known(lake: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        with connect(lake) as con:
            counted = con.sql("SELECT feed_id, count(DISTINCT entry_id) FROM lake.entries GROUP BY ALL").fetchall()
            return last_visits(con), dict(counted)
    except LakeError:
        return {}, {}


def show_own(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """A table of one's own feeds."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("feed", "group", "last visit", "entries", "next due (UTC)", "address"):
        side: Any = "right" if name == "entries" else "left"
        table.add_column(name, justify=side, overflow="fold", no_wrap=name != "address")
    why: list[str] = []
    for row in rows:
        if row["detail"] and (row["outcome"] != "parsed" or "moved for good" in row["detail"]):
            why.append(f"{row['feed_id']}: {row['detail']}")
        ended = row["outcome"] if row["enabled"] else f"off ({row['outcome']})"
        due = row["next_due_at"].strftime("%m-%d %H:%M") if row["next_due_at"] else ""
        table.add_row(row["feed_id"], escape(row["group"] or ""), ended, str(row["entries"] or ""), due, escape(row["url"]))
    console.print(table)
    for line in why:
        console.print(f"[dim]{escape(line)}[/dim]", soft_wrap=True)


def show_offered(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """The shipped catalogue by group; all of it is unverified until a first visit."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("feed", "", "what it is"):
        table.add_column(name, overflow="fold", no_wrap=name == "feed")
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            table.add_row(f"[bold]{escape(group or '')}[/bold]")
        name = ", ".join(filter(None, (row["source"], row["title"])))
        table.add_row(f"  {row['feed_id']}", row["language"] or "", escape(name))
    console.print(table)


def show_found(found: Sequence[Found], console: Console) -> None:
    for f in found:
        told = escape(", ".join(filter(None, (f.title, "news sitemap" if f.sitemap else None))))
        console.print(f"{f.url}  [dim]{told}[/dim]", soft_wrap=True)


def overlap_in_words(w: Worth) -> str:
    """How many of a feed's entries the lake has, and from where most of them."""
    if w.known is None:
        return "not known, there is no lake"
    if not w.known:
        return f"none of {w.entries} entries is in the lake from another feed"
    feed, most = next(iter(w.known_from.items()))
    other = len(w.known_from) - 1
    also = f", others from {other} more feed{'s' if other > 1 else ''}" if other else ""
    share = "all" if most == w.known else most
    return f"{w.known} of {w.entries} entries {'is' if w.known == 1 else 'are'} in the lake, {share} of them from {feed}{also}"


def _ago(hours: float | None) -> str:
    if hours is None:
        return "undated"
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def show_worth(url: str, w: Worth, console: Console) -> None:
    """What a feed is worth, a line for each question."""

    def of(n: int) -> str:
        return f"{n} of {w.entries}"

    def counted(counts: dict[str, int]) -> str:
        return ", ".join(f"{n} {name}" for name, n in counts.items()) or "none"

    when = f"{w.oldest:%Y-%m-%d %H:%M} to {w.newest:%Y-%m-%d %H:%M} UTC" if w.oldest and w.newest else "no dates"
    waits = [f"ttl {w.ttl_minutes} min"] if w.ttl_minutes else []
    waits += [f"max-age {w.cache_max_age_s:g} s"] if w.cache_max_age_s else []
    lines = {
        "feed": f"{w.title or 'without a title'} ({w.format}{', ' + w.language if w.language else ''})",
        "entries": f"{w.entries}, {when}" + (f", {w.per_day:g} a day" if w.per_day is not None else ""),
        "rhythm": w.rhythm or "too few dated entries to see one",
        "overlap": overlap_in_words(w),
        "dates": counted(w.dates),
        "carries": f"{of(w.with_link)} links, {of(w.with_text)} full texts, {of(w.with_author)} authors",
        "keys": f"{counted(w.keys)}; {w.usable_guids:.0%} usable guids",
        "languages": counted(w.languages),
        "server": f"asked again: {w.conditional or 'not known'}" + "".join(f", {wait}" for wait in waits),
        "first page": f"{w.page or 'none'}, robots.txt: {w.page_robots or 'not asked'}",
        "freshness": f"newest entry {_ago(w.newest_age_h)}",
    }
    console.print(url, soft_wrap=True)
    for name, said in lines.items():
        console.print(f"  [dim]{name:<11}[/dim] {escape(said)}", soft_wrap=True)
    why = f": {'; '.join(w.reasons)}" if w.reasons else ": nothing speaks against it"
    console.print(f"  [{_COLOURS[w.verdict]}]{w.verdict}[/]{escape(why)}", soft_wrap=True)
