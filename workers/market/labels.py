"""What a bar teaches: triple barriers (López de Prado, Advances in Financial Machine Learning, 2018, chapter 3), or the
return over a fixed horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import talib

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.market.bars import Bars


LARGEST = 2.0  # a forward return of so many volatilities teaches as much as any larger one


class Barriers(Protocol):
    """What `label` needs to know; `Strategy.labels` is one."""

    @property
    def kind(self) -> Literal["triple_barrier", "forward_return"]: ...
    @property
    def horizon(self) -> int: ...
    @property
    def up(self) -> float: ...
    @property
    def down(self) -> float: ...
    @property
    def volatility_window(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Labels:
    """`label` (n,) int8 in {-1, 0, +1}; `target` (n,) float64 in -1 to 1, what is learned; `end` (n,) int64: bar i's
    label read bars up to `end[i]`, exclusive; `valid` (n,) bool: the whole horizon lies within the bars and the
    volatility is known and not 0. Where not valid, `label` and `target` are 0 and `end` is n.
    """

    label: NDArray[np.int8]
    target: NDArray[np.float64]
    end: NDArray[np.int64]
    valid: NDArray[np.bool_]


def label(bars: Bars, spec: Barriers) -> Labels:
    """The labels that a strategy asks for."""
    return triple_barrier(bars, spec) if spec.kind == "triple_barrier" else forward_return(bars, spec)


def forward_return(bars: Bars, spec: Barriers) -> Labels:
    """Log return of a position decided at the close of bar i, entered at the open of bar i+1 and left at the close of
    bar i+`horizon`, in volatilities over that horizon: the target is half of it, at most 1 either way; the label is its
    sign. `up` and `down` play no part.
    """
    n, horizon = len(bars), spec.horizon
    target, end = np.zeros(n), np.full(n, n, dtype=np.int64)
    width = volatility(bars, spec.volatility_window) * np.sqrt(horizon)
    valid = (width > 0) & (np.arange(n) + horizon < n)
    rows = np.flatnonzero(valid)
    moved = np.log(bars.close[rows + horizon] / bars.open[rows + 1]) / width[rows]
    target[rows], end[rows] = np.clip(moved / LARGEST, -1.0, 1.0), rows + horizon + 1
    return Labels(np.sign(target).astype(np.int8), target, end, valid)


def triple_barrier(bars: Bars, barriers: Barriers) -> Labels:
    """Which barrier a position decided at the close of bar i, entered at the open of bar i+1, touches first.

    Barriers stand at entry × exp(±multiple × volatility × √horizon); volatility is the standard deviation of the last
    `volatility_window` log returns at bar i. +1 upper, -1 lower, 0 neither within `horizon` bars. A bar that opens
    beyond a barrier touches that one; of two touched within a bar, the lower counts (the order is unknown). Near the
    end only complete horizons are valid: keeping those that are decided early would favour quick moves.
    """
    n, horizon = len(bars), barriers.horizon
    label, end = np.zeros(n, dtype=np.int8), np.full(n, n, dtype=np.int64)
    width = volatility(bars, barriers.volatility_window) * np.sqrt(horizon)
    valid = (width > 0) & (np.arange(n) + horizon < n)
    rows = np.flatnonzero(valid)
    upper = bars.open[rows + 1] * np.exp(barriers.up * width[rows])
    lower = bars.open[rows + 1] * np.exp(-barriers.down * width[rows])
    label[rows], end[rows] = _first_touch(bars, rows, upper, lower, horizon)
    return Labels(label, label.astype(np.float64), end, valid)


def volatility(bars: Bars, window: int) -> NDArray[np.float64]:
    """Standard deviation of the last `window` log returns of the closes, per bar, (n,); NaN while warming up."""
    returns = np.full(len(bars), np.nan)
    if len(bars) <= window:
        return returns
    returns[1:] = np.log(bars.close[1:] / bars.close[:-1])
    deviation: NDArray[np.float64] = talib.STDDEV(returns, window, 1.0)
    return deviation


def _first_touch(
    bars: Bars, rows: NDArray[np.int64], upper: NDArray[np.float64], lower: NDArray[np.float64], horizon: int
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    label = np.zeros(len(rows), dtype=np.int8)
    end = rows + 1 + horizon
    open_ = np.ones(len(rows), dtype=bool)
    for ahead in range(1, horizon + 1):
        at = rows + ahead
        above = bars.open[at] >= upper
        down = open_ & ~above & (bars.low[at] <= lower)
        up = open_ & ~down & (above | (bars.high[at] >= upper))
        label[down], label[up] = -1, 1
        end[down | up] = at[down | up] + 1
        open_ &= ~(down | up)
    return label, end
