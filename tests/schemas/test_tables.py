"""The contracts: every column described, every type known to Arrow, rows the same after a round trip, ids stable."""

import dataclasses
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from schemas import TABLES, bodies_schema, ids, table_schema
from schemas.article import Access, Article, Attempt, Block, Promo
from schemas.columns import arrow_schema, from_arrow, to_arrow

NOW = datetime(2026, 11, 23, 1, 42, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(name: str) -> None:
    schema = table_schema(name)
    assert len(set(schema.names)) == len(schema.names)
    for field in schema:
        assert len(field.metadata[b"description"]) >= 4, field.name
    assert set(TABLES[name].sorted_by) <= set(schema.names)
    assert schema.names[-4:] == ["batch_id", "stage", "pipeline_version", "available_at"]
    assert schema.field("available_at").type == pa.timestamp("us", tz="UTC")


def test_packs_of_bytes_carry_no_stamp() -> None:
    assert "available_at" not in bodies_schema().names and bodies_schema().field("content").type == pa.binary()


def test_rows_come_back_as_they_went_nested_ones_too() -> None:
    article = Article(
        article_id="a_1", version_id="v_1", entry_id="e_1", revision="r_1", feed_id="f", source="S", title="Grüße", text="x\ny",
        blocks=(Block(kind="paragraph", start=0, end=1), Block(kind="heading", start=2, end=3)),
        promo=(Promo(kind="newsletter", text="Jetzt anmelden", at=2),), authors=("A", "B"), published_at=NOW, seen_at=NOW,
        access=Access.TEASER, text_hash="h", extractor="x-1",
    )  # fmt: skip
    attempt = Attempt(
        entry_id="e_1", revision="r_1", feed_id="f", source="S", attempt=2, seen_at=NOW, position=0, title="t", link_key="k",
        ended_at=NOW, article=article,
    )  # fmt: skip
    rows = [attempt, dataclasses.replace(attempt, article=None, code="gone", detail="status 404")]
    table = to_arrow(rows, Attempt)
    assert table.schema.equals(arrow_schema(Attempt)) and from_arrow(table, Attempt) == rows


def test_a_column_of_no_known_type_is_refused() -> None:
    @dataclasses.dataclass
    class Odd:
        value: complex

    with pytest.raises(TypeError, match="no Arrow type for <class 'complex'>"):
        arrow_schema(Odd)


def test_ids_are_what_they_were() -> None:
    """Rows written with them stay: another digest would give every entry a second life."""
    assert ids.entry_id("ecb", "https://a.example/1") == "e_8945b6b089d2be7c1a54"
    assert ids.article_id("https://a.example/1") == "a_d8c63c642d19ef40b3fd"
    assert ids.tagging_id("v_1", "rules-1", "r") == ids.tagging_id("v_1", "rules-1", "r") != ids.tagging_id("v_1", "rules-1r", "")
    assert len({ids.wording_of("a", None), ids.wording_of("a", ""), ids.wording_of("a", "", None), ids.wording_of("a")}) == 4
    assert ids.revision_id("w_1", None) != ids.revision_id("w_1", "r_0")


def test_half_a_surrogate_pair_costs_a_character_and_nothing_more() -> None:
    block = Block(kind="a\ud83db", start=0, end=1)
    assert to_arrow([block], Block)["kind"].to_pylist() == ["a\ufffdb"]


def test_a_row_older_than_a_column_says_what_is_said_where_nothing_is() -> None:
    old = pa.table({"name": ["n"], "value": [None]}, schema=pa.schema([("name", pa.string()), ("value", pa.string())]))

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Row:
        name: str
        value: str = "default"

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Unknown:
        name: str
        value: str | None = "default"

    assert (from_arrow(old, Row), from_arrow(old, Unknown)) == ([Row(name="n")], [Unknown(name="n", value=None)])
