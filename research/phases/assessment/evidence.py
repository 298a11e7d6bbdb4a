"""The figures a verdict rests on, from a backtest's returns and the ledger of trials. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.market import significance
from workers.market.benchmarks import random_entry_percentile
from workers.market.bootstrap import Interval, excess_sharpe_interval, sharpe_interval
from workers.market.metrics import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Search:
    """The search that a result is part of: `compared` trials on their common bars, this one included.

    `overfitting` is the probability of backtest overfitting, `independent` how many independent trials they amount to;
    None where there are too few to tell.
    """

    compared: int = 1
    overfitting: float | None = None
    independent: float | None = None


@dataclass(frozen=True)
class Figures:
    """Sharpe ratios in the intervals are annualised, `sharpe_per_period` is not and is what the ledger stores.

    `sharpe` has 95 % two-sided bounds, `excess_sharpe` (over buy and hold) 90 %, so its lower end is the one-sided 95 %
    bound. `minimum_track_record_years` is None when no length would do.
    """

    sharpe: Interval
    excess_sharpe: Interval
    sharpe_per_period: float
    psr: float
    dsr: float
    deflated_benchmark: float
    trials: int
    trial_variance: float
    minimum_track_record_years: float | None
    years: float
    random_entry_percentile: float


def figures(
    returns: NDArray[np.float64], result: Mapping[str, Any], trials: int, trial_variance: float, seed: int
) -> Figures:
    """`returns` (n, 4) and `result` are those of `workers.backtest.run`; for the rest see `Evidence`."""
    own, holder, held, market = (returns[:, column].copy() for column in range(4))
    per_year, shape = float(result["per_year"]), moments(own)
    variance = significance.trial_variance(trials, trial_variance, shape.n)
    forms = (shape.n, shape.skew, shape.kurtosis)
    needed = significance.minimum_track_record(shape.sharpe, 0.0, shape.skew, shape.kurtosis)
    return Figures(
        sharpe=sharpe_interval(own, per_year, seed=seed),
        excess_sharpe=excess_sharpe_interval(own, holder, per_year, seed=seed + 1),
        sharpe_per_period=shape.sharpe,
        psr=significance.probabilistic_sharpe(shape.sharpe, *forms),
        dsr=significance.deflated_sharpe(shape.sharpe, *forms, trials, variance),
        deflated_benchmark=significance.deflated_benchmark(trials, variance),
        trials=trials,
        trial_variance=variance,
        minimum_track_record_years=needed / per_year if math.isfinite(needed) else None,
        years=shape.n / per_year,
        random_entry_percentile=random_entry_percentile(held, market, float(result["cost_per_side"]), seed=seed + 2),
    )
