"""Verify says nothing of a healthy lake, and of a damaged one exactly what is wrong; what its remedies say is tried."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold
from pipeline.lake.retire import Rules
from pipeline.lake.staging import begin, finish_shard
from pipeline.lake.verify import Finding, Severity, verify
from pipeline.lake.views import mark_deleted, prepare
from pipeline.lake.watermark import Watermark, move
from schemas import TABLES
from schemas.columns import to_arrow
from schemas.outcome import Forgotten, Superseded
from tests.lake.sample import RULES, add, add_day, made, moment, shut
from tests.run.publisher import Desk, publishing

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
    copy, state = Lake(tmp_path / "lake"), lakes[getattr(request, "param", "hot")]
    prepared = state.with_name(f"{state.name} in its place")
    if prepared.exists():
        shutil.copytree(prepared, copy.root)
    else:
        shutil.copytree(state, copy.root)
        prepare(copy)
        shutil.copytree(copy.root, prepared)
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
    how = f"move {place} out of the lake, make the directory staging/{staged} and call `newsmill run`"
    return f"{how}: it is done again from the bytes it kept"


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


def test_a_read_without_its_bytes_is_done_again_only_where_it_fetched_nothing(lake: Lake) -> None:
    """Pages fetched anew would make other versions than those that were tagged."""
    shutil.rmtree(lake.root / f"{RAW}-read")
    flip(lake.root / READ / "outcomes.parquet")
    damaged = ("error", "damaged", f"{READ}/outcomes.parquet", BYTES, restored(READ))
    assert checked(lake)[0] == damaged
    (lake.root / READ / "pages.parquet").unlink()
    edit(lake.root / READ / "commit.json", lambda said: said["rows"].pop("pages"))
    simply = f"move {READ} out of the lake and call `newsmill run`: what it ended is due again"
    assert checked(lake)[0] == (*damaged[:4], f"{restored(READ)}; without one {simply}")


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
        (
            "error", "stranger", f"{TAG}/visits.parquet", "is not in the note of its batch, and views read it",
            moved(f"{TAG}/visits.parquet"),
        ),
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
        (
            "error", "evolved", "evolved.json", "is damaged",
            f"write {every} into it: files of all tables are read by column name then",
        ),
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
    """An attempt after a final one, a gap, one that will never be tried again, one that was never tried."""

    def more(rows: list[dict]) -> None:
        (second,) = rows
        rows += [
            {**second, "entry_id": "e_1101100", "revision": "r_0", "attempt": 2},
            {**second, "entry_id": "e_1101101", "revision": "r_1", "attempt": 3},
        ]
        second.update(final=False)

    rewrite(lake.root / READ / "outcomes.parquet", lambda rows: rows[1].update(final=False, due_at=HOT))
    rewrite(lake.root / "hot/date=2026-11-01/20261101T101000000Z-read/outcomes.parquet", more)
    for batch in ("20261031T100000000Z-read", "20261031T101000000Z-read"):
        path = lake.root / "hot/date=2026-10-31" / batch / "outcomes.parquet"
        rewrite(path, lambda rows: [rows.remove(r) for r in list(rows) if r["revision"] == "r_2"])
    assert checked(lake) == [
        (
            "error", "gap", "outcomes", "1 entry revisions have attempts that are not 1 to n, e_1101101 r_1 for one: 1, 3",
            f"{restored('the files of outcomes that held them')}; without one nothing else is lost: the last attempt counts",
        ),
        (
            "error", "after_final", "outcomes", "1 entry revisions have attempts after a final one, e_1101100 r_0 for one: 1, 2",
            "none is needed for reading: the last attempt counts",
        ),
        (
            "error", "stuck", "outcomes",
            "1 entry revisions have a last attempt that is neither final nor due again, e_1101102 r_2 for one: 1, 2",
            restored("the files of outcomes that said when"),
        ),
        (
            "warning", "waiting", "outcomes",
            "1 entry revisions have been due for over a day, the oldest since 2026-10-31 10:00 UTC: e_1031102",
            "`newsmill run` reads what is due",
        ),
    ]  # fmt: skip


def test_what_is_unfinished_or_overdue(lake: Lake) -> None:
    begun, young, shard = (BatchRef(f"20261101T{hour}0000Z", "pull") for hour in ("01", "11", "10"))
    begin(lake, begun)
    begin(lake, young)
    rows = {"superseded": to_arrow([Superseded(what="version", id="v_1", replaced_by="v_2", why="revised")], Superseded)}
    finish_shard(lake, shard, "shard-0", rows)
    (lake.staging(shard) / "shard-0/superseded.parquet").unlink()
    aside = lake.root / "staging/.commit.x"
    aside.mkdir()
    os.utime(aside, (time.time() - 90_000,) * 2)
    (lake.root / READ / "confirmed").unlink()
    os.utime(lake.root / READ, (HOT.timestamp() - 7 * 3600,) * 2)
    (lake.root / "news.duckdb").unlink()
    lost = f"staging/{shard.name}/shard-0"
    expected = [
        (
            "error", "shard", lost, "should hold the rows {'superseded': 1} and holds {}",
            f"delete {lost} and call `newsmill run`: it is done again from the bytes it kept",
        ),
        (
            "warning", "begun", f"staging/{begun.name}", "was begun 11 h ago and left",
            "`newsmill run` brings it to its end from the bytes it kept",
        ),
        (
            "warning", "half_written", "staging/.commit.x", "was left half-written more than a day ago",
            "the next batch of any stage clears it away",
        ),
        (
            "warning", "unsettled", READ, "was never settled from when it counts, so as_of macros leave it out",
            "`newsmill lake close` settles it when its day is closed",
        ),
        (
            "warning", "outdated", "news.duckdb", "is missing; `newsmill` itself does without it",
            "any `newsmill run` writes it anew",
        ),
    ]  # fmt: skip
    assert checked(lake) == expected
    with hold(lake, begun, "shard-0"):
        assert checked(lake) == [f for f in expected if f[1] != "begun"]
    shutil.rmtree(lake.root / "staging")
    shut(lake, "2026-11-02T06:10")
    assert checked(lake) == []


def test_days_that_nobody_closes_and_moved_files_that_nobody_deletes(lake: Lake) -> None:
    since = "could have been closed since 2026-11-{} 06:00 UTC".format
    close = "`newsmill lake close` closes it"
    overdue = [("warning", "overdue", f"hot/date={day}", since(at), close) for day, at in ((FIRST, "01"), (LAST, "02"))]
    assert verify_at(lake, moment("2026-11-03T05:59")) == overdue[:1]
    assert verify_at(lake, moment("2026-11-03T06:00")) == overdue
    shut(lake, "2026-11-03T06:00")
    assert verify_at(lake, moment("2026-11-04T11:59")) == []
    delete = "`newsmill lake close` deletes them"
    moved = "4 moved directories have been to delete since 2026-11-03 12:00 UTC"
    assert verify_at(lake, moment("2026-11-04T12:00")) == [
        ("warning", "not_deleted", f"hot/date={FIRST}", moved, delete),
        ("warning", "not_deleted", "cold/*/date=2026-10-*", moved.replace("4 moved directories", "10 moved files"), delete),
        ("warning", "not_deleted", f"hot/date={LAST}", moved, delete),
    ]
    shut(lake, "2026-11-04T12:00")
    assert verify_at(lake, moment("2026-11-04T12:00")) == []


COLD = "cold/entries/date=2026-11-01/data.parquet"
MONTH = "cold/mentions/month=2026-10/data.parquet"


@in_state("closed")
def test_a_damaged_day_is_closed_again_while_what_it_took_is_there(lake: Lake) -> None:
    flip(lake.root / COLD)
    (lake.root / MONTH).unlink()
    how = 'set "day": "2026-10-31" in watermark.json and call `newsmill lake close` while nobody writes'
    damaged = ("error", "damaged", COLD, BYTES, f"{restored(COLD)}; without one {how}: what was closed is still in hot/")
    found = checked(lake)
    missing = ("error", "missing", MONTH, "is missing", restored(MONTH))
    assert [*found[:2], *(f[1] for f in found[2:])] == [missing, damaged, "unchecked"]
    edit(lake.root / "watermark.json", lambda said: said.update(day="2026-10-31"))
    shut(lake, "2026-11-02T06:10")
    assert checked(lake) == [missing, unchecked("mentions", "mentions (tagging_id) in taggings; mentions and taggings")]


@in_state("retired")
def test_a_damaged_day_of_which_all_else_is_deleted_can_only_be_restored(lake: Lake) -> None:
    flip(lake.root / COLD)
    assert checked(lake)[0] == ("error", "damaged", COLD, BYTES, restored(COLD))


@in_state("closed")
def test_damage_to_what_only_older_connections_read(lake: Lake) -> None:
    day = "cold/visits/date=2026-10-31/data.parquet"
    flip(lake.root / day)
    flip(lake.root / PULL / "visits.parquet")
    after = "and `newsmill lake close` deletes it after its time of grace"
    assert checked(lake) == [
        (
            "warning", "damaged", f"{PULL}/visits.parquet", f"{BYTES}; only connections opened before the closing read it",
            f"none is needed: its rows are in cold/, {after}",
        ),
        (
            "warning", "damaged", day, f"{BYTES}; only connections opened before a closing read it",
            "none is needed: `newsmill lake close` deletes it after its time of grace",
        ),
    ]  # fmt: skip
    shut(lake, "2026-11-02T12:10")
    assert checked(lake) == []


@in_state("retired")
def test_records_that_are_lost_damaged_or_say_something_else(lake: Lake) -> None:
    closed = lake.root / "closed"
    kept = (closed / "2026-10-31.json").read_bytes()
    (closed / "2026-10-31.json").unlink()
    (closed / "2026-10.json").write_text("{")
    lost = (
        "error",
        "record",
        "closed/2026-10-31.json",
        "is missing, and its day or month is closed",
        restored("closed/2026-10-31.json"),
    )
    damaged = ("error", "record", "closed/2026-10.json", "is damaged", restored("closed/2026-10.json"))
    assert checked(lake) == [damaged, lost]
    (closed / "2026-10.json").unlink()
    assert checked(lake) == [(*lost[:2], "closed/2026-10.json", lost[3], restored("closed/2026-10.json")), lost]
    (closed / "2026-10-31.json").write_bytes(kept)
    (closed / "2026-10.json").write_bytes(kept)
    other = ("error", "record", "closed/2026-10.json", "is the record of 2026-10-31", restored("closed/2026-10.json"))
    assert checked(lake) == [other]


@in_state("retired")
def test_a_month_has_the_rows_its_days_had(lake: Lake) -> None:
    day = "cold/mentions/date=2026-10-31/data.parquet"
    edit(lake.root / "closed/2026-10-31.json", lambda said: said["files"][day].update(rows=7))
    problem = "has 6 rows of mentions, and its days had 7"
    assert checked(lake) == [("error", "rows", "closed/2026-10.json", problem, restored("closed/ and cold/mentions"))]


@in_state("closed")
def test_cold_files_that_no_record_names(lake: Lake) -> None:
    mine, left = "cold/superseded/date=2026-11-01/data.parquet", "cold/visits/date=2026-11-02/data.parquet"
    (lake.root / mine).unlink()
    edit(lake.root / "closed/2026-11-01.json", lambda said: said["files"].pop(mine))
    for place in (mine, left):
        (lake.root / place).parent.mkdir(exist_ok=True)
        shutil.copy(lake.root / COLD, lake.root / place)
    assert checked(lake) == [
        ("error", "stranger", mine, "was written by no closing, and views read it", f"move {mine} out of the lake"),
        (
            "warning", "unfinished", left, "was left by a closing that was broken off",
            "`newsmill lake close` replaces it when its day or month is closed",
        ),
    ]  # fmt: skip


@in_state("closed")
def test_a_watermark_that_was_set_back_or_ahead(lake: Lake) -> None:
    write = 'write {"day": "2026-11-01", "month": "2026-10"} into it'
    move(lake, Watermark(date(2026, 11, 2), "2026-10"))
    prepare(lake)
    assert checked(lake) == [("error", "watermark", "watermark.json", "names 2026-11-02, which was never closed", write)]
    move(lake, Watermark(LAST, "2026-11"))
    prepare(lake)
    assert checked(lake)[0] == (
        "error",
        "watermark",
        "watermark.json",
        "names 2026-11, of which days after 2026-11-01 are open",
        write,
    )
    move(lake, Watermark(FIRST, "2026-10"))
    prepare(lake)
    behind = (
        "warning",
        "watermark",
        "watermark.json",
        "does not cover what has a record: 2026-11-01",
        "`newsmill lake close` closes it again",
    )
    assert checked(lake) == [behind]
    shut(lake, "2026-11-02T06:10")
    assert checked(lake) == []


@in_state("retired")
def test_a_watermark_behind_what_is_deleted(lake: Lake) -> None:
    (lake.root / "watermark.json").unlink()
    prepare(lake)
    write = 'write {"day": "2026-11-01", "month": "2026-10"} into it'
    hidden = "covers days through None, and hot days through 2026-11-01 are deleted: no view can be read"
    assert checked(lake)[0] == ("error", "watermark", "watermark.json", hidden, write)
    (lake.root / "watermark.json").write_text(write.removeprefix("write ").removesuffix(" into it"))
    mark_deleted(lake, LAST, LAST, None)
    prepare(lake)
    hidden = "covers months through 2026-10, and days through 2026-11-01 have been replaced by months: no view can be read"
    assert checked(lake) == [("error", "watermark", "watermark.json", hidden, write)]


@in_state("closed")
def test_what_came_after_its_day_was_closed(lake: Lake) -> None:
    late, stray = (f"hot/date=2026-11-01/20261101T{time}Z-pull" for time in ("120000", "120000.late1"))
    stray = f"{late}.late1"
    for place in (late, stray):
        shutil.copytree(lake.root / PULL, lake.root / place)
    assert checked(lake) == [
        ("warning", "late", late, "came after its day was closed, and counts for nothing", "`newsmill run` does its work again"),
        (
            "warning", "late", stray, "lies in a closed day whose closing did not take it, and counts for nothing",
            f"move {stray} out of the lake",
        ),
    ]  # fmt: skip


def test_raw_bytes(lake: Lake) -> None:
    pull, read = (next((lake.root / f"{RAW}-{stage}").iterdir()) for stage in ("pull", "read"))
    rewrite(pull, lambda rows: rows[0].update(content=b"other"))
    read.write_bytes(read.read_bytes()[:-9])
    nothing_else = "without one nothing but the bytes is lost: what was read from them stays"
    later = "raw/date=2026-11-01/20261101T101000000Z-read"
    sha = pq.read_table(next((lake.root / later).iterdir()), partitioning=None)["sha256"][0].as_py()
    shutil.rmtree(lake.root / later)
    owner = pq.read_table(pull, partitioning=None)["owner"][0].as_py()
    place = str(pull.relative_to(lake.root))
    found = checked(lake)
    unreadable = found.pop(1)
    assert found == [
        (
            "error", "body", place, f"holds 1 bodies that are not what their SHA-256 says, {owner} for one",
            f"{restored(place)}; {nothing_else}",
        ),
        (
            "error", "body", later, f"lacks 1 bodies that visits or pages name, {sha} for one",
            f"{restored(later)}; {nothing_else}",
        ),
    ]  # fmt: skip
    assert unreadable[1:3] == ("damaged", str(read.relative_to(lake.root)))
    assert [f.kind for f in verify(lake, HOT, RULES)] == [], "raw bytes are read on demand"
    shutil.rmtree(lake.root / "raw/date=2026-11-01")
    assert [f.kind for f in verify(lake, HOT, RULES, raw=True)] == ["body"] * 3
    assert verify(lake, HOT + timedelta(days=9), replace(RULES, raw_days=8), raw=True)[0].kind == "overdue"


def test_a_lake_that_moves_on_meanwhile_looks_sound(lake: Lake) -> None:
    def meanwhile(what: str, done: int, of: int) -> None:
        if what == "rows" and lake.days():
            shut(lake, "2026-11-02T06:10", Rules(timedelta(0)))

    assert verify(lake, CLOSED, RULES, meanwhile, raw=True) == []
    assert lake.days() == []


def move_and_run(desk: Desk, remedy: str) -> None:
    """Does what a remedy says, to the letter."""
    root = desk.settings.lake
    for place in re.findall(r"move (\S+) out of the lake", remedy):
        (root / place).rename(root.parent / Path(place).name)
    for staged in re.findall(r"make the directory (staging/\S+) and", remedy):
        (root / staged).mkdir()
    assert "call `newsmill run`" in remedy or remedy.startswith("`newsmill run`")
    desk.batch(timedelta(minutes=5))


EVERYTHING = {
    "visits": "visit_id", "entries": "entry_id, revision", "pages": "page_id", "articles": "version_id, text",
    "article_keys": "key, article_id", "outcomes": "entry_id, revision, attempt, code", "taggings": "tagging_id",
    "mentions": "tagging_id, field, start, surface", "sentiments": "tagging_id, company_id, score",
}  # fmt: skip


def rows_of(desk: Desk) -> dict[str, list[tuple]]:
    return {table: desk.rows(f"SELECT {what} FROM lake.{table} ORDER BY ALL") for table, what in EVERYTHING.items()}


def findings(desk: Desk) -> list[Finding]:
    return verify(Lake(desk.settings.lake), desk.now, RULES, raw=True)


def test_work_of_a_damaged_batch_is_done_again_as_the_remedy_says(tmp_path: Path) -> None:
    with publishing() as publisher:
        desk = Desk(tmp_path, publisher)
        desk.batch(timedelta(0))
        assert findings(desk) == []
        whole, asked = rows_of(desk), len(publisher.asked)
        for stage in ("tag", "read", "pull"):
            (batch,) = desk.settings.lake.glob(f"hot/date=2026-11-23/*T0900*-{stage}")
            flip(max(batch.glob("*.parquet"), key=lambda path: path.stat().st_size))
            found = findings(desk)
            assert found[0].place.startswith(str(batch.relative_to(desk.settings.lake)))
            move_and_run(desk, found[0].remedy.partition("without one ")[2])
            assert findings(desk) == []
        fresh = {name: [row for row in rows if row not in whole[name]] for name, rows in rows_of(desk).items()}
        assert {name: set(rows) & set(whole[name]) for name, rows in rows_of(desk).items()} == {
            n: set(r) for n, r in whole.items()
        }
        assert {name for name, rows in fresh.items() if rows} == {"visits"}
        assert set(publisher.asked[asked:]) <= {"feed", "robots.txt"}


def test_work_that_came_after_its_day_was_closed_is_done_again(tmp_path: Path) -> None:
    with publishing() as publisher:
        desk = Desk(tmp_path, publisher)
        desk.batch(timedelta(0))
        whole, lake = rows_of(desk), Lake(desk.settings.lake)
        (place,) = lake.root.glob("hot/date=2026-11-23/*-read")
        place.rename(tmp_path / place.name)
        desk.now += timedelta(hours=22)
        shut(lake, f"{desk.now:%Y-%m-%dT%H:%M}")
        (tmp_path / place.name).rename(place)
        late = str(place.relative_to(lake.root))
        problem, remedy = "came after its day was closed, and counts for nothing", "`newsmill run` does its work again"
        assert [f for f in findings(desk) if f.kind == "late"] == [Finding(Severity.WARNING, "late", late, problem, remedy)]
        move_and_run(desk, remedy)
        assert findings(desk) == []
        again = rows_of(desk)
        assert {name: again[name] for name in whole if name != "visits"} == {n: whole[n] for n in whole if n != "visits"}


def test_what_was_taken_down_may_be_named_and_is_to_be_erased(lake: Lake) -> None:
    """Of an article that was taken down, ids stay in outcomes and in what it superseded; its own rows go."""
    gone = [Forgotten(what="article", id="a_1101100", why="asked"), Forgotten(what="entry", id="e_1101100", why="asked")]
    add(lake, HOT, "forget", forgotten=gone)
    for table in ("articles", "article_keys", "taggings", "mentions", "sentiments"):
        path = lake.root / (TAG if (lake.root / TAG / f"{table}.parquet").exists() else READ) / f"{table}.parquet"
        rewrite(path, lambda rows: [rows.remove(r) for r in list(rows) if "a_1101100" in (r["article_id"], r.get("key"))])
    pack = next((lake.root / f"{RAW}-pull").iterdir())
    rewrite(pack, lambda rows: rows[0].update(content=None))
    problem = "1 takedowns are not at their end: their words may still be in files"
    assert checked(lake) == [("warning", "takedown", "erased.json", problem, "`newsmill lake close` erases them")]
    (lake.root / "erased.json").write_text('{"done": ["20261101T120000000Z-forget"], "rewriting": []}')
    assert checked(lake) == []
    keys = f"{READ}/article_keys.parquet"
    edit(lake.root / READ / "commit.json", lambda said: said.update(sha256={"article_keys.parquet": "of before"}))
    edit(lake.root / "erased.json", lambda said: said["rewriting"].append(keys))
    ended = "`newsmill lake close` ends the takedown that was broken off here"
    assert checked(lake)[0] == ("error", "damaged", keys, BYTES, ended)
    edit(lake.root / READ / "commit.json", lambda said: said.pop("sha256"))
    (lake.root / "erased.json").write_text("{")
    assert [f[1:4] for f in checked(lake)] == [("takedown", "erased.json", "is damaged")]


@in_state("retired")
def test_what_news_duckdb_copied_while_a_file_was_missing(lake: Lake, tmp_path: Path) -> None:
    superseded, news = lake.cold("superseded", "2026-10"), lake.root / "news.duckdb"
    shutil.move(superseded, tmp_path / "aside")
    news.unlink()
    prepare(lake)
    shutil.move(tmp_path / "aside", superseded)
    problem = "has copied 1 rows of superseded where closed files hold 2, and views go by the copy"
    assert checked(lake) == [("error", "copied", "news.duckdb", problem, "delete it; any `newsmill run` writes it anew")]
    news.unlink()
    prepare(lake)
    assert checked(lake) == []
