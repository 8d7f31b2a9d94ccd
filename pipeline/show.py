"""Shows people what is in a lake: the newest articles, what they say of whom, what was dropped and why. Reads only."""

from datetime import datetime
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

NEWEST = """
SELECT a.title, a.source, a.language, a.seen_at, a.published_at, a.duplicate_of IS NOT NULL AS is_copy,
       coalesce(list({name: c.name, score: s.score, sentiment: s.sentiment, mixed: s.mixed} ORDER BY s.relevance DESC)
                FILTER (s.company_id IS NOT NULL), []) AS companies
FROM articles a
LEFT JOIN sentiments s ON s.version_id = a.version_id AND s.company_id IS NOT NULL
LEFT JOIN companies c USING (company_id)
GROUP BY ALL
ORDER BY a.seen_at DESC, a.published_at DESC NULLS LAST, a.title
LIMIT $limit
"""

ENDED = """
SELECT code, kept, final, count(*) AS entries, arg_max(title, seen_at) AS title,
       arg_max(coalesce(detail, ''), seen_at) AS detail, arg_max(due_at, seen_at) AS due_at
FROM outcomes GROUP BY ALL ORDER BY kept DESC, entries DESC, code
"""

TROUBLED = """
SELECT feed_id, outcome, failures, next_due_at, coalesce(detail, '') AS detail
FROM feeds WHERE failures > 0 ORDER BY feed_id
"""

COUNTS = """
SELECT (SELECT count(*) FROM articles) AS articles, (SELECT count(DISTINCT story_id) FROM articles) AS stories,
       (SELECT count(*) FROM mentions WHERE NOT in_ad) AS mentions,
       (SELECT count(DISTINCT company_id) FROM sentiments) AS companies, (SELECT count(*) FROM feeds) AS feeds
"""

_SIGN = {-1: ("▼", "red"), 0: ("·", "dim"), 1: ("▲", "green")}


def newest(con: duckdb.DuckDBPyConnection, limit: int) -> list[dict[str, Any]]:
    """The newest articles with their companies, most relevant first."""
    return _records(con.sql(NEWEST, params={"limit": limit}))


def ended(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """How entries ended: per code how many, and the last one's title and reason."""
    return _records(con.sql(ENDED))


def troubled(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The feeds whose last visit brought nothing usable, and why."""
    return _records(con.sql(TROUBLED))


def counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    return _records(con.sql(COUNTS))[0]


def show(con: duckdb.DuckDBPyConnection, console: Console, limit: int) -> None:
    """Prints the newest articles, then what became of every entry."""
    total = counts(con)
    console.print(
        f"[bold]{total['articles']} articles[/] in {total['stories']} stories from {total['feeds']} feeds; "
        f"{total['mentions']} mentions of {total['companies']} companies\n"
    )
    console.print(_articles(newest(con, limit)))
    console.print(_outcomes(ended(con)))
    if rows := troubled(con):
        console.print(_feeds(rows))


def _articles(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="newest articles, and what they say of whom", title_justify="left", box=None, padding=(0, 1), expand=True)
    table.add_column("seen (UTC)", no_wrap=True, style="dim")
    table.add_column("source", no_wrap=True, max_width=16)
    table.add_column("article", ratio=3)
    table.add_column("▲ good ▼ bad ± both", no_wrap=True, ratio=2, min_width=26)
    for row in rows:
        title = Text(row["title"])
        if row["is_copy"]:
            title.append(" (copy)", "dim")
        table.add_row(_minute(row["seen_at"]), row["source"], title, _companies(row["companies"]))
    return table


def _companies(companies: list[dict[str, Any]], most: int = 3) -> Text:
    """The most relevant companies, one a line."""
    lines = []
    for company in companies[:most]:
        sign, style = ("±", "yellow") if company["mixed"] else _SIGN[company["sentiment"]]
        lines.append(Text(f"{sign} {company['score']:+.2f} {company['name']}", style))
    if len(companies) > most:
        lines[-1].append(f"  +{len(companies) - most} more", "dim")
    return Text("\n").join(lines)


def _outcomes(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="\nwhat became of every entry", title_justify="left", box=None, padding=(0, 1), expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("entries", justify="right")
    table.add_column("the last of them, and why", ratio=1)
    for row in rows:
        what = ("kept", "green") if row["kept"] else ("dropped", "red") if row["final"] else ("due", "yellow")
        again = f"again {_minute(row['due_at'])}" if row["due_at"] else ""
        why = ", ".join(filter(None, (again, row["detail"])))
        reason = Text(": ".join(filter(None, (row["title"], why))), overflow="ellipsis", no_wrap=True)
        table.add_row(Text(*what), row["code"], str(row["entries"]), reason)
    return table


def _feeds(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="\nfeeds in trouble", title_justify="left", box=None, padding=(0, 1), expand=True)
    table.add_column("feed", no_wrap=True)
    table.add_column("last visit", no_wrap=True, style="red")
    table.add_column("again (UTC)", no_wrap=True)
    table.add_column("why", ratio=1)
    for row in rows:
        table.add_row(row["feed_id"], row["outcome"], _minute(row["next_due_at"]), row["detail"])
    return table


def _minute(moment: datetime) -> str:
    return f"{moment:%m-%d %H:%M}"


def _records(rows: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return rows.to_arrow_table().to_pylist()
