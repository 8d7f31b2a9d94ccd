"""The commands `newsmill feeds …`: which feeds are one's own, which there are to choose from, and what one is worth."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipeline.errors import InputError
from pipeline.feeds import load_catalogue, offered
from pipeline.rows_out import can_be_made
from pipeline.settings import OWN
from pipeline.terminal import Json, Lake, print_json, settings, watched
from schemas.feed import Feed

if TYPE_CHECKING:
    from pipeline.feeds.discover import Found

app = typer.Typer(help="Your own feeds, and those to choose from.", no_args_is_help=True, rich_markup_mode="markdown")

Catalogue = Annotated[
    Path, typer.Option("--catalogue", envvar="NEWSMILL_CATALOGUE", help="The TOML file with your feeds.", dir_okay=False)
]
Local = Annotated[
    bool, typer.Option("--local", help="It is of your own machine or network: open its ip:port, and nothing else, for it.")
]
Words = Annotated[list[str], typer.Argument(metavar="WHAT…", help="Addresses of feeds or sites, ids of offered feeds.")]


@app.command()
def add(  # noqa: PLR0913, PLR0917 - what may be said to a command
    what: Words = [],  # noqa: B006 - typer's way to say that there may be none
    group: Annotated[str | None, typer.Option(help="All offered feeds of this group.")] = None,
    local: Local = False,
    source: Annotated[str | None, typer.Option(help="The publisher's name; left out: the host of the address.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Take them unvisited.")] = False,
    catalogue: Catalogue = OWN,
    json: Json = False,
) -> None:
    """Takes feeds into your catalogue, each after a visit that found a feed.

    Examples: `newsmill feeds add https://www.heise.de` · `newsmill feeds add ecb-press fed-press` ·
    `newsmill feeds add --group central-banks` · `newsmill feeds add --local http://127.0.0.1:8000/feed.xml`

    Ends with 1 where one was refused (the others are taken), with 2 where a site has several feeds and nobody can be asked.
    """
    from pipeline.run.subscribe import How, subscribe, wanted

    wants = wanted(what, group, local=local)
    if not wants:
        raise InputError("say what: an address, an id or --group, as in: newsmill feeds add --group central-banks")
    with watched() as watch:
        ended = subscribe(settings(None), catalogue, wants, How(not no_check, local, source, _choose, watch))
    if json:
        print_json(*map(asdict, ended))
    else:
        for end in ended:
            name = f" {end.feed.feed_id}" if end.feed and end.feed.feed_id != end.what else ""
            _say(f"{end.how}: {end.what}{name if end.how == 'added' else ''}" + (f" ({end.detail})" if end.detail else ""))
        _say_next(catalogue, sum(end.how in ("added", "switched on") for end in ended))
    if any(end.how == "refused" for end in ended):
        raise typer.Exit(1)


@app.command()
def remove(
    feed_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="As `newsmill feeds list` names them.")],
    catalogue: Catalogue = OWN,
) -> None:
    """Takes feeds out of your catalogue; what the lake has of them stays. Example: `newsmill feeds remove ecb-press`"""
    from pipeline.run.subscribe import unsubscribe

    for feed in unsubscribe(catalogue, feed_ids):
        _say(f"removed: {feed.feed_id} ({feed.url})")


@app.command("list")
def list_(
    offered_ones: Annotated[bool, typer.Option("--offered", help="Those that come with Newsmill, to choose from.")] = False,
    group: Annotated[str | None, typer.Option(help="Only this group.")] = None,
    catalogue: Catalogue = OWN,
    lake: Lake = None,
    json: Json = False,
) -> None:
    """Your feeds with their last visits, or those to choose from. Example: `newsmill feeds list --offered --group statistics`

    The lake is that of --lake or NEWSMILL_RUN, else the one that `make run` made for this catalogue.
    """
    from pipeline import feeds_shown as shown

    feeds = _of_group(offered() if offered_ones else _own(catalogue), group)
    rows = shown.as_rows(feeds, None if offered_ones else _lake_of(catalogue, lake))
    if json:
        print_json(*rows)
    elif offered_ones:
        shown.show_offered(rows, Console(emoji=False, highlight=False))
        _say(f"\n{len(rows)} feeds, unverified until their first visit; to take some: newsmill feeds add ID… or --group GROUP")
    else:
        shown.show_own(rows, Console(emoji=False, highlight=False))


@app.command()
def check(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="An address, or the id of one of your feeds or an offered one.")],
    local: Local = False,
    catalogue: Catalogue = OWN,
    lake: Lake = None,
    json: Json = False,
) -> None:
    """Visits a feed and says what it is worth. Example: `newsmill feeds check https://www.ecb.europa.eu/rss/press.html`

    It asks for the feed, once more with the validators that came with it, and for the page of its first entry. How many of its
    entries other feeds have brought already, the lake tells: that of --lake or NEWSMILL_RUN, else the one that `make run` made
    for this catalogue. Ends with 1 where there is no feed.
    """
    from pipeline import feeds_shown as shown
    from pipeline.run.probe import examine, had_of, visit

    url, local = _named(what, catalogue, local)
    told = settings(None)
    with watched() as watch:
        answered = visit(told, {url: local}, watch)[url]
        known = had_of(_lake_of(catalogue, lake), url, answered.feed) if answered.feed else None
        worth = examine(told, url, answered, local=local, watch=watch, known=known) if answered.feed else None
    if json:
        told_of = {"verdict": "no feed", "reasons": [answered.why]} if worth is None else asdict(worth)
        print_json({"url": url, "final_url": answered.body.final_url, "outcome": answered.code, **told_of})
    elif worth is None:
        hint = f"; to look for feeds there: newsmill feeds discover {url}" if answered.code == "not_a_feed" else ""
        _say(f"no feed at {url}: {answered.why}{hint}")
    else:
        shown.show_worth(url, worth, Console(emoji=False, highlight=False))
    if worth is None:
        raise typer.Exit(1)


@app.command()
def discover(
    site: Annotated[str, typer.Argument(help="The address of a page.")], local: Local = False, json: Json = False
) -> None:
    """The feeds of a site: those its page names, else those in the usual places. Example: `newsmill feeds discover heise.de`

    Its news sitemaps too, which are read like feeds: those that its robots.txt or an index names, and in the usual places. Ends
    with 1 where there is none.
    """
    from pipeline import feeds_shown as shown
    from pipeline.feeds.discover import Found
    from pipeline.run.probe import discover as feeds_of
    from pipeline.run.probe import news_sitemaps, visit
    from pipeline.run.subscribe import address_of

    url = address_of(site, local=local)
    if url is None:
        raise InputError(f"{site!r} is no address; give one such as https://www.heise.de")
    told = settings(None)
    with watched() as watch:
        answered = visit(told, {url: local}, watch)[url]
        itself = (Found(url, answered.feed.title, announced=True),) if answered.feed else ()
        found = itself or (
            *feeds_of(told, url, answered, local=local, watch=watch),
            *news_sitemaps(told, answered, local=local, watch=watch),
        )
    if json:
        print_json(*map(asdict, found))
    elif found:
        shown.show_found(found, Console(emoji=False, highlight=False))
    else:
        _say(f"no feed found at {url}: {answered.why}; neither does its page name one, nor is there one in the usual places")
    if not found:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it; - reads standard input.")],
    catalogue: Catalogue = OWN,
) -> None:
    """Takes the subscriptions of an OPML file in, its folders as groups, unvisited. Example: `newsmill feeds import mine.opml`"""
    from pipeline.run.subscribe import import_opml

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); name an OPML file") from None
    added, skipped = import_opml(catalogue, data, str(file))
    for line in skipped:
        _say(f"skipped: {line}")
    _say(f"{len(added)} feeds added, {len(skipped)} skipped; unverified until their first visit")
    _say_next(catalogue, len(added))


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; left out: standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    catalogue: Catalogue = OWN,
) -> None:
    """Your feeds as OPML 2.0, for other readers, groups as folders. Example: `newsmill feeds export mine.opml`"""
    from pipeline.feeds.opml import left_out, write_opml
    from pipeline.lake.durable import write_file

    feeds = _own(catalogue)
    if file is None:
        sys.stdout.buffer.write(write_opml(feeds))
    else:
        can_be_made(file, force=force)
        write_file(file, write_opml(feeds))
    for line in left_out(feeds):
        _say(f"not in it, as OPML has no place for it: {line}", stderr=True)


def _own(catalogue: Path) -> tuple[Feed, ...]:
    if not catalogue.exists():
        make = "newsmill feeds add --group central-banks"
        raise InputError(f"there is no {catalogue} yet; to make it: {make}; --catalogue FILE names another")
    return load_catalogue(catalogue)


def _of_group(feeds: Sequence[Feed], group: str | None) -> list[Feed]:
    from pipeline.run.subscribe import groups_of, meant

    if group is not None and group not in groups_of(feeds):
        raise InputError(f"no group {group!r}; {meant(group, groups_of(feeds))}")
    return [f for f in feeds if group in (None, f.group)]


def _named(what: str, catalogue: Path, local: bool) -> tuple[str, bool]:
    """The address that is meant, and whether it may be local."""
    from pipeline.run.subscribe import wanted

    own = next((f for f in (load_catalogue(catalogue) if catalogue.exists() else ()) if what in (f.feed_id, f.url)), None)
    return (own.url, local or own.local) if own else (wanted([what], None, local=local)[0].url, local)


def _lake_of(catalogue: Path, lake: Path | None) -> Path:
    made = Path("run") / catalogue.stem / "lake"
    return made if lake is None and "NEWSMILL_RUN" not in os.environ and made.is_dir() else settings(lake).lake


def _choose(what: str, found: Sequence["Found"]) -> "Found":
    listed = [f"  {n}  {f.url}" + (f"  {f.title}" if f.title else "") for n, f in enumerate(found, start=1)]
    if not sys.stdin.isatty():
        raise InputError("\n".join([f"{what} has {len(found)} feeds; add the one you mean by its address:", *listed]))
    _say("\n".join([f"{what} has {len(found)} feeds:", *listed]), stderr=True)
    number = 0
    while not 1 <= number <= len(found):
        number = typer.prompt(f"which, 1 to {len(found)}", type=int, err=True)
    return found[number - 1]


def _say_next(catalogue: Path, taken: int) -> None:
    if taken:
        run = f"NEWSMILL_RUN=run/{catalogue.stem} " if "NEWSMILL_RUN" not in os.environ else ""
        named = "" if catalogue == OWN else f"NEWSMILL_CATALOGUE={catalogue} "
        _say(f"{catalogue} has them; next: make run FEEDS={catalogue}, or without Airflow: {named}{run}newsmill run")


def _say(line: Any, *, stderr: bool = False) -> None:
    Console(emoji=False, highlight=False, soft_wrap=True, markup=False, stderr=stderr).print(line)
