"""A short form of `python -m tests.wire_hostile mutated`, which takes 100,000 feeds."""

from pipeline.isolate import Workers
from tests.wire_hostile.mutated import mutated, run, seeds


def test_every_mutated_feed_has_one_named_end() -> None:
    with Workers(1) as workers:
        told = run(300, 7, seeds(), workers)
    assert told.escapes == []
    assert set(told.ends) <= {"feed", "not_a_feed", "unparsable"}
    assert told.ends.total() == 300
    assert told.ends["feed"] > 100
    assert told.slowest[0] < 5


def test_the_same_seed_gives_the_same_feeds() -> None:
    of = seeds()
    assert list(mutated(20, 7, of)) == list(mutated(20, 7, of)) != list(mutated(20, 8, of))
