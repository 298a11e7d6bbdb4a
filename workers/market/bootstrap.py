"""Intervals that respect the memory of markets: the stationary bootstrap of Politis & Romano (1994).

Blocks of geometric length, wrapped around the end. A resample's Sharpe ratio needs only the sums of returns and of
their squares over its blocks, so prefix sums replace gathering every single return.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bounds; `confidence` is that of the two-sided interval."""

    value: float
    low: float
    high: float
    confidence: float


def block_length(observations: int) -> float:
    """Mean block length: the cube root of the number of observations, at least 1 (Politis & Romano's rate)."""
    return max(1.0, float(round(observations ** (1.0 / 3.0))))


def sharpe_interval(
    returns: NDArray[np.float64], per_year: float, *, seed: int, resamples: int = 1000, confidence: float = 0.95
) -> Interval:
    """Percentile interval of the annualised Sharpe ratio. `returns` has shape (n,)."""
    draws = _resampled_sharpes(returns[None, :], seed, resamples)[0] * math.sqrt(per_year)
    return _interval(_sharpe(returns) * math.sqrt(per_year), draws, confidence)


def excess_sharpe_interval(
    returns: NDArray[np.float64],
    benchmark: NDArray[np.float64],
    per_year: float,
    *,
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.90,
) -> Interval:
    """Interval of the strategy's annualised Sharpe ratio less the benchmark's, resampled together (same bars).

    At confidence 0.90 the lower end is the one-sided 95 % bound that the verdict asks for.
    """
    both = np.stack([returns, benchmark])
    draws = _resampled_sharpes(both, seed, resamples) * math.sqrt(per_year)
    value = (_sharpe(returns) - _sharpe(benchmark)) * math.sqrt(per_year)
    return _interval(value, draws[0] - draws[1], confidence)


def _interval(value: float, draws: NDArray[np.float64], confidence: float) -> Interval:
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high), confidence)


def _sharpe(returns: NDArray[np.float64]) -> float:
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    return float(returns.mean()) / deviation if deviation > math.sqrt(_TINY) else 0.0


def _resampled_sharpes(series: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Per-period Sharpe ratios, shape (series, resamples), of series of shape (series, n), all on the same blocks."""
    n = series.shape[1]
    if n < 2:
        return np.zeros((series.shape[0], resamples))
    starts, lengths = _blocks(n, seed, resamples)
    rows = []
    for returns in series:
        mean = _block_sums(returns, starts, lengths) / n
        square = _block_sums(returns * returns, starts, lengths) / n
        variance = np.maximum(square - mean * mean, 0.0) * n / (n - 1)
        rows.append(np.where(variance > _TINY, mean / np.sqrt(np.maximum(variance, _TINY)), 0.0))
    return np.stack(rows)


def _blocks(n: int, seed: int, resamples: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and lengths of blocks, shape (resamples, blocks); each row's lengths add up to n exactly."""
    generator = np.random.Generator(np.random.PCG64(seed))
    probability = 1.0 / block_length(n)
    # Mean plus eight deviations of the number of blocks: a row that is still short is topped up by its last block.
    count = min(n, int(n * probability + 8.0 * math.sqrt(n * probability * (1.0 - probability)) + 8.0))
    ends = np.minimum(np.cumsum(generator.geometric(probability, (resamples, count)), axis=1), n)
    ends[:, -1] = n
    starts = generator.integers(0, n, (resamples, count))
    return starts, np.diff(ends, axis=1, prepend=0)


def _block_sums(
    values: NDArray[np.float64], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum over all blocks of each row; a block may run past the end and goes on at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values]))])
    result: NDArray[np.float64] = (sums[starts + lengths] - sums[starts]).sum(axis=1)
    return result
