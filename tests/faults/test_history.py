"""The checker: made-up histories, each with one thing in it that must not happen, and sound ones."""

from dataclasses import replace

import pytest

from tests.faults.history import History, Read, Seen, check, counted, seen_of, story


def plain(began: float, whole: int, *, odd: dict[int, tuple[int, int]] | None = None, table: str = "mentions", **more) -> Read:
    return Read("r1", began, began + 0.1, seen=(Seen(table, whole, odd or {}),), **more)


SOUND = History(
    stage_of={0: "tag", 1: "tag", 2: "pull"},
    acknowledged={0: 10.0, 1: 20.0},
    available={0: 10.8, 1: 20.8},
    reads=[
        plain(9.95, 0),
        plain(10.05, 0b01),
        plain(19.0, 0b11),  # in place and not acknowledged yet
        plain(25.0, 0b11),
        plain(12.0, 0b01, as_of=11.0),
        plain(25.0, 0b01, as_of=11.0),
        plain(25.0, 0b11, as_of=20.8),
        plain(25.0, 0b01, as_of=30.0),  # of a future nothing is promised
    ],
    grace=60,
)
BROKEN = {
    "an acknowledged unit is not there": ("lost", plain(30.0, 0b10)),
    "a unit that was seen is not there": ("lost", plain(19.5, 0b01)),
    "an acknowledged unit is not there whole": ("partial", plain(30.0, 0b10, odd={0: (2, 2)})),
    "a row is there twice": ("doubled", plain(30.0, 0b10, odd={0: (6, 3)})),
    "a row is there twice, another is not": ("doubled", plain(30.0, 0b10, odd={0: (3, 2)})),
    "rows that nobody wrote": ("doubled", plain(30.0, 0b10, odd={0: (4, 4)})),
    "a unit is in one table only": (
        "partial",
        replace(plain(10.01, 0), seen=(Seen("taggings", 0b11), Seen("mentions", 0b01))),
    ),
    "a unit is not there though its time has come": ("early", plain(10.9, 0b00)),
    "by the reader's clock its time has come": ("early", replace(plain(20.7, 0b01), skew=0.2)),
    "as of a time before it was available": ("early", plain(25.0, 0b11, as_of=11.0)),
    "as of a time at which it was available": ("early", plain(25.0, 0b01, as_of=20.8)),
    "partial as of a time": ("partial", plain(25.0, 0b10, odd={0: (1, 1)}, as_of=21.0)),
    "any other error": ("error", Read("r1", 30.0, 30.1, error="IO Error: no file")),
}


def test_nothing_is_found_in_a_sound_history() -> None:
    assert check(SOUND) == []
    assert counted(SOUND) == {"reads": 8, "outdated": 0, "overlong": 0}


@pytest.mark.parametrize("what", BROKEN)
def test_each_violation_is_found_and_told(what: str) -> None:
    kind, read = BROKEN[what]
    history = replace(SOUND, reads=[*SOUND.reads, read])
    found = check(history)
    assert kind in {v.kind for v in found} and all(v.read is read for v in found), found
    told = story(history, found[0])
    assert found[0].kind in told and (found[0].unit is None or "acknowledged at 10.0" in told or "acknowledged at 20.0" in told)


def test_an_outdated_view_and_a_read_longer_than_the_grace_are_counted_apart() -> None:
    reads = [Read("r1", 30.0, 30.1, error="close it", outdated=True), replace(plain(30.0, 0), ended=100.0)]
    history = replace(SOUND, reads=[*SOUND.reads, *reads])
    assert check(history) == []
    assert counted(history) == {"reads": 9, "outdated": 1, "overlong": 1}


def test_what_is_read_is_whole_or_odd() -> None:
    assert seen_of("mentions", [(0, 3, 3), (1, 6, 3), (5, 3, 3), (6, 2, 2)]) == Seen("mentions", 0b100001, {1: (6, 3), 6: (2, 2)})
