"""Opens a lake for questions: a DuckDB connection with its tables, views and macros. Reads only."""

import os
from pathlib import Path

import duckdb

from pipeline.errors import LakeError
from pipeline.lake.definitions import definitions
from pipeline.lake.layout import Lake
from pipeline.lake.literal import quoted
from pipeline.lake.views import is_current
from pipeline.settings import Settings


def connect(lake: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A connection whose views read the lake's files as they are at each query.

    Without an argument it opens the lake that `newsmill` would: NEWSMILL_LAKE, else run/wire/lake. The views are those of
    the lake's news.duckdb; where that belongs elsewhere (the lake was copied) or is missing, they are made in memory.

    Raises:
        LakeError: there is no lake, newer code wrote it, or nobody has written to it yet with this version.
    """
    place = Lake(Path(lake or Settings.from_env(os.environ).lake).resolve())
    place.check()
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    # the second question to a year finds what the first one learnt of its files; those that were replaced are read anew
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
    script = definitions(place)
    if is_current(place, script):
        con.execute(f"ATTACH {quoted(place.root / 'news.duckdb')} AS news (READ_ONLY); USE news")
        return con
    try:
        con.execute(script)
    except duckdb.IOException as error:
        raise LakeError(
            f"the lake at {place.root} lacks files of its own ({error}); any `newsmill run` puts them back"
        ) from error
    except duckdb.BinderException as error:
        said = str(error).partition("\n")[0]
        raise LakeError(f"the lake at {place.root} was written by an older Newsmill ({said}): `newsmill lake upgrade`") from error
    return con
