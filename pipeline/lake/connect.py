"""Opens a lake for questions: a DuckDB connection with its tables, views and macros. Reads only."""

import os
from pathlib import Path

import duckdb

from pipeline.errors import LakeError
from pipeline.lake.definitions import definitions, make
from pipeline.lake.layout import Lake
from pipeline.lake.store import store_of
from pipeline.lake.views import attach
from pipeline.s3 import place_of
from pipeline.settings import Settings


def connect(lake: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A connection whose views read the lake's files as they are at each query.

    Without an argument it opens the lake that `newsmill` would: NEWSMILL_LAKE, else run/wire/lake. The views are those of
    the lake's news.duckdb; where that belongs elsewhere (the lake was copied) or is missing, they are made in memory.

    Raises:
        LakeError: there is no lake, newer code wrote it, or nobody has written to it yet with this version.
    """
    place = Lake(place_of(lake or Settings.from_env(os.environ).lake).resolve())
    place.check()
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    # the second question to a year finds what the first one learnt of its files; those that were replaced are read anew
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
    store_of(place.root).let_read(con, place.root)
    script = definitions(place)
    if attach(con, place, script):
        return con
    try:
        make(con, script)
    except duckdb.IOException as error:
        raise LakeError(
            f"the lake at {place.root} lacks files of its own ({error}); any `newsmill run` puts them back"
        ) from error
    except duckdb.BinderException as error:
        said = str(error).partition("\n")[0]
        raise LakeError(f"the lake at {place.root} was written by an older Newsmill ({said}): `newsmill lake upgrade`") from error
    return con
