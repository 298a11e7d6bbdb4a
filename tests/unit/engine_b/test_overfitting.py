import numpy as np
import pytest

from research.phases.assessment.search import common_returns
from workers.market.overfitting import independent_trials, overfitting_probability


def noise(n=2000, trials=40, seed=0):
    return np.random.Generator(np.random.PCG64(seed)).standard_normal((n, trials)) * 0.01


def test_a_search_in_noise_is_as_good_as_a_coin():
    found = [overfitting_probability(noise(seed=seed)) for seed in range(30)]
    assert 0.4 < np.mean(found) < 0.6


def test_one_trial_with_a_real_edge_is_found_again_in_the_other_half():
    returns = noise()
    returns[:, 7] += 0.002
    assert overfitting_probability(returns) < 0.02


def test_a_trial_that_only_one_half_favours_is_unmasked():
    """Each trial shines in a block of its own and pays for it in all others."""
    returns = noise(trials=10)
    for trial, rows in enumerate(np.array_split(np.arange(2000), 10)):
        returns[:, trial] -= 0.002
        returns[rows, trial] += 0.02
    assert overfitting_probability(returns) > 0.95


def test_it_is_the_definition_split_by_split():
    from itertools import combinations

    returns, below, splits = noise(300, 12, seed=5), 0, list(combinations(range(10), 5))
    parts = np.array_split(returns, 10)
    for half in splits:
        inside = np.concatenate([parts[k] for k in half])
        outside = np.concatenate([parts[k] for k in range(10) if k not in half])
        best = int(np.argmax(inside.mean(axis=0) / inside.std(axis=0)))
        sharpe = outside.mean(axis=0) / outside.std(axis=0)
        below += (sharpe < sharpe[best]).sum() / 11 < 0.5
    assert overfitting_probability(returns) == pytest.approx(below / len(splits))


@pytest.mark.parametrize("shape", [(2000, 9), (200, 40)])
def test_too_few_trials_or_periods_say_nothing(shape):
    assert overfitting_probability(noise(*shape)) is None


def test_copies_of_one_trial_count_as_one_and_strangers_each():
    one = noise(trials=1)
    assert independent_trials(np.repeat(one, 20, axis=1)) == pytest.approx(1.0)
    assert independent_trials(noise(trials=20)) > 19
    assert 1.5 < independent_trials(noise(trials=20) + 2 * one) < 8


def test_curves_are_compared_over_the_bars_that_all_have():
    times = np.arange(400.0)
    curves = [np.column_stack([times[k:], np.cumprod(1 + 0.001 * (k + 1) * np.ones(400 - k))]) for k in range(12)]
    returns = common_returns(curves)
    assert returns.shape == (388, 12)
    assert returns == pytest.approx(np.tile(0.001 * np.arange(1, 13), (388, 1)))
    assert common_returns(curves[:9]) is None
