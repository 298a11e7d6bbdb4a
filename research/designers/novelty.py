"""Is a proposal too much like what was tried? Told by its untrained rules' scores, before any training is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workers.market import features
from workers.strategy import InvalidStrategy, parse
from workers.training.model import Scaler, Shape, evaluate, initial
from workers.training.plan import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from workers.market.bars import Bars
    from workers.strategy import Strategy

    Array = NDArray[np.float64]

ALIKE = 0.98  # correlation of the scores from which two strategies are one
_LEAST = 50


class Tried:
    """The scores of what was tried on the same bars."""

    def __init__(self, bars: Bars, specs: Iterable[Mapping[str, Any]]) -> None:
        self.bars = bars
        self.known = [found for spec in specs if (found := scores(bars, spec)) is not None]

    def alike(self, spec: Mapping[str, Any]) -> bool:
        """Some strategy that was tried scores the bars almost the same."""
        own = scores(self.bars, spec)
        return own is not None and any(correlation(own, other) > ALIKE for other in self.known)


def scores(bars: Bars, spec: Mapping[str, Any]) -> Array | None:
    """(n,): the rules' scores as designed, NaN while indicators warm up; None where that cannot be told."""
    try:
        strategy = parse(dict(spec))
    except InvalidStrategy:
        return None
    table = features.build(bars, [strategy.indicators[name] for name in sorted(strategy.inputs)])
    known = np.isfinite(table).all(axis=1)
    if not strategy.rules or known.sum() < _LEAST:
        return None
    score = np.full(len(bars), np.nan)
    score[known] = _scored(strategy, table[known])
    return score


def correlation(one: Array, other: Array) -> float:
    """Pearson's, over the bars where both are known; 0 where either does not move."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _LEAST or min(one[both].std(), other[both].std()) < 1e-12:
        return 0.0
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _scored(strategy: Strategy, table: Array) -> Array:
    """What training would begin with: terms at the quantiles, consequents as designed, no network."""
    shape = Shape(shape_of(strategy).layout)
    z = Scaler.fit(table).apply(table)
    consequents = np.array([rule.then for rule in strategy.rules])
    theta = initial(shape, z, np.zeros(len(z)), consequents, np.random.default_rng(0))
    parts = shape.split(theta)
    parts["consequent"][:-1], parts["consequent"][-1] = consequents, 0.0  # without the noise that tells seeds apart
    return evaluate(shape, theta, z).rules
