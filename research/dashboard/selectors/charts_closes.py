"""The closes of a dataset as a curve, thinned so that every high and low is still seen. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from research.dashboard.selectors.charts_path import line
from research.dashboard.selectors.charts_plot import Line, Plot, x_ticks, y_ticks
from research.dashboard.selectors.charts_scale import Scale, scale_of
from research.dashboard.selectors.charts_time import calendar_ticks, date_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.market.bars import Bars

MOST_POINTS, LOG_ABOVE = 1200, 4.0


def closes_plot(bars: Bars) -> Plot:
    """Of at least one bar."""
    at = thinned(bars.close, MOST_POINTS)
    time, close = bars.time[at].astype(float).tolist(), bars.close[at].tolist()
    first, last = float(bars.time[0]), float(bars.time[-1])
    wide = Scale(first, last if last > first else first + 1)
    up = scale_of(close, log_above=LOG_ABOVE)
    xs = [wide.at(moment) for moment in time]
    return Plot(
        "closes", f"Closes of {bars.symbol} {bars.timeframe}",
        f"From {date_of(first)} to {date_of(last)} the close went from {bars.close[0]:,.4g} to {bars.close[-1]:,.4g}, "
        f"between {bars.close.min():,.4g} and {bars.close.max():,.4g}.",
        x_ticks(wide, calendar_ticks(first, last)), y_ticks(up, lambda value: f"{value:,.6g}"),
        [Line(line(xs, [up.at(value) for value in close]), "plot-line series-1", "close")],
        "price, logarithmic" if up.logarithmic else "price", points=_points(xs, time, close),
    )  # fmt: skip


def thinned(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Places (at most `most`, rising) of the lowest and highest value of each stretch, and the two ends."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, (most - 2) // 2 + 1).astype(np.int64)
    stretches = [values[start:stop] for start, stop in pairwise(edges)]
    places = [(start + part.argmin(), start + part.argmax()) for start, part in zip(edges, stretches, strict=False)]
    return np.unique(np.array([0, count - 1, *(place for pair in places for place in pair)], dtype=np.int64))


def _points(xs: list[float | None], time: list[float], close: list[float]) -> dict[str, Any]:
    return {
        "x": [round(x or 0.0, 5) for x in xs],
        "label": [date_of(moment) for moment in time],
        "series": [{"name": "close", "value": [f"{value:,.6g}" for value in close]}],
    }
