"""The contract: what is added is accepted by name, what is taken away is refused.

`.venv/bin/python -m tests.schemas.test_contract` accepts additions into schemas/contract.json.
"""

import copy
import json
from pathlib import Path

import pytest

from schemas import contract

PINNED = Path(contract.__file__).parent / "contract.json"


def test_nothing_promised_is_gone() -> None:
    assert contract.broken(contract.pinned(), contract.current()) == []


def test_what_was_added_is_accepted() -> None:
    assert contract.pinned() == contract.current(), "accept it: .venv/bin/python -m tests.schemas.test_contract"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("tables", "visits", "etag"), None, "visits.etag: the column is gone"),
        (("tables", "mentions"), None, "mentions: the table is gone"),
        (("tables", "mentions", "start"), "int32", "mentions.start: was int64, is int32"),
        (("tables", "feed_state", "last_visit"), "struct<visit_id: string not null>", "feed_state.last_visit: was struct"),
        (("tables", "articles", "title"), "string or null", "articles.title: was string, is string or null"),
        (("values", "OutcomeCode"), ["article"], "OutcomeCode: the value 'copy' is gone"),
    ],
)
def test_what_breaks_it_is_named(path: tuple[str, ...], value: object, said: str) -> None:
    now = copy.deepcopy(contract.pinned())
    *above, last = path
    place = now
    for key in above:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert any(one.startswith(said) for one in contract.broken(contract.pinned(), now))
    now["format"] += 1
    assert contract.broken(contract.pinned(), now) == []


def test_columns_tables_and_values_may_be_added_and_null_may_end() -> None:
    now = copy.deepcopy(contract.pinned())
    now["tables"]["visits"]["later"] = "string or null"
    now["tables"]["visits"]["etag"] = "string"
    now["tables"]["figures"] = {"id": "string"}
    now["tables"]["feed_state"]["last_visit"] = now["tables"]["feed_state"]["last_visit"][:-1] + ", later: string>"
    now["values"]["OutcomeCode"].append("later")
    assert contract.broken(contract.pinned(), now) == []


if __name__ == "__main__":
    lost = contract.broken(contract.pinned(), contract.current()) if PINNED.exists() else []
    if lost:
        raise SystemExit(
            "\n".join(["not accepted, readers of the lake would break; raise LAKE_FORMAT and bring lakes there:", *lost])
        )
    PINNED.write_text(json.dumps(contract.current(), indent=1) + "\n")
