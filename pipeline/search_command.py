"""The command `newsmill search`: articles by their words, for people with the hits coloured, for programs as rows. I/O."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pipeline.errors import InputError, NewsmillError
from pipeline.rows_out import Csv, Excel, Force, Parquet, Way, give
from pipeline.terminal import Json, Lake, busy, print_json, settings, watched
from pipeline.why.steps import count
from schemas.columns import UTC_MICROS

if TYPE_CHECKING:
    import duckdb

    from pipeline.lake.search import Found, Looked, Pass

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="The first day, like 2026-11-01.")]
LastDay = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="The last day; today without it.")]

_HIT = pa.struct([pa.field("field", pa.string()), pa.field("start", pa.int64()), pa.field("end", pa.int64())])
_SCHEMA = pa.schema(
    {"rank": pa.int64(), "score": pa.float64(), "seen_at": UTC_MICROS}
    | dict.fromkeys(("source", "language", "title", "snippet"), pa.string())
    | {"hits": pa.list_(_HIT), "prints": pa.int64()}
    | dict.fromkeys(("article_id", "version_id", "story_id", "duplicate_of", "url"), pa.string())
)


def search(  # noqa: PLR0913, PLR0917 - what may be said to a command
    query: Annotated[
        str, typer.Argument(help='Words and "phrases" that all must occur; source:NAME language:de company:ID filter.')
    ] = "",
    lake: Lake = None,
    since: Day = None,
    until: LastDay = None,
    days: Annotated[int, typer.Option(help="So many days up to the last one, where no first one is given.", min=1)] = 30,
    limit: Annotated[int, typer.Option(help="How many articles.", min=1, max=10_000)] = 10,
    every_copy: Annotated[bool, typer.Option("--all", help="Every copy; else a story is shown once.")] = False,
    inside: Annotated[bool, typer.Option("--inside", help="Also within words; reads the articles, no index.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Bring the index up to date, whole, and check its files.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the whole index anew.")] = False,
    json: Json = False,
    csv: Csv = False,
    excel: Excel = None,
    parquet: Parquet = None,
    force: Force = False,
) -> None:
    """Finds articles by their words, in title and text, best first.

    Example: `newsmill search "prognose source:ankerblatt"`; a phrase: `newsmill search '"operating margin" company:nike'`

    With the extra `search` (tantivy) by an index, which is brought up to date before: whole words, stemmed in German and English.
    Without it, or with --inside, by reading the articles, as typed: `newsmill search warnung --inside` finds Gewinnwarnung.

    The index alone: `newsmill search --update`. Ends with 1 where nothing is found.
    """
    from pipeline.lake import connect
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.search import Pass, look, parse_question

    way = Way(json=json, csv=csv, excel=excel, parquet=parquet, force=force)
    if not query and not (update or rebuild):
        raise InputError('say what to look for: newsmill search "gewinnwarnung"; --update brings the index up to date')
    last = until.date() if until else datetime.now(UTC).date()
    asked = parse_question(query, since.date() if since else last - timedelta(days=days - 1), last) if query else None
    told = settings(lake)
    say = Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print
    with connect(told.lake) as con, watched() as watch:
        at = Pass(lake=Directory(told.lake), con=con, say=say, watch=watch)
        if update or rebuild:
            _index(at, rebuild=rebuild)
        if asked is None:
            return
        with busy("looking"):
            found = look(at, asked, limit, every_copy=every_copy, inside=inside)
        _give(con, found, way)
    if not found.rows:
        raise NewsmillError("nothing found; fewer words, more days or --inside may find something")


def _index(at: "Pass", *, rebuild: bool) -> None:
    """Brings all of the index up to date, or makes it anew, and says what that was."""
    from pipeline.lake.search import available, catch_up

    if not available():
        raise InputError(
            "there is no index without tantivy: pip install 'newsmill[search]'; without it search reads the articles"
        )
    with catch_up(at, rebuild=rebuild, whole=True, patience=timedelta(minutes=10)) as (indexes, done):
        at.say(f"{count(done.articles, 'article')} added; the index is up to date, {count(len(indexes), 'month')} of the lake")


def _give(con: "duckdb.DuckDBPyConnection", found: "Found", way: Way) -> None:
    """The answer in the way it was asked for, and which days were looked at."""
    if way.json:
        print_json(*found.rows)
    elif way.csv or way.excel or way.parquet:
        give(con, con.from_arrow(pa.Table.from_pylist(found.rows, schema=_SCHEMA)), way)
    else:
        console = Console(highlight=False)
        for row in found.rows:
            console.print(_head(row))
            console.print(Padding(_coloured(row, "snippet"), (0, 0, 0, 5), expand=False))
        console.print(Text(_looked(found), "dim"))
        return
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(_looked(found))


def _head(row: dict[str, Any]) -> Text:
    """Rank, time, source and title on a line."""
    head = Text.assemble((f"{row['rank']:>3}  {row['seen_at']:%Y-%m-%d %H:%M}  ", "dim"), (f"{row['source']}  ", "cyan"))
    head.append_text(_coloured(row, "title", "bold"))
    if row["duplicate_of"]:
        head.append("  copy", "dim")
    elif row["prints"] > 1:
        head.append(f"  printed {row['prints']} times", "dim")
    return head


def _coloured(row: dict[str, Any], field: str, style: str = "") -> Text:
    """A field with what was found in it coloured."""
    text = Text(row[field], style)
    for hit in row["hits"]:
        if hit["field"] == field:
            text.stylize("bold yellow", hit["start"], hit["end"])
    return text


def _looked(found: "Found") -> str:
    """Which days were looked at, and how to look at more."""
    looked: Looked = found.looked
    span = (looked.until - looked.since).days + 1
    how = "by the index" if looked.by_index else "in the articles"
    said = f"looked at {count(span, 'day')}, {looked.since} to {looked.until}, {how}"
    said += f"; the lake has {looked.first} to {looked.last}" if looked.first else "; the lake is empty"
    before = looked.first is not None and looked.first < looked.since
    after = looked.last is not None and looked.last > looked.until
    more = [f"--since {looked.first}"] if before else []
    more += [f"--until {looked.last}"] if after else []
    said += f"; {' '.join(more)} looks at all of it" if more else ""
    return said + (f"; there are more articles than these: --limit {4 * len(found.rows)}" if found.more else "")
