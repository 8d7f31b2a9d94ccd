"""Brings a lake that older code wrote to where today's code can read and write it. I/O.

Rows are left as they are: what a file lacks is null. Any `newsmill run` does the same before it writes; it may be done again.
"""

from pipeline.lake.definitions import definitions
from pipeline.lake.layout import Lake
from pipeline.lake.views import is_current, lacking, prepare
from schemas import LAKE_FORMAT


def upgrade(lake: Lake, *, dry_run: bool = False) -> list[str]:
    """What is to be done, or (without `dry_run`) was done, in words; nothing where the lake is as of today.

    Raises:
        LakeError: there is no lake, or newer code wrote it.
    """
    found, tables = lake.check(), lacking(lake)
    said = [f"format {found} becomes {LAKE_FORMAT}"] if found < LAKE_FORMAT else []
    said += [f"table {name} is new" for name in sorted({name for name, _, missing in tables.values() if missing is None})]
    for name in sorted({name for name, _, missing in tables.values() if missing}):
        columns = sorted({column for of, _, missing in tables.values() if of == name for column in missing or ()})
        said.append(f"table {name} gets {', '.join(columns)}: null in the rows that are there")
    if said or not is_current(lake, definitions(lake)):
        said.append("news.duckdb gets the views and macros of today")
    if said and not dry_run:
        lake.open_for_writing()
        prepare(lake, thoroughly=True)
    return said
