"""From a strategy, its prepared bars and scores to what the simulation reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.backtest.simulate import Market, Rules
from workers.market.costs import Costs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workers.market.bars import Bars
    from workers.market.splits import Fold
    from workers.strategy import Strategy


@dataclass(frozen=True)
class Stretch:
    """The bars that are traded: from the first fold's test part to the end of the last one's."""

    bars: Bars
    start: int
    stop: int

    @classmethod
    def of(cls, bars: Bars, folds: list[Fold]) -> Stretch:
        return cls(bars, min(fold.test.start for fold in folds), max(fold.test.stop for fold in folds))

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def traded(self) -> Bars:
        return self.bars.slice(self.start, self.stop)

    def market(self, score: NDArray[np.float64]) -> Market:
        """`score` has one value per bar of the whole data, shape (n,)."""
        bars = self.traded
        columns = (bars.open, bars.high, bars.low, bars.close, score[self.start : self.stop])
        return Market(*(column.tolist() for column in columns))


def rules_of(strategy: Strategy) -> Rules:
    decision, costs = strategy.decision, Costs(strategy.costs.fee_bps, strategy.costs.slippage_bps)
    return Rules(
        enter=decision.enter,
        exit=decision.exit,
        short=decision.mode == "long_short",
        stop=decision.stop,
        target=decision.target,
        fee=costs.fee,
        slippage=costs.slippage,
    )


def holding(rules: Rules) -> Rules:
    """Rules for scores of 0 and 1 without stop and target, at the same costs: for simple strategies to compare with."""
    return Rules(enter=0.5, exit=0.5, fee=rules.fee, slippage=rules.slippage)
