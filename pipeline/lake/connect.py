"""Opens a lake for questions: a DuckDB connection with its tables, views and macros. Reads only."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
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
    script = definitions(place)
    shared = _SHARED.get()
    if shared is None:
        return _open(place, script)[0]
    made_of = script, _identity(place)
    database = shared.get(place.root)
    if database is None or database.made_of != made_of:
        database = shared[place.root] = _Database(made_of, *_open(place, script))
    else:
        database.look_anew()
    con = database.con.cursor()
    con.execute(f"{_SETTINGS}; USE news" if database.attached else _SETTINGS)
    return con


# the second question to a year finds what the first one learnt of its files; those that were replaced are read anew
_SETTINGS = "SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET parquet_metadata_cache = true"


@dataclass(frozen=True, slots=True)
class _Database:
    """What connections share: a script's views, and news.duckdb as it was where that is attached."""

    made_of: tuple[str, tuple[int, ...]]
    con: duckdb.DuckDBPyConnection
    attached: bool
    look_anew: Callable[[], None]


_SHARED: ContextVar[dict[Path, _Database] | None] = ContextVar("_SHARED", default=None)


@contextmanager
def opened_once() -> Iterator[None]:
    """Within it, this thread's connections to a lake share one database, as opening one takes longer than most questions.

    Each finds what is in the lake when it is made; another database is opened where the lake's views are others since. Settings,
    temporary tables and what is registered are each connection's own.
    """
    if _SHARED.get() is not None:
        yield
        return
    token = _SHARED.set({})
    try:
        yield
    finally:
        _SHARED.reset(token)  # a database ends with its last connection; closing this one would close the others


def _identity(place: Lake) -> tuple[int, ...]:
    with suppress(FileNotFoundError):
        stat = (place.root / "news.duckdb").stat()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
    return ()


def _open(place: Lake, script: str) -> tuple[duckdb.DuckDBPyConnection, bool, Callable[[], None]]:
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    con.execute(_SETTINGS)
    look_anew = store_of(place.root).let_read(con, place.root)
    if attach(con, place, script):
        return con, True, look_anew
    try:
        make(con, script)
    except duckdb.IOException as error:
        raise LakeError(
            f"the lake at {place.root} lacks files of its own ({error}); any `newsmill run` puts them back"
        ) from error
    except duckdb.BinderException as error:
        said = str(error).partition("\n")[0]
        raise LakeError(f"the lake at {place.root} was written by an older Newsmill ({said}): `newsmill lake upgrade`") from error
    return con, False, look_anew
