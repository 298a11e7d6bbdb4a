"""The one way from a strategy and bars to features, labels and folds; training and backtest both use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workers.market.bars import Bars
    from workers.market.splits import Fold
    from workers.strategy import Strategy


@dataclass(frozen=True, eq=False)
class Prepared:
    """n bars (the hold-out is already cut off), f inputs in the order of `names`.

    `features` (n, f) float64, NaN while an indicator warms up. `terms[j]` the ordered term names of input j.
    `label` (n,) int8 in {-1, 0, +1}; `target` (n,) float64, the number to learn; both 0 where not `valid`.
    `label_end` (n,) int64: the label of bar i read bars up to `label_end[i]`, exclusive.
    `valid` (n,) bool: all features are known and the label's window is complete. `folds`: see `workers.market.splits`;
    train and validation rows are all valid; `test` slices may contain bars that are not (the last ones have no label).
    """

    bars: Bars
    features: NDArray[np.float64]
    names: list[str]
    terms: list[list[str]]
    target: NDArray[np.float64]
    label: NDArray[np.int8]
    label_end: NDArray[np.int64]
    valid: NDArray[np.bool_]
    folds: list[Fold]


def prepare(strategy: Strategy, bars: Bars) -> Prepared:
    """Raises `workers.job.InvalidInput` when the bars are too few or of another symbol or timeframe."""
    raise NotImplementedError
