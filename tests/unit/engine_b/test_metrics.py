import math

import numpy as np
import pytest

from workers.market import metrics as m
from workers.market.costs import Costs


def noise(n=2000, seed=0):
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(n)


def test_moments_of_normal_noise_are_those_of_a_normal():
    shape = m.moments(noise(200_000))
    assert abs(shape.mean) < 0.01
    assert abs(shape.deviation - 1) < 0.01
    assert abs(shape.skew) < 0.03
    assert abs(shape.kurtosis - 3) < 0.06


def test_moments_of_nothing_and_of_a_constant_are_finite():
    assert m.moments(np.zeros(0)).sharpe == 0.0
    assert m.moments(np.full(50, 0.25)).sharpe == 0.0


def test_performance_of_a_hand_made_series():
    equity = np.array([100.0, 110.0, 99.0, 121.0])
    result = m.performance(equity, per_year=3.0)
    assert result["total_return"] == pytest.approx(0.21)
    assert result["cagr"] == pytest.approx(0.21)
    assert result["max_drawdown"] == pytest.approx(0.1)
    returns = np.array([0.1, -0.1, 121 / 99 - 1])
    assert result["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(3))
    assert result["volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(3))


def test_a_ruined_account_has_finite_measures():
    result = m.performance(np.array([100.0, 50.0, 0.0, 0.0]), per_year=252.0)
    assert all(math.isfinite(value) for value in result.values())
    assert result["total_return"] == -1.0
    assert result["max_drawdown"] == 1.0


def test_costs_multiply_and_refuse_nonsense():
    assert Costs(2.0, 3.0).times(5) == Costs(10.0, 15.0)
    assert Costs(1.0, 2.0).fee == pytest.approx(1e-4)
    with pytest.raises(ValueError, match="basis points"):
        Costs(-1.0, 0.0)
