"""The one way from a strategy and bars to features, labels and folds; training and backtest both use it.

The hold-out is the last part of a market's bars. A search never sees it; opened, it is the one part that is traded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workers.job import InvalidInput
from workers.market import features, labels, splits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workers.market.bars import Bars
    from workers.market.splits import Fold
    from workers.strategy import Strategy


HELD_OUT = 0.15  # share of a market's bars, where nobody says where the hold-out begins


@dataclass(frozen=True, slots=True)
class Holdout:
    """`begins` is the time of its first bar, Unix seconds UTC."""

    begins: int
    opened: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self | None:
        """`spec["holdout"]` of a job. Raises `workers.job.InvalidInput` for what is none."""
        given = spec.get("holdout")
        if given is None:
            return None
        try:
            return cls(int(given["begins"]), bool(given["opened"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"the job's hold-out cannot be read: {error!r}") from error


@dataclass(frozen=True, eq=False)
class Prepared:
    """n bars (an unopened hold-out is already cut off), f inputs in the order of `names`, which is alphabetical: a
    strategy comes back from a database with its keys in another order.

    `features` (n, f) float64, NaN while an indicator warms up. `terms[j]` the ordered term names of input j.
    `label` (n,) int8 in {-1, 0, +1}; `target` (n,) float64, the number to learn; both 0 where not `valid`.
    `label_end` (n,) int64: the label of bar i read bars up to `label_end[i]`, exclusive.
    `valid` (n,) bool: all features are known and the label's window is complete. `folds`: see `workers.market.splits`;
    train and validation rows are all valid; `test` slices may contain bars that are not (the last ones have no label),
    but their features are all known.
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


def prepare(strategy: Strategy, bars: Bars, holdout: Holdout | None = None) -> Prepared:
    """Without a `holdout`, the last 15 % of the bars are one that stays shut.

    Raises `workers.job.InvalidInput` when the bars are too few or of another symbol or timeframe.
    """
    asked = (strategy.data.symbol, strategy.data.timeframe)
    if asked != (bars.symbol, bars.timeframe):
        raise InvalidInput(f"the strategy is for {' '.join(asked)}, the bars are {bars.symbol} {bars.timeframe}")
    cut = searchable(len(bars)) if holdout is None else int(np.searchsorted(bars.time, holdout.begins))
    opened = holdout is not None and holdout.opened
    seen = bars if opened else bars.slice(0, cut)
    names = sorted(strategy.inputs)
    table = features.build(seen, [strategy.indicators[name] for name in names])
    labelled = labels.label(seen, strategy.labels)
    valid = labelled.valid & np.isfinite(table).all(axis=1)
    label = np.where(valid, labelled.label, 0).astype(np.int8)
    share = strategy.training.validation_fraction
    try:
        if opened:
            folds = [splits.last_fold(valid, labelled.end, strategy.evaluation, share, cut)]
        else:
            folds = splits.folds(valid, labelled.end, strategy.evaluation, share)
    except splits.TooFewBars as error:
        where = "and its hold-out" if opened else "without its hold-out"
        raise InvalidInput(f"{asked[0]} {asked[1]} {where}: {error}") from error
    return Prepared(
        bars=seen,
        features=table,
        names=names,
        terms=[list(strategy.inputs[name]) for name in names],
        target=np.where(valid, labelled.target, 0.0),
        label=label,
        label_end=labelled.end,
        valid=valid,
        folds=folds,
    )


def searchable(n: int) -> int:
    """How many of n bars a search may read: all but the last `HELD_OUT`, rounded up."""
    return n - int(np.ceil(n * HELD_OUT))
