"""Verify says nothing of a healthy lake, and of a damaged one exactly what is wrong; what its remedies say is tried."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold
from pipeline.lake.retire import Rules
from pipeline.lake.staging import begin, finish_shard
from pipeline.lake.verify import Finding, Severity, verify
from pipeline.lake.views import mark_deleted, prepare
from pipeline.lake.watermark import Watermark, closing, move
from schemas import TABLES
from schemas.columns import to_arrow
from schemas.outcome import Superseded
from tests.lake.sample import RULES, add_day, made, moment, shut

FIRST, LAST = date(2026, 10, 31), date(2026, 11, 1)
#: Two days are open; then both are closed, and October with them; then what was moved is deleted.
HOT, CLOSED, RETIRED = moment("2026-11-01T12:00"), moment("2026-11-02T06:10"), moment("2026-11-02T13:00")
PULL, READ = "hot/date=2026-11-01/20261101T100000000Z-pull", "hot/date=2026-11-01/20261101T100000000Z-read"
RAW = "raw/date=2026-11-01/20261101T100000000Z"


@pytest.fixture(scope="session")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same lake open, closed, and with what was moved deleted."""
    root = tmp_path_factory.mktemp("lakes")
    lake = made(root / "hot")
    for day in (FIRST, LAST):
        add_day(lake, day)
    for before, after, now in (("hot", "closed", CLOSED), ("closed", "retired", RETIRED)):
        shutil.copytree(root / before, root / after)
        shut(Lake(root / after), f"{now:%Y-%m-%dT%H:%M}")
    return {name: root / name for name in ("hot", "closed", "retired")}


@pytest.fixture
def lake(request: pytest.FixtureRequest, lakes: dict[str, Path], tmp_path: Path) -> Lake:
    """A copy to damage; of the open one, where the test names no other."""
    copy = Lake(tmp_path / "lake")
    shutil.copytree(lakes[getattr(request, "param", "hot")], copy.root)
    prepare(copy)
    return copy


def in_state(state: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("lake", [state], indirect=True)


def checked(lake: Lake, rules: Rules = RULES) -> list[tuple[str, str, str, str, str]]:
    """What verify finds, raw bytes included, at the moment to which the lake was brought."""
    return verify_at(lake, HOT if not (lake.root / "closed").exists() else CLOSED if lake.days() else RETIRED, rules)


def verify_at(lake: Lake, now: datetime, rules: Rules = RULES) -> list[tuple[str, str, str, str, str]]:
    return [(f.severity.value, f.kind, f.place, f.problem, f.remedy) for f in verify(lake, now, rules, raw=True)]


def flip(path: Path) -> None:
    """One bit of the middle byte is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def restored(place: str) -> str:
    return f"restore {place} from a copy of the lake"


def again(place: str, staged: str) -> str:
    return f"move {place} out of the lake, make the directory staging/{staged} and call `newsmill run`: it is done again from the bytes it kept"


def edit(path: Path, change: Callable[[dict], object]) -> None:
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


@pytest.mark.parametrize("lake", ["hot", "closed", "retired"], indirect=True)
def test_of_a_healthy_lake_nothing_is_said(lake: Lake) -> None:
    assert checked(lake) == []


def rewrite(path: Path, change: Callable[[list[dict]], object], schema: Callable[[pa.Schema], pa.Schema] = lambda s: s) -> None:
    """Other rows, or other columns, in a file whose batch then says that they are what it wrote."""
    table = pq.read_table(path, partitioning=None)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema(table.schema)), path)
    if not rows:
        path.unlink()
    if (note := path.parent / "commit.json").exists():
        edit(note, lambda said: (said["rows"].update({path.stem: len(rows)}), said.pop("sha256", None)))


BYTES = "does not hold the bytes that were written (its SHA-256 is another)"
PULL_AGAIN = f"{restored(PULL)}; without one {again(PULL, '20261101T100000000Z-pull')}"
READ_AGAIN = f"{restored(READ)}; without one {again(READ, '20261101T100000000Z-read')}"
TAG = "hot/date=2026-11-01/20261101T100000000Z-tag"
TAG_AGAIN = f"{restored(TAG)}; without one move {TAG} out of the lake and call `newsmill run`: what it tagged is tagged again"


def unchecked(table: str, compared: str) -> tuple[str, str, str, str, str]:
    problem = f"rows of {table} cannot be read, so these were not compared: {compared}"
    return ("warning", "unchecked", "lake", problem, "mend what else is named here, and call `newsmill lake verify` again")


def test_a_flipped_byte_is_found_and_what_rests_on_the_file_is_left_out(lake: Lake) -> None:
    flip(lake.root / PULL / "visits.parquet")
    flip(lake.root / TAG / "taggings.parquet")
    assert checked(lake) == [
        ("error", "damaged", f"{PULL}/visits.parquet", BYTES, PULL_AGAIN),
        ("error", "damaged", f"{TAG}/taggings.parquet", BYTES, TAG_AGAIN),
        unchecked(
            "taggings, visits",
            "taggings (version_id) in articles; mentions (tagging_id) in taggings; sentiments (tagging_id) in taggings; "
            "superseded (id) in taggings; superseded (replaced_by) in taggings; mentions and taggings",
        ),
    ]


def test_a_file_that_is_missing_cut_or_short_of_rows(lake: Lake) -> None:
    """Also in batches of before their notes named hashes."""
    (lake.root / PULL / "visits.parquet").unlink()
    keys, pages = lake.root / READ / "article_keys.parquet", lake.root / READ / "pages.parquet"
    rewrite(pages, lambda rows: rows.pop())
    edit(pages.parent / "commit.json", lambda said: said["rows"].update(pages=3))
    keys.write_bytes(keys.read_bytes()[:-9])
    *found, last = checked(lake)
    assert [(*f[:3], f[4]) for f in found] == [
        ("error", "missing", f"{PULL}/visits.parquet", PULL_AGAIN),
        ("error", "rows", f"{READ}/pages.parquet", READ_AGAIN),
        ("error", "damaged", f"{READ}/article_keys.parquet", READ_AGAIN),
    ]
    assert found[0][3] == "is missing" and found[1][3] == "holds 2 rows instead of 3"
    assert found[2][3].startswith("cannot be read (Parquet magic bytes not found in footer")
    assert last[1] == "unchecked"


def test_a_copied_directory_a_renamed_one_and_one_that_passes_for_another_batch(lake: Lake) -> None:
    other = "hot/date=2026-11-01/20261101T110000000Z-pull"
    shutil.copytree(lake.root / PULL, lake.root / other)
    copied = (
        "error",
        "foreign",
        other,
        "says that it is 20261101T100000000Z-pull, which is there too",
        f"move {other} out of the lake",
    )
    assert checked(lake) == [copied]
    edit(lake.root / other / "commit.json", lambda said: said.update(batch_id="20261101T110000000Z"))
    assert checked(lake) == [
        (
            "error",
            "doubled",
            other,
            f"holds what {PULL} holds already: 3 entries, 2 visits",
            f"move {other} out of the lake: {PULL} holds all its rows",
        )
    ]
    shutil.rmtree(lake.root / other)
    (lake.root / PULL).rename(lake.root / other)
    name = Path(PULL).name
    assert checked(lake) == [("error", "foreign", other, f"says that it is {name}", f"rename it to {name}")]


def test_a_note_that_is_missing_or_damaged(lake: Lake) -> None:
    (lake.root / PULL / "commit.json").unlink()
    (lake.root / TAG / "commit.json").write_text("{")
    found = checked(lake)
    assert found[:2] == [
        ("error", "note", f"{PULL}/commit.json", "is missing", PULL_AGAIN),
        ("error", "note", f"{TAG}/commit.json", "is damaged", TAG_AGAIN),
    ]
    assert [f[1] for f in found[2:]] == ["unchecked"]


def test_what_no_commit_placed(lake: Lake) -> None:
    root = lake.root
    (root / "hot/date=2026-11-01/mine").mkdir()
    shutil.copy(root / PULL / "visits.parquet", root / "hot/date=2026-11-01/mine")
    shutil.copy(root / PULL / "visits.parquet", root / TAG)
    (root / READ / "notes.txt").touch()
    (root / "hot/date=2026-11-01/todo.txt").touch()
    (root / "hot/old").mkdir()
    (root / "cold/visits/date=2026-11-01.parquet").touch()
    (root / "closed").mkdir(exist_ok=True)
    (root / "closed/notes.txt").touch()
    (root / "staging/mine").mkdir()
    moved = "move {0} out of the lake".format
    assert sorted(f for f in verify_at(lake, HOT)) == [
        ("error", "stranger", f"{TAG}/visits.parquet", "is not in the note of its batch, and views read it", moved(f"{TAG}/visits.parquet")),
        (
            "error", "stranger", "hot/date=2026-11-01/mine", "was placed by no commit, and views read what it holds: visits",
            moved("hot/date=2026-11-01/mine"),
        ),
        ("warning", "stranger", "closed/notes.txt", "is no record of a closing", moved("closed/notes.txt")),
        (
            "warning", "stranger", "cold/visits/date=2026-11-01.parquet", "was written by no closing",
            moved("cold/visits/date=2026-11-01.parquet"),
        ),
        ("warning", "stranger", f"{READ}/notes.txt", "is not in the note of its batch", moved(f"{READ}/notes.txt")),
        ("warning", "stranger", "hot/date=2026-11-01/todo.txt", "was placed by no commit", moved("hot/date=2026-11-01/todo.txt")),
        ("warning", "stranger", "hot/old", "was placed by no commit", moved("hot/old")),
        ("warning", "stranger", "staging/mine", "belongs to no batch", moved("staging/mine")),
    ]  # fmt: skip


def test_columns_of_another_type_and_columns_that_are_not_there_yet(lake: Lake) -> None:
    visits, articles = lake.root / PULL / "visits.parquet", lake.root / READ / "articles.parquet"
    rewrite(
        visits,
        lambda rows: [r.update(status="x") for r in rows],
        lambda s: s.set(s.get_field_index("status"), pa.field("status", pa.string())),
    )
    rewrite(articles, lambda rows: None, lambda s: s.remove(s.get_field_index("genre")))
    lacks = "lacks columns of today (genre), and evolved.json does not name its table"
    add_name = 'add "articles" to the list in evolved.json'
    found = checked(lake)
    assert found[:2] == [
        (
            "error",
            "columns",
            f"{PULL}/visits.parquet",
            "has columns that are not as the contract says: status (string)",
            PULL_AGAIN,
        ),
        ("error", "evolved", f"{READ}/articles.parquet", lacks, add_name),
    ]
    (lake.root / "evolved.json").write_text('["articles"]')
    assert [f[:2] for f in checked(lake)] == [("error", "columns"), ("warning", "outdated")]


def test_small_files_that_are_damaged(lake: Lake) -> None:
    for name in ("format.json", "evolved.json", "watermark.json"):
        (lake.root / name).write_text("{")
    (lake.root / "deleted.parquet").write_text("x")
    (lake.root / "locks").mkdir(exist_ok=True)
    (lake.root / "locks/pull.json").write_text("{")
    (lake.root / "hot/date=1970-01-01/schema/visits.parquet").unlink()
    every = json.dumps([*TABLES, "bodies"])
    lock = f"{lake.root}/locks/pull.json is damaged"
    *found, locked = checked(lake)
    assert found == [
        ("error", "format", "format.json", "is damaged", 'write {"format": 2} into it'),
        ("error", "watermark", "watermark.json", "is damaged", 'write {"day": null, "month": null} into it'),
        ("error", "deleted", "deleted.parquet", "is damaged", "delete it; any `newsmill run` puts it back"),
        ("error", "evolved", "evolved.json", "is damaged", f"write {every} into it: files of all tables are read by column name then"),
        (
            "error", "schema", "hot/date=1970-01-01/schema/visits.parquet", "is missing, and views read it",
            "any `newsmill run` puts it back",
        ),
    ]  # fmt: skip
    assert locked[:3] == ("error", "lock", "locks") and locked[3].startswith(lock)
    (lake.root / "format.json").write_text('{"format": 2}')
    (lake.root / "evolved.json").write_text(every)
    (lake.root / "watermark.json").write_text('{"day": null, "month": null}')
    (lake.root / "deleted.parquet").unlink()
    (lake.root / "locks/pull.json").unlink()
    prepare(lake)
    assert checked(lake) == []


def test_rows_that_others_name(lake: Lake) -> None:
    rewrite(lake.root / READ / "articles.parquet", lambda rows: rows.pop(0))
    rewrite(lake.root / TAG / "mentions.parquet", lambda rows: rows.pop(0))
    assert checked(lake) == [
        (
            "error", "reference", "articles",
            "lacks rows that others name, 1 of outcomes (version_id: v_1101100), 1 of outcomes (article_id: a_1101100), "
            "1 of article_keys (article_id: a_1101100), 1 of relations (other_version_id: v_1101100), "
            "1 of taggings (version_id: v_1101100), 1 of superseded (id: v_1101100); "
            "they are of 20261101T100000000Z-read, 20261101T100000000Z-tag, 20261101T101000000Z-read",
            restored("the files of articles that held them"),
        ),
        (
            "error", "mentions", "taggings",
            "1 taggings say another number of mentions than there are, t_v_1101100 for one; they are of 20261101T100000000Z-tag",
            restored("the files of mentions that held them"),
        ),
    ]  # fmt: skip


def test_the_account_of_an_entry(lake: Lake) -> None:
    """A gap between attempts, an attempt after a final one, one that would never be tried again, one that was never tried."""
    later = lake.root / "hot/date=2026-11-01/20261101T101000000Z-read/outcomes.parquet"

    def more(rows: list[dict]) -> None:
        (second,) = rows
        rows += [{**second, "entry_id": "e_1101100", "attempt": 2}, {**second, "entry_id": "e_1101101", "attempt": 3}]

    rewrite(later, more)
    rewrite(lake.root / READ / "outcomes.parquet", lambda rows: rows[1].update(final=False, due_at=None, attempt=1))
    rewrite(later, lambda rows: rows.pop(0))
    rewrite(lake.root / "hot/date=2026-10-31/20261031T101000000Z-read/outcomes.parquet", lambda rows: rows.pop())
    assert checked(lake) == []
