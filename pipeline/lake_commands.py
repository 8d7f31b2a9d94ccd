"""The commands `newsmill lake …`: the lake's days, health and history."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from pipeline.terminal import Json, Lake, print_json, settings

app = typer.Typer(help="The lake's days, health and history.", no_args_is_help=True, rich_markup_mode="markdown")


@app.command()
def close(
    lake: Lake = None,
    json: Json = False,
    grace_h: Annotated[float | None, typer.Option(help="Hours that what was moved stays for readers.", min=0)] = None,
) -> None:
    """Closes the days whose time has come and deletes what was moved before. Example: `newsmill lake close`

    A day closes at 06:00 UTC of the next. NEWSMILL_GRACE_H and NEWSMILL_RAW_DAYS say how long moved files and raw bytes stay.
    """
    from pipeline.run import close_days

    told = settings(lake)
    grace = told.grace if grace_h is None else timedelta(hours=grace_h)
    report = close_days(told, (lambda _line: None) if json else Console(highlight=False, soft_wrap=True).print, grace=grace)
    if json:
        print_json(asdict(report))


@app.command("open")
def open_(lake: Lake = None, json: Json = False) -> None:
    """Makes news.duckdb fit where the lake lies, and says how any DuckDB opens it. Example: `newsmill lake open --lake COPY`

    It holds absolute paths: after a lake was copied or moved, the one in it still reads the old place.
    """
    from pipeline.lake.layout import Lake as Directory
    from pipeline.lake.views import prepare

    place = Directory(settings(lake).lake.resolve())
    place.check()
    prepare(place)
    path = place.root / "news.duckdb"
    if json:
        print_json({"path": str(path)})
    else:
        said = [f"{path} reads the lake at {place.root}; open it read-only:", f"  duckdb -readonly '{path}'"]
        said += [f"  duckdb.connect('{path}', read_only=True)", f"  ATTACH '{path}' AS news (READ_ONLY)"]
        Console(highlight=False, soft_wrap=True, markup=False).print(*said, sep="\n")
