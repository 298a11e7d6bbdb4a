"""The one feature pipeline: training and backtest build their inputs here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from workers.market.indicators import Params, compute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workers.market.bars import Bars


class Indicator(Protocol):
    """What `build` needs to know; `workers.strategy.models.Indicator` is one."""

    @property
    def function(self) -> str: ...
    @property
    def params(self) -> Params: ...
    @property
    def input(self) -> str | None: ...
    @property
    def output(self) -> str | None: ...


def build(bars: Bars, indicators: Sequence[Indicator]) -> NDArray[np.float64]:
    """Features (n, f), column j from `indicators[j]`, NaN while an indicator warms up.

    Row i reads bars 0 to i only: the rows of a prefix of the bars are the same, bit for bit.
    """
    features = np.empty((len(bars), len(indicators)))
    for column, indicator in enumerate(indicators):
        features[:, column] = compute(bars, indicator.function, indicator.params, indicator.input, indicator.output)
    return features
