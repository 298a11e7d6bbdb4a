"""What a strategy has to beat: simple rules as scores, and random entries of the same exposure. Pure functions.

Scores use only what is known at each close: shape (n,), 1 long, 0 flat, NaN before there is enough history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def always_long(close: NDArray[np.float64]) -> NDArray[np.float64]:
    """Buy and hold."""
    return np.ones_like(close)


def moving_average(close: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mean of the last `window` closes; NaN before. Exact on a prefix: each value depends on its own window alone."""
    result = np.full(len(close), np.nan)
    if len(close) >= window:
        result[window - 1 :] = np.lib.stride_tricks.sliding_window_view(close, window).mean(axis=1)
    return result


def average_crossing(close: NDArray[np.float64], fast: int = 50, slow: int = 200) -> NDArray[np.float64]:
    """Long while the fast moving average is above the slow one."""
    quick, long = moving_average(close, fast), moving_average(close, slow)
    return np.where(np.isnan(long), np.nan, (quick > long).astype(np.float64))


def momentum(close: NDArray[np.float64], window: int = 252) -> NDArray[np.float64]:
    """Long while the close is above that of `window` bars before."""
    result = np.full(len(close), np.nan)
    if len(close) > window:
        result[window:] = (close[window:] > close[:-window]).astype(np.float64)
    return result


def random_entry_percentile(
    position: NDArray[np.float64], market: NDArray[np.float64], cost: float, *, seed: int, draws: int = 400
) -> float:
    """Share (0 to 1) of random timings that the strategy's timing beats, by Sharpe ratio.

    `position` (n,) is the signed share of equity held at each close, `market` (n,) the market's return of the same bar,
    `cost` the fraction of the traded value lost on each side. A random timing is the strategy's own sequence of
    positions, moved by a random number of bars around the end: same exposure, same number and length of trades, no
    skill.
    0.5 when there is nothing to compare (never or always the same position).
    """
    n = len(position)
    if n < 20 or float(np.ptp(position)) < 1e-12:
        return 0.5
    generator = np.random.Generator(np.random.PCG64(seed))
    shifts = generator.integers(1, n, draws)
    held = np.concatenate([position, position])
    own = _timing_sharpe(position[None, :-1], market[1:], cost)[0]
    windows = np.lib.stride_tricks.sliding_window_view(held, n - 1)
    others = _timing_sharpe(windows[shifts], market[1:], cost)
    return float(np.mean(own > others))


def _timing_sharpe(held: NDArray[np.float64], market: NDArray[np.float64], cost: float) -> NDArray[np.float64]:
    returns = held * market
    if cost > 0.0:
        returns[:, 1:] -= cost * np.abs(np.diff(held, axis=1))
    spread = returns.std(axis=1)
    result: NDArray[np.float64] = np.where(spread > 1e-15, returns.mean(axis=1) / np.maximum(spread, 1e-15), 0.0)
    return result
