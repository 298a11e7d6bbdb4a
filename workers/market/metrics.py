"""Measures of a series of returns. Returns are simple, per bar: shape (n,), float64, no NaN. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TINY = 1e-15


@dataclass(frozen=True, slots=True)
class Moments:
    """Shape of a series of returns: `sharpe` per period (not annualised), `kurtosis` 3 for normal returns."""

    n: int
    mean: float
    deviation: float
    skew: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        return self.mean / self.deviation if self.deviation > _TINY else 0.0


def moments(returns: NDArray[np.float64]) -> Moments:
    """Mean, sample deviation (n − 1), skewness and kurtosis; 0, 0, 0, 3 where there is too little to tell."""
    n = len(returns)
    if n < 2:
        return Moments(n, float(returns.sum()), 0.0, 0.0, 3.0)
    mean = float(returns.mean())
    centred = returns - mean
    variance = float(np.mean(centred**2))
    if variance < _TINY**2:
        return Moments(n, mean, 0.0, 0.0, 3.0)
    z = centred / math.sqrt(variance)
    return Moments(n, mean, math.sqrt(variance * n / (n - 1)), float(np.mean(z**3)), float(np.mean(z**4)))


def drawdowns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loss from the highest equity so far, as a fraction 0 to 1; same shape as `equity`."""
    peak = np.maximum.accumulate(equity)
    result: NDArray[np.float64] = 1.0 - equity / np.maximum(peak, _TINY)
    return result


def returns_of(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Simple returns, shape (n − 1,); 0 once the equity is used up."""
    before = equity[:-1]
    alive = before > _TINY
    result: NDArray[np.float64] = np.where(alive, equity[1:] / np.where(alive, before, 1.0) - 1.0, 0.0)
    return result


def performance(equity: NDArray[np.float64], per_year: float) -> dict[str, float]:
    """Sharpe (annualised, risk-free rate 0), CAGR, volatility (annualised), deepest drawdown and total return."""
    shape = moments(returns_of(equity))
    years = max(shape.n, 1) / per_year
    growth = max(float(equity[-1] / equity[0]), 0.0)
    return {
        "sharpe": shape.sharpe * math.sqrt(per_year),
        "cagr": _annual_growth(growth, years),
        "volatility": shape.deviation * math.sqrt(per_year),
        "max_drawdown": float(drawdowns(equity).max()),
        "total_return": growth - 1.0,
    }


def _annual_growth(growth: float, years: float) -> float:
    """Compound growth a year; over less than a month it is not extrapolated, and stays finite and sober."""
    return float(growth ** (1.0 / max(years, 1.0 / 12.0)) - 1.0)
