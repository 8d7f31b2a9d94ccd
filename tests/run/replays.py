"""What tests of the replay share; `python -m tests.run.replays WHERE NEW` replays and kills itself there, as in killed.py."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.lake import connect
from pipeline.lake.durable import sha256
from pipeline.lake.layout import Lake
from pipeline.read import read_page as _read_page
from pipeline.run import Days, Replayed, replay_days
from pipeline.settings import Settings
from schemas import TABLES
from schemas.article import Promo, Reading
from schemas.columns import arrow_schema

#: Each lake has its own; tombstones are committed together.
APART = ("feed_state", "late_commits")
SOLD = "teilte der Konzern"


def made_anew(settings: Settings, new: Path, days: Days = Days()) -> Replayed:
    return replay_days(settings, Lake(new), days)


def content(lake: Path, where: str = "true") -> dict[str, list[Any]]:
    """Every row of every table, but for the version that wrote it and when it was committed."""
    found = {}
    with connect(lake) as con:
        for table in (name for name in TABLES if name not in APART):
            columns = ", ".join(f'"{name}"' for name in arrow_schema(TABLES[table].row).names)
            dated = "" if table == "forgotten" else ", batch_id, stage, date"
            found[table] = sorted(map(repr, con.sql(f"SELECT {columns}{dated} FROM lake.{table} WHERE {where}").fetchall()))
    return found


def files_of(lake: Path) -> dict[str, tuple[str, int]]:
    """Every file of a lake, with its bytes' hash and time."""
    return {str(p.relative_to(lake)): (sha256(p), p.stat().st_mtime_ns) for p in lake.rglob("*") if p.is_file()}


def read_otherwise(*args: Any, **known: Any) -> Any:
    """Reads a page as if a line with `SOLD` in it were promotion; the workers import it from here."""
    reading = _read_page(*args, **known)
    if not isinstance(reading, Reading) or SOLD not in reading.text:
        return reading
    lines = reading.text.split("\n")
    sold = [line for line in lines if SOLD in line]
    promo = (*reading.promo, *(Promo(kind="promotion", text=line, at=0) for line in sold))
    return replace(reading, text="\n".join(line for line in lines if SOLD not in line), blocks=(), promo=promo)


if __name__ == "__main__":
    from tests.run.killed import watch

    passed: list[str] = []
    watch(sys.argv[1], passed)
    made_anew(Settings.from_env(os.environ), Path(sys.argv[2]))
    print(len(passed))
