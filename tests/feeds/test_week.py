"""A day and a half of simulated feeds: nothing missed or doubled, and no host pressed; `benchmarks/week.py` has the week."""

from benchmarks.week import POLICY, found, simulate


def test_a_simulated_day_and_a_half_misses_nothing_and_asks_less_than_every_quarter_of_an_hour() -> None:
    told = found(simulate(30, 1.5, seed=5), 1.5)
    assert told.missed == [] and told.doubled == 0
    assert told.new > 100 and told.medians
    assert told.visits < 0.5 * told.fixed
    assert told.spacing_s >= POLICY.spacing_s
