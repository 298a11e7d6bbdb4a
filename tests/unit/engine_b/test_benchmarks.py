import numpy as np
import pytest

from workers.market import benchmarks as b


def walk(n=600, seed=0):
    return 100 * np.exp(np.cumsum(np.random.Generator(np.random.PCG64(seed)).standard_normal(n) * 0.01))


@pytest.mark.parametrize("rule", [b.average_crossing, b.momentum])
def test_a_rule_on_a_prefix_says_exactly_what_it_says_on_the_whole(rule):
    close = walk()
    whole = rule(close)
    for stop in (100, 253, 400, 599):
        np.testing.assert_array_equal(rule(close[:stop]), whole[:stop])


def test_rules_say_nothing_before_they_have_their_history():
    close = walk()
    assert np.isnan(b.average_crossing(close)[:199]).all()
    assert not np.isnan(b.average_crossing(close)[199:]).any()
    assert np.isnan(b.momentum(close)[:252]).all()
    assert not np.isnan(b.momentum(close)[252:]).any()


def test_a_rising_market_is_held_by_both_rules():
    close = np.exp(np.arange(400) * 0.01)
    assert b.average_crossing(close)[-1] == b.momentum(close)[-1] == 1.0


def test_perfect_timing_beats_random_timing_and_its_reverse_loses():
    market = np.random.Generator(np.random.PCG64(4)).standard_normal(1000) * 0.01
    ahead = np.append(market[1:] > 0, False).astype(float)  # held at this close, knowing the next return
    assert b.random_entry_percentile(ahead, market, 0.0, seed=1) == 1.0
    assert b.random_entry_percentile(1.0 - ahead, market, 0.0, seed=1) == 0.0


def test_timing_without_skill_is_anywhere_in_between_on_average():
    generator = np.random.Generator(np.random.PCG64(5))
    market = generator.standard_normal(800) * 0.01
    ranks = [
        b.random_entry_percentile((generator.random(800) > 0.5).astype(float), market, 0.0005, seed=1, draws=100)
        for _ in range(40)
    ]
    assert 0.35 < np.mean(ranks) < 0.65


def test_never_trading_has_nothing_to_compare():
    assert b.random_entry_percentile(np.zeros(100), np.zeros(100), 0.001, seed=1) == 0.5
