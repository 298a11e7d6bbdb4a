"""How much of the best result is the search's own doing? Pure functions of the returns of everything that was tried.

Sources: Bailey, Borwein, López de Prado & Zhu, "The Probability of Backtest Overfitting" (2017) for the combinatorially
symmetric cross-validation; Bailey & López de Prado, "The Deflated Sharpe Ratio" (2014), appendix 3, for the number of
independent trials.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BLOCKS = 10
LEAST_TRIALS, LEAST_PERIODS = 10, 250


def overfitting_probability(returns: Array, blocks: int = BLOCKS) -> float | None:
    """Share of splits in which the trial that is best by Sharpe ratio in one half of the blocks is below the median in
    the other half; 0.5 is what pure luck gives.

    `returns` (n, N): one column a trial, over the same periods. None for fewer than 10 trials or 250 periods.
    """
    n, trials = returns.shape
    if trials < LEAST_TRIALS or n < LEAST_PERIODS:
        return None
    parts = np.array_split(returns, blocks)
    count = np.array([len(part) for part in parts], dtype=np.float64)
    total = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part * part).sum(axis=0) for part in parts])
    chosen = list(combinations(range(blocks), blocks // 2))
    inside = np.zeros((len(chosen), blocks))
    for row, half in enumerate(chosen):
        inside[row, list(half)] = 1.0
    within, without = (_sharpe(half, count, total, squares) for half in (inside, 1.0 - inside))
    best = within.argmax(axis=1)
    own = without[np.arange(len(best)), best]
    below = (without < own[:, None]).sum(axis=1) + 0.5 * ((without == own[:, None]).sum(axis=1) - 1)
    return float(np.mean(below / (trials - 1) < 0.5))


def independent_trials(returns: Array) -> float:
    """How many independent trials so many correlated ones amount to: ρ + (1 − ρ) N with their mean correlation ρ.

    `returns` (n, N). Between 1 and N; trials that never trade count as the others do.
    """
    trials = returns.shape[1]
    moving = returns[:, returns.std(axis=0) > 1e-12]
    if moving.shape[1] < 2:
        return float(trials)
    size = moving.shape[1]
    mean = (float(np.corrcoef(moving, rowvar=False).sum()) - size) / (size * (size - 1))
    rho = min(max(mean, 0.0), 1.0)
    return float(rho + (1.0 - rho) * trials)


def _sharpe(half: Array, count: Array, total: Array, squares: Array) -> Array:
    """(splits, N): Sharpe ratio per period over the chosen blocks; 0 where nothing moves."""
    n = (half @ count)[:, None]
    mean = half @ total / n
    variance = np.maximum(half @ squares / n - mean * mean, 0.0)
    return np.where(variance > 1e-24, mean / np.sqrt(np.maximum(variance, 1e-24)), 0.0)
