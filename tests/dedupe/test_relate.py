"""Copies in a stream: decided on what came before, and with the last word."""

from datetime import UTC, datetime, timedelta

from pipeline.dedupe import Answer, Memory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WIRE = "The central bank left its main rate unchanged on Monday, as all of the economists asked last week had expected it to do."
OTHER = "Copper fell for a third day on Monday, as stocks in the warehouses of the exchange rose to the highest level in a year."


def _relate(memory: Memory, id: str, minutes: int, text: str, title: str = "Title") -> Answer:
    seen_at = NOON + timedelta(minutes=minutes)
    return memory.relate(id=id, seen_at=seen_at, source="daily.example", language="en", title=title, text=text)


def test_a_copy_points_to_the_first_and_shares_its_story() -> None:
    memory = Memory()
    answers = [
        _relate(memory, "a", 0, WIRE),
        _relate(memory, "b", 1, OTHER),
        _relate(memory, "c", 2, "LONDON (AP) -- " + WIRE, "Own"),
    ]
    expected = [Answer("a", None, None, "a", 0.0), Answer("b", None, None, "b", 0.0), Answer("c", "a", None, "a", 1.0)]
    assert answers == expected
    assert memory.final() == expected


def test_the_original_may_arrive_late() -> None:
    memory = Memory()
    answers = [_relate(memory, "copy", 5, WIRE), _relate(memory, "original", 0, WIRE), _relate(memory, "later", 9, WIRE)]
    assert answers == [
        Answer("copy", None, None, "copy", 0.0),
        Answer("original", "copy", None, "copy", 1.0),
        Answer("later", "original", None, "copy", 1.0),
    ]
    assert memory.final() == [
        Answer("copy", "original", None, "original", 1.0),
        Answer("original", None, None, "original", 0.0),
        Answer("later", "original", None, "original", 1.0),
    ]


def test_an_id_that_comes_again_is_no_copy_of_itself() -> None:
    memory = Memory()
    for id, text in [("a", WIRE), ("a", WIRE), ("b", WIRE), ("b", WIRE), ("b", OTHER)]:
        last = _relate(memory, id, 0, text)
    assert last == Answer("b", None, None, "b", 0.0)
    assert [answer.duplicate_of for answer in memory.final()] == [None, None, "a", "a", None]


def test_empty_texts_are_never_copies() -> None:
    memory = Memory()
    assert [_relate(memory, id, 0, "").duplicate_of for id in "abc"] == [None, None, None]
    assert [answer.story_id for answer in memory.final()] == ["a", "b", "c"]
