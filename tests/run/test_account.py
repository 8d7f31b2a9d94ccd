"""The account of a batch: what came in ends once, or the batch fails by name and commits nothing."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LossError
from pipeline.feeds import shard_of
from pipeline.lake import connect
from pipeline.lake.layout import BatchRef
from pipeline.lake.work import due_entries
from pipeline.run import ledger, pull, read, settle, tag, work_shard
from pipeline.run.account import balance, in_words
from pipeline.run.context import Decided
from pipeline.settings import Settings
from pipeline.wire import catalogue
from pipeline.wire.newsroom import publishers
from schemas.columns import to_arrow
from schemas.outcome import CameIn
from schemas.tag import Tagging
from tests.run.publisher import START, STORIES, Desk, publishing
from tests.wire.visit import Clock, running

BATCH = "20261123T090000Z"
SAP = STORIES["sap"][0]
Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        yield Desk(tmp_path, publisher)


def do(settings: Settings, stage: str, batch: str = BATCH) -> str:
    """All shards of one stage's batch, and its commit; the last line of the log."""
    lines = [""]
    for shard in range(settings.shards):
        work_shard(settings, stage, batch, shard, lines.append, lambda: START)
    settle(settings, stage, batch, lines.append, lambda: START)
    return lines[-1]


def wrapped(owner: Any, name: str, change: Callable[[Any], Any]) -> Patch:
    """A bug: what the function answers is changed on its way."""
    real = getattr(owner, name)
    return lambda patch: patch.setattr(owner, name, lambda *given: change(real(*given)))


def in_table(table: str, change: Callable[[Any], Any]) -> Callable[[Decided], Decided]:
    return lambda decided: replace(decided, tables=decided.tables | {table: change(decided.tables[table])})


def first_lost(rows: Any) -> Any:
    return rows.slice(1)


def first_doubled(rows: Any) -> Any:
    import pyarrow as pa

    return pa.concat_tables([rows, rows.slice(0, 1)])


def ledger_forgets(patch: pytest.MonkeyPatch) -> None:
    real = ledger.Ledger.enter
    patch.setattr(ledger.Ledger, "enter", lambda self, a: None if a.title == SAP else real(self, a))


BUGS: dict[str, tuple[str, Patch, str]] = {
    "the ledger loses an attempt": ("read", ledger_forgets, r"1 of 4 came in and do not end: e_\w+ http://\S+/sap\S*"),
    "a shard loses an attempt": (
        "read", wrapped(read, "_to_read", lambda rows: list(rows)[1:]), r"1 of 4 came in and do not end: e_\w+ http://\S+",
    ),
    "all outcomes are lost": (
        "read", wrapped(read, "decide", in_table("outcomes", lambda rows: rows.slice(0, 0))),
        r"4 of 4 came in and do not end: (e_\w+ http://[^ ,]+(, )?){4}",
    ),
    "an outcome is there twice": (
        "read", wrapped(read, "decide", in_table("outcomes", first_doubled)), r"1 of 4 end more than once: e_\w+ http://\S+",
    ),
    "a shard does what was not due": (
        "read", wrapped(read, "_came_in", lambda rows: rows[1:]), r"1 of 4 end and had not come in: e_\w+ r_\w+ 1",
    ),
    "a visit is lost": ("pull", wrapped(pull, "decide", in_table("visits", first_lost)), "1 of 1 came in and do not end: t"),
    "an entry is lost at the commit": (
        "pull", wrapped(pull, "decide", in_table("entries", first_lost)),
        r"1 of 1 have entries that do not add up: t \(4 seen, 3 accounted for; 4 noted as new, 3 there\)",
    ),
    "an entry is lost in a shard": (
        "pull", wrapped(pull, "_new_revisions", lambda found: (found[0][:3], found[1])),
        r"1 of 1 have entries that do not add up: t \(4 seen, 3 accounted for; 3 noted as new, 3 there\)",
    ),
    "an entry is lost on the way out of the document": (
        "pull", wrapped(pull, "_entries", lambda found: (found[0][1:], found[1])),
        r"1 of 1 have entries that do not add up: t \(4 seen, 3 accounted for; 3 noted as new, 3 there\)",
    ),
    "an entry is there twice": (
        "pull", wrapped(pull, "decide", in_table("entries", first_doubled)),
        r"1 of 1 have entries that do not add up: t \(4 seen, 5 accounted for; 4 noted as new, 5 there\)",
    ),
    "a version is not tagged": (
        "tag", wrapped(tag, "decide", in_table("taggings", first_lost)), r"1 of 4 came in and do not end: v_\w+ '.+'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_what_is_lost_or_doubled_fails_the_batch_by_name_and_nothing_is_committed(
    bug: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, there_is, message = BUGS[bug]
    before = {"pull": [], "read": ["pull"], "tag": ["pull", "read"]}[stage]
    for earlier in before:
        do(desk.settings, earlier)
    with monkeypatch.context() as patch:
        there_is(patch)
        remedy = rf"; nothing is committed\. .* delete what is in staging/{BATCH}-{stage} of the lake, .* clear the run"
        with pytest.raises(LossError, match=f"^batch {BATCH}-{stage}: {message}{remedy}"):
            do(desk.settings, stage)
    assert sorted(p.name for p in (desk.settings.lake / "hot").glob("date=2*/*")) == [f"{BATCH}-{name}" for name in before]

    # the remedy it names: the batch is done again, from the bytes that were kept
    asked = len(desk.publisher.asked)
    for shard in (desk.settings.lake / "staging" / f"{BATCH}-{stage}").iterdir():
        shutil.rmtree(shard)
    assert do(desk.settings, stage).startswith(f"{BATCH}-{stage}: {1 if stage == 'pull' else 4} came in = ")
    assert len([path for path in desk.publisher.asked[asked:] if path != "robots.txt"]) == 0


def test_an_attempt_that_the_lake_has_and_that_ends_again_is_noticed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in ("pull", "read"):
        do(desk.settings, stage)
    monkeypatch.setattr(ledger, "last_attempts", lambda *_: {})
    with pytest.raises(LossError, match=rf"{BATCH}-read: 4 of 4 end more than once: (e_\w+ http://[^ ,]+(, )?){{4}}; nothing"):
        do(replace(desk.settings, shards=2), "read")


def test_what_was_settled_meanwhile_is_counted_apart(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard dies with its pages kept, and another batch ends the same entries before the first one is gone on with."""
    do(desk.settings, "pull")
    with monkeypatch.context() as patch:
        patch.setattr(read, "_to_read", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            do(desk.settings, "read")
    assert do(desk.settings, "read", "20261123T091000Z").endswith("-read: 4 came in = 4 article; 0 missing")
    assert do(desk.settings, "read") == f"{BATCH}-read: 4 came in = 4 settled before; 0 missing"
    assert desk.rows("SELECT code, count(*) FROM lake.outcomes GROUP BY ALL") == [("article", 4)]


def test_a_shard_that_died_accounts_for_the_bytes_it_had_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four pages were kept; these are not due any more when it is gone on with, and end all the same."""
    do(desk.settings, "pull")
    with monkeypatch.context() as patch:
        patch.setattr(read, "_to_read", lambda *_: 1 // 0)
        patch.setattr(read, "due_entries", lambda con, now: due_entries(con, now)[:2])
        with pytest.raises(ZeroDivisionError):
            do(desk.settings, "read")
    monkeypatch.setattr(read, "due_entries", lambda con, now: due_entries(con, now)[2:])
    assert do(desk.settings, "read") == f"{BATCH}-read: 4 came in = 4 article; 0 missing"
    assert sorted(path for path in desk.publisher.asked if path in STORIES) == sorted(STORIES), "no page twice"


def test_the_sum_over_shards_says_which_are_lacking_and_adds_up_with_the_late_one(tmp_path: Path) -> None:
    clock, lines = Clock(START), [""]
    with running(tmp_path, clock) as wire:
        (tmp_path / "feeds.toml").write_text(catalogue(wire.port))
        (tmp_path / "wire-address").write_text(f"127.0.0.1:{wire.port}")
        settings = Settings.from_env({"NEWSMILL_RUN": str(tmp_path), "NEWSMILL_SPACING_S": "0"})
        late = shard_of("ankerblatt.localhost", 4)
        for shard in {0, 1, 2, 3} - {late}:
            work_shard(settings, "pull", BATCH, shard, lines.append, clock)
        report = settle(settings, "pull", BATCH, lines.append, lambda: START)
        hosts = [publisher.host for publisher in publishers().values() for _ in publisher.feeds]
        on_time = sum(shard_of(host, 4) != late for host in hosts)
        said = rf"{BATCH}-pull: {on_time} came in = {on_time} parsed; (\d+) entries seen = \1 new; 0 missing"
        assert re.fullmatch(rf"{said}; 3 of 4 shards have left results", lines[-1])
        assert (report.counts["came_in"], report.counts["missing"], report.counts["shards missing"]) == (on_time, 0, 1)
        work_shard(settings, "pull", BATCH, late, lines.append, clock)
        for _ in range(2):  # an announcement made again says the same
            report = settle(settings, "pull", BATCH, lines.append, lambda: START)
            said = rf"{BATCH}-pull: {len(hosts)} came in = {len(hosts)} parsed; (\d+) entries seen = \1 new; 0 missing"
            whole = re.fullmatch(said, lines[-1])
            assert whole
            assert "shards missing" not in report.counts
        for shard in range(4):
            work_shard(settings, "read", BATCH, shard, lines.append, clock)
        settle(settings, "read", BATCH, lines.append, lambda: START)
    sums = re.fullmatch(rf"{BATCH}-read: {whole[1]} came in = (.*); 0 missing; 2 due again", lines[-1])
    assert sums
    ended = {code: int(count) for count, code in (part.split(" ") for part in sums[1].split(" + "))}
    assert set(ended) == {"article", "copy", "gone", "http_error", "known_article", "consent"}
    assert sum(ended.values()) == int(whole[1]) and ended["http_error"] == ended["consent"] == 1


def test_a_batch_done_again_by_shards_of_another_number_adds_up(desk: Desk) -> None:
    assert do(desk.settings, "pull") == f"{BATCH}-pull: 1 came in = 1 parsed; 4 entries seen = 4 new; 0 missing"
    two = replace(desk.settings, shards=2)
    assert do(two, "pull") == f"{BATCH}-pull: 2 came in = 1 parsed + 1 settled before; 4 entries seen = 4 new; 0 missing"


@pytest.mark.parametrize(("seen", "ends"), [(3, "1 new + 3 known"), (4, "4 known")])
def test_two_shards_that_bring_one_visit_count_it_once(seen: int, ends: str, desk: Desk) -> None:
    """One shard of four and one of eight, and another batch has seen some or all of the entries in between."""
    four, eight, lines = replace(desk.settings, shards=4), replace(desk.settings, shards=8), [""]
    work_shard(four, "pull", BATCH, shard_of("127.0.0.1", 4), lines.append, lambda: START)
    (desk.settings.lake / "locks/pull.json").unlink()  # a day later nobody waits for the rest of that batch
    desk.publisher.slugs = desk.publisher.slugs[:seen]
    do(desk.settings, "pull", "20261123T085900Z")
    assert do(eight, "pull") == f"{BATCH}-pull: 1 came in = 1 parsed; 4 entries seen = {ends}; 0 missing"


def test_every_entry_of_a_document_ends_in_one_number_of_its_visit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.run.pull.MOST_REVISIONS", 1)
    item = {"guid": "", "title": "", "path": ""}
    desk.publisher.items = [item | {"guid": f"g{n}", "title": f"Title {n}", "path": f"/{n}"} for n in range(3)]
    do(desk.settings, "pull")
    desk.publisher.items[0]["title"] = "Changed"  # beyond what is taken
    new = item | {"guid": "new", "title": "New", "path": "/new"}
    more = [item | {"guid": f"m{n}", "title": f"More {n}", "path": f"/m{n}"} for n in range(2000)]
    desk.publisher.items += [new, new, *more]
    two_minutes_on: list[str] = []
    work_shard(desk.settings, "pull", "20261123T090200Z", 0, two_minutes_on.append, lambda: START + timedelta(minutes=2))
    report = settle(desk.settings, "pull", "20261123T090200Z", two_minutes_on.append, lambda: START)
    numbers = {"new": 1996, "known": 2, "repeated": 1, "over the cap": 5, "changing without end": 1}
    assert {key: n for key, n in report.counts.items() if n} == {
        "came_in": 1, "parsed": 1, "entries seen": 2005, **{f"entries {what}": n for what, n in numbers.items()},
    }  # fmt: skip
    assert two_minutes_on[-1] == (
        "20261123T090200Z-pull: 1 came in = 1 parsed; "
        "2005 entries seen = 1996 new + 2 known + 1 repeated + 5 over the cap + 1 changing without end; 0 missing"
    )
    assert desk.rows(
        "SELECT entries_seen, entries_new, entries_known, entries_repeated, entries_dropped, entries_endless FROM feeds"
    ) == [(2005, 1996, 2, 1, 5, 1)]
    assert sum(numbers.values()) == 2005


def test_of_many_that_are_lost_the_first_five_are_named() -> None:
    came_in = [CameIn(id=f"v_{n}", name=f"v_{n} 'Title {n}'") for n in range(8)]
    tagged = to_arrow([], Tagging)
    with pytest.raises(LossError, match=r"7 of 8 came in and do not end: v_0 'Title 0', (v_\d 'Title \d', ){4}…; nothing"):
        balance(BatchRef(BATCH, "tag"), came_in, {"taggings": tagged}, {"v_7"})


def test_an_account_in_words() -> None:
    assert in_words({"came_in": 0, "missing": 0}) == "0 came in; 0 missing"
    counts = {"batch_id": BATCH, "came_in": 3, "missing": 0, "article": 2, "http_error": 1, "settled before": 0, "due again": 1}
    assert in_words(counts) == "3 came in = 2 article + 1 http_error; 0 missing; 1 due again"


def test_the_reports_of_a_batch_without_airflow_carry_the_account(desk: Desk) -> None:
    assert desk.batch(timedelta(0)) == {
        "pull": {"came_in": 1, "parsed": 1, "entries seen": 4, "entries new": 4},
        "read": {"came_in": 4, "article": 4},
        "tag": {"came_in": 4, "tagged": 4, **tagged_in(desk)},
    }


def tagged_in(desk: Desk) -> dict[str, int]:
    with connect(desk.settings.lake) as con:
        words = {-1: "negative", 0: "neutral", 1: "positive"}
        rows = con.sql("SELECT sentiment, count(*) FROM sentiments WHERE company_id IS NOT NULL GROUP BY 1").fetchall()
        ((mentions,),) = con.sql("SELECT count(*) FROM lake.mentions").fetchall()
    return {"mentions": mentions, **{words[sign]: n for sign, n in rows}}
