"""Every column that an analyst meets is described: in its view's file as `-- column name: words`, or as the column of a table."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.lake import connect
from schemas import TABLES, table_schema
from tests.lake.sample import made

MET = {
    "sessions": ["sessions('XETR', '2026-11-01', '2026-11-02')"],
    "company_news": ["company_news('2026-11-01', '2026-11-02')", "news_for('sap')", "company_ids('sap')"],
    "company_day": ["company_day", "company_days('2026-11-01', '2026-11-02')", "company_day_of('XETR')"],
    "movers": ["movers('2026-11-01')"],
    "feed_status": ["feed_status"],
    "why": ["why('a_1')"],
}
OF_TABLES = {field.name for name in TABLES for field in table_schema(name) if b"description" in (field.metadata or {})}


@pytest.mark.parametrize("view", MET)
def test_every_column_is_described_and_every_description_is_of_a_column(view: str, tmp_path: Path) -> None:
    text = files("pipeline.lake").joinpath("sql", f"{view}.sql").read_text()
    told = dict(re.findall(r"^-- column (\w+): (.+)$", text, re.MULTILINE))
    with connect(made(tmp_path / "lake").root) as con:
        columns = {name for source in MET[view] for name in con.sql(f"FROM {source}").columns}
    assert columns - OF_TABLES <= set(told) <= columns
