"""What was known when: as of a moment, nothing later is seen, and what is seen does not change, save what was taken down."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake import connect, definitions
from tests.lake.history import ASKED, Living, Rows

SEEDS, STEPS, EVERY = (1, 2), 45, 5


def columns_of(living: Living) -> dict[str, list[str]]:
    with connect(living.root) as con:
        return {name: [c[0] for c in con.execute(f"DESCRIBE {name}").fetchall()] for name in ASKED}


def check(living: Living, kept: list[tuple[Any, Rows]], dice: random.Random) -> None:
    """After some steps: now as the views have it, and some moments before as they were."""
    columns = columns_of(living)
    now = living.moment()
    shown = living.shown(now)
    assert shown == living.shown(None), "as of now"
    for name in ASKED:
        if "available_at" in columns[name]:
            assert all(row[columns[name].index("available_at")] <= now for row in shown[name])
    for at, then in dice.sample(kept, min(2, len(kept))):
        again = living.shown(at)
        if living.forgotten:
            then, again = (living.without_forgotten(rows, columns) for rows in (then, again))  # noqa: PLW2901
        for name in ASKED:
            assert again[name] == then[name], f"{name} as of {at}"
    kept.append((now, shown))


def live(place: Path, seed: int, steps: int) -> Living:
    living, dice = Living(place / "lake", random.Random(seed)), random.Random(seed)
    kept: list[tuple[Any, Rows]] = []
    for number in range(1, steps + 1):
        living.live()
        try:
            if number % EVERY == 0:
                check(living, kept, dice)
        except AssertionError as error:
            raise AssertionError(
                f"seed {seed}, after {len(living.steps)} steps, the last {living.steps[-3:]}: {error}"
            ) from error
    return living


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_known_does_not_change(tmp_path: Path, seed: int) -> None:
    living = live(tmp_path, seed, STEPS)
    assert {"tell", "correct", "copy", "judge_again", "rename", "pass_time"} <= set(living.steps)


@pytest.mark.parametrize(
    ("view", "right", "wrong"),
    [
        ("as_of", "WHERE a.available_at <= ts AND settled", "WHERE settled"),
        (
            "as_of",
            "AND a.version_id NOT IN (FROM superseded_as_of(ts))",
            "AND a.version_id NOT IN (SELECT id FROM lake.superseded)",
        ),
        ("as_of", "WHERE s.available_at <= ts AND", "WHERE s.news_at <= ts AND"),
        ("as_of", "m.tagging_id NOT IN (FROM superseded_as_of(ts)) AND ", ""),
        ("as_of", "WHERE available_at <= ts AND settled(batch_id, stage, date, ts)\nQUALIFY", "QUALIFY"),
        ("as_of", "ts)\n AND r.other_version_id NOT IN (FROM superseded_as_of(ts))", "ts)"),
        ("stories", "s AS (FROM sentiments_as_of(ts))", "s AS (FROM sentiments)"),
    ],
)
def test_a_view_that_sees_the_future_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str, right: str, wrong: str
) -> None:
    plain = definitions._Source.sql

    def broken(source: definitions._Source, name: str) -> str:
        text = plain(source, name)
        assert name != view or right in text
        return text.replace(right, wrong) if name == view else text

    monkeypatch.setattr(definitions._Source, "sql", broken)
    monkeypatch.setattr(definitions, "_script", definitions._script.__wrapped__)
    with pytest.raises(AssertionError, match="seed"):
        for seed in SEEDS:
            live(tmp_path / str(seed), seed, STEPS)


def test_a_new_tagger_is_tried_on_old_news_without_having_been_there(tmp_path: Path) -> None:
    living = Living(tmp_path / "lake", random.Random(1))
    living.tell()
    before = living.moment()
    first = living.versions["a_0"]
    living._judge(first, replaces=living.taggings[first])
    between = living.moment()
    living.correct()
    after = living.moment()
    with connect(living.root) as con:

        def asked(query: str) -> list[Any]:
            return con.execute(query).fetchall()

        rejudged = "SELECT DISTINCT version_id, tagger, news_at, judged_at > TIMESTAMPTZ '{}' FROM sentiments_rejudged('{}')"
        news_at = living.seen[first]
        # judged by the second tagging, which was made later, and dated by the news
        assert asked(rejudged.format(before, before)) == [(first, "rules-2", news_at, True)]
        assert asked(rejudged.format(between, between)) == [(first, "rules-2", news_at, False)]
        assert [row[0] for row in asked(rejudged.format(after, after))] == [living.versions["a_0"]] != [first]
        assert asked(f"SELECT DISTINCT tagging_id FROM sentiments_as_of('{before}')") == [("t_1",)]
        assert asked(f"FROM sentiments_rejudged('{news_at - timedelta(seconds=1)}')") == []
