"""Published figures; see `workers.market.significance` for the papers."""

import math

import numpy as np
import pytest

from workers.market import significance as s


def daily(yearly, days=250):
    return yearly / math.sqrt(days)


@pytest.mark.parametrize(("trials", "expected"), [(100, 0.9004), (46, 0.9505)])
def test_the_deflated_sharpe_is_that_of_the_paper(trials, expected):
    value = s.deflated_sharpe(daily(2.5), 1250, -3.0, 10.0, trials, 0.5 / 250)
    assert value == pytest.approx(expected, abs=1e-4)


def test_the_deflated_benchmark_is_that_of_the_paper():
    assert s.deflated_benchmark(100, 0.5 / 250) == pytest.approx(0.1132, abs=1e-4)


@pytest.mark.parametrize(("skew", "kurtosis", "expected"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_the_probabilistic_sharpe_is_that_of_the_paper(skew, kurtosis, expected):
    assert s.probabilistic_sharpe(0.458, 24, skew, kurtosis) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("per_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_is_that_of_the_paper(per_year, years):
    observations = s.minimum_track_record(2 / math.sqrt(per_year), 1 / math.sqrt(per_year))
    assert observations / per_year == pytest.approx(years, abs=0.006)


def test_the_expected_maximum_of_ten_normals_is_that_of_the_formula_and_near_the_truth():
    assert s.expected_maximum(10) == pytest.approx(1.57, abs=0.006)
    drawn = np.random.Generator(np.random.PCG64(1)).standard_normal((20_000, 10)).max(axis=1).mean()
    assert s.expected_maximum(10) == pytest.approx(drawn, abs=0.05)


def test_one_trial_is_not_deflated():
    assert s.expected_maximum(1) == 0.0
    assert s.deflated_sharpe(0.1, 500, 0.0, 3.0, 1, 0.5) == s.probabilistic_sharpe(0.1, 500)


def test_more_trials_deflate_more():
    values = [s.deflated_sharpe(0.05, 2000, 0.0, 3.0, trials, 0.0005) for trials in (1, 10, 100, 1000)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_a_handful_of_trials_borrows_the_spread_of_luck():
    assert s.trial_variance(3, 0.0, 1000) == 0.001
    assert s.trial_variance(30, 0.0004, 1000) == 0.0004


def test_a_track_record_below_its_benchmark_is_never_long_enough():
    assert s.minimum_track_record(0.01, 0.02) == math.inf
