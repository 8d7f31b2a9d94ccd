"""The commands `newsmill companies …`: who is in the registry, under which names, and what the lake has of them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import NewsmillError
from pipeline.rows_out import Csv, Way, give_records
from pipeline.terminal import Json, Lake, busy, print_json, settings

if TYPE_CHECKING:
    import duckdb

    from pipeline.tag.companies import Hit, Registry

app = typer.Typer(
    help="The companies that are recognised, and what the lake has of them.", no_args_is_help=True, rich_markup_mode="markdown"
)

_LAKE = """
    SELECT count(DISTINCT s.article_id) AS articles, count(DISTINCT a.story_id) AS stories, min(a.seen_at) AS first,
           max(a.seen_at) AS last, avg(s.score) AS score
    FROM sentiments s JOIN articles a USING (version_id) WHERE s.company_id = $company_id
"""
_SHOWN_DAYS = 30


def _ids(begun: str) -> list[tuple[str, str]]:
    """For the shell: ids that go on from what is typed. Only companies by hand: the others take a second to load."""
    from pipeline.tag.companies import curated_names

    return [(company_id, name) for company_id, name in curated_names().items() if company_id.startswith(begun)]


@app.command()
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Part of a name, an alias, a product, an ISIN, a ticker or MIC:TICKER.")
    ],
    limit: Annotated[int, typer.Option(help="How many companies.", min=1)] = 20,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Finds companies by what people call them, best first.

    Example: `newsmill companies find "Münchener Rück"`; case and umlauts do not matter: `newsmill companies find munchener`

    By code: `newsmill companies find XETR:SAP`, `newsmill companies find US0378331005`. Ends with 1 where nothing is found.
    """
    from pipeline.tag.companies import find_companies

    way = Way(json=json, csv=csv)
    registry = _registry()
    hits = find_companies(registry, text)
    if not hits:
        raise _nobody(registry, text)
    if json or csv:
        give_records([_row(registry, hit) for hit in hits[:limit]], way)
        return
    console, table = Console(emoji=False, highlight=False), Table(box=None, padding=(0, 1), pad_edge=False)
    for head in ("id", "name", "country", "listings", "found by"):
        table.add_column(head, no_wrap=head == "id", overflow="fold")
    for hit in hits[:limit]:
        row = _row(registry, hit)
        by = "" if hit.kind == "name" and hit.matched == row["name"] else f"{hit.kind} {hit.matched}"
        table.add_row(*map(escape, (hit.company_id, row["name"], row["country"] or "", ", ".join(row["listings"]), by)))
    console.print(table)
    if len(hits) > limit:
        console.print(f"[dim]and {len(hits) - limit} more; --limit {len(hits)} shows all[/]")


@app.command()
def show(
    company_id: Annotated[
        str, typer.Argument(metavar="ID", help="A company's id, or anything that names one alone.", autocompletion=_ids)
    ],
    lake: Lake = None,
    json: Json = False,
) -> None:
    """One company: names and when they count, codes, owners, and what the lake has of it.

    Example: `newsmill companies show sap`

    An ambiguous name ("Visa", "Linde") counts only with words of the trade beside it; here it says which.
    """
    from pipeline.tag.companies import gates

    registry = _registry()
    company = registry.companies[_named(registry, company_id)]
    children = sorted(c.company_id for c in registry.companies.values() if c.parent_id == company.company_id)
    names = gates(registry, company.company_id)
    told = asdict(company) | {
        "curated": company.company_id in registry.curated,
        "children": children,
        "names": list(map(asdict, names)),
    }
    con = _lake(lake)
    if con:
        with con:
            _show(told, con, json=json)
    else:
        _show(told, None, json=json)


def _show(told: dict[str, Any], con: "duckdb.DuckDBPyConnection | None", *, json: bool) -> None:
    from pipeline.tour import by_day, picture
    from pipeline.why.steps import count

    seen = None
    if con:
        (seen,) = con.sql(_LAKE, params={"company_id": told["company_id"]}).to_arrow_table().to_pylist()
    if json:
        days = by_day(con, told["company_id"], 10_000) if con else []
        print_json({**told, "lake": seen and {**seen, "days": days}})
        return
    console = Console(emoji=False, highlight=False)
    console.print(f"[bold]{escape(told['name'])}[/]  {told['company_id']}")
    facts = Table.grid(padding=(0, 2))
    for head, value in _facts(told):
        facts.add_row(f" [dim]{head}[/]", escape(value))
    console.print(facts)
    console.print(_names(told["names"]))
    if con is None or seen is None:
        console.print("\n[dim]no lake to look into; --lake names one[/]")
    elif not seen["articles"]:
        console.print("\nthe lake has nothing of it yet")
    else:
        said = f"\n[bold]{count(seen['articles'], 'article')}[/] in {count(seen['stories'], 'story', 'stories')}"
        console.print(f"{said}, {seen['first']:%Y-%m-%d} to {seen['last']:%Y-%m-%d}, {seen['score']:+.2f} on average")
        console.print(picture(con, told["company_id"], _SHOWN_DAYS))


def _facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    where = [f"{x['mic'] or '?'}:{x['ticker']}" for x in told["listings"]]
    found = {
        "country": told["country"],
        "traded": ", ".join(where) or ("nowhere" if told["private"] else ""),
        "ISIN": ", ".join(told["isins"]),
        "belongs to": told["parent_id"],
        "owns": ", ".join(told["children"]),
        "from": "by hand" if told["curated"] else "the ticker package",
    }
    return [(head, value) for head, value in found.items() if value]


def _names(names: list[dict[str, Any]]) -> Table:
    table = Table(title="\nnames, and when they count as it", title_justify="left", box=None, padding=(0, 1), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(max_width=40)
    table.add_column(ratio=1)
    for name in names:
        others = f" (also: {', '.join(name['shared'])})" if name["shared"] else ""
        table.add_row(name["kind"], escape(name["name"]), escape(name["counts"] + others))
    return table


def _row(registry: "Registry", hit: "Hit") -> dict[str, Any]:
    company = registry.companies[hit.company_id]
    return {
        "company_id": hit.company_id,
        "name": company.name,
        "country": company.country,
        "matched": hit.matched,
        "kind": hit.kind,
        "exact": hit.exact,
        "isins": company.isins,
        "listings": [f"{x.mic or '?'}:{x.ticker}" for x in company.listings],
        "parent_id": company.parent_id,
        "private": company.private,
        "curated": hit.company_id in registry.curated,
    }


def _registry() -> "Registry":
    with busy("loading the companies"):
        from pipeline.tag.companies import load_registry

        return load_registry()


def _named(registry: "Registry", text: str) -> str:
    """The id that is meant: an id, or what names one company alone."""
    from pipeline.tag.companies import find_companies

    if text in registry.companies:
        return text
    hits = find_companies(registry, text)
    exact = [hit for hit in hits if hit.exact]
    if len(exact) == 1:
        return exact[0].company_id
    if hits:
        meant = ", ".join(f"{hit.company_id} ({registry.companies[hit.company_id].name})" for hit in (exact or hits)[:5])
        raise NewsmillError(f"{text!r} is no company's id; did you mean {meant}?")
    raise _nobody(registry, text)


def _nobody(registry: "Registry", text: str) -> NewsmillError:
    from pipeline.tag.companies import like

    meant = ", ".join(f"{hit.matched} ({hit.company_id})" for hit in like(registry, text))
    remedy = f"did you mean {meant}?" if meant else "look for a part of the name, an ISIN or MIC:TICKER"
    return NewsmillError(f"none of {len(registry.companies)} companies is called {text!r}; {remedy}")


def _lake(lake: Path | None) -> "duckdb.DuckDBPyConnection | None":
    """The lake, where there is one or one was named."""
    from pipeline.lake import connect

    place = settings(lake).lake
    return connect(place) if lake is not None or place.exists() else None
