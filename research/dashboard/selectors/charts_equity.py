"""Equity against buy and hold, and the drawdown below it, from the artifact `curve.json` of a backtest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_path import area, line, percent
from research.dashboard.selectors.charts_plot import Line, Mark, Plot, edge_of, x_ticks, y_ticks
from research.dashboard.selectors.charts_scale import Scale, scale_of
from research.dashboard.selectors.charts_time import calendar_ticks, date_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_ABOVE = 3.0
MOST_LABELLED_FOLDS = 12
TABLE_ROWS = 24


@dataclass(frozen=True, slots=True)
class Curve:
    """Columns of one length: Unix seconds (UTC), equity and buy and hold as multiples of the start, drawdown 0 to 1."""

    time: list[float]
    equity: list[float]
    buy_and_hold: list[float]
    drawdown: list[float]
    fold_starts: list[float]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Curve:
        """Raises `ValueError` for what is no curve."""
        columns = [given.get(name) for name in ("time", "equity", "buy_and_hold", "drawdown", "fold_starts")]
        if not all(isinstance(column, list) for column in columns):
            raise ValueError("a column is missing")
        if len({len(column or []) for column in columns[:4]}) != 1:
            raise ValueError("the columns differ in length")
        return cls(*(column or [] for column in columns))

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table beside the chart."""

    date: str
    equity: float
    buy_and_hold: float
    drawdown: float


def across(curve: Curve) -> Scale:
    """The axis of time that both charts share."""
    first, last = curve.time[0], curve.time[-1]
    return Scale(first, last if last > first else first + 1)


def equity_plot(curve: Curve) -> Plot:
    """Of at least one point."""
    wide = across(curve)
    up = scale_of([*curve.equity, *curve.buy_and_hold], keep=[1.0], log_above=LOG_ABOVE)
    xs = [wide.at(moment) for moment in curve.time]
    lines = [
        Line(line(xs, [up.at(value) for value in curve.buy_and_hold]), "plot-line benchmark", "buy and hold"),
        Line(line(xs, [up.at(value) for value in curve.equity]), "plot-line series-1", "strategy"),
    ]
    return Plot(
        "equity-curve", "Equity of the strategy against buy and hold", _text(curve),
        x_ticks(wide, calendar_ticks(curve.time[0], curve.time[-1])),
        y_ticks(up, lambda value: f"{value:.3g}×"), lines,
        f"multiple of the start{', logarithmic' if up.logarithmic else ''}", _folds(curve, wide), [],
        _points(curve, wide),
    )  # fmt: skip


def drawdown_plot(curve: Curve) -> Plot:
    """0 at the top; the same axis of time as `equity_plot`."""
    wide = across(curve)
    deepest = max((value for value in curve.drawdown), default=0.0)
    up = Scale(-max(deepest * 1.08, 0.01), 0.0)
    xs = [wide.at(moment) for moment in curve.time]
    ys = [up.at(-value) for value in curve.drawdown]
    return Plot(
        "drawdown-curve", "Drawdown of the strategy", f"The deepest loss from a high so far is {deepest:.1%}.",
        x_ticks(wide, calendar_ticks(curve.time[0], curve.time[-1])),
        y_ticks(up, lambda value: f"{value:.0%}" if deepest >= 0.03 else f"{value:.1%}", 3),
        [Line(area(xs, ys, 1.0), "plot-area bad"), Line(line(xs, ys), "plot-line bad thin")],
        "drawdown", [Mark(mark.at, "", mark.style) for mark in _folds(curve, wide)],
    )  # fmt: skip


def table(curve: Curve) -> list[Row]:
    """At most `TABLE_ROWS` points, the first and the last among them."""
    count = len(curve)
    step = max(1, (count - 1) / (TABLE_ROWS - 1))
    places = sorted({min(round(number * step), count - 1) for number in range(min(count, TABLE_ROWS))} | {count - 1})
    return [Row(date_of(curve.time[at]), curve.equity[at], curve.buy_and_hold[at], curve.drawdown[at]) for at in places]


def _folds(curve: Curve, wide: Scale) -> list[Mark]:
    few = len(curve.fold_starts) <= MOST_LABELLED_FOLDS
    marks = []
    for number, moment in enumerate(curve.fold_starts, start=1):
        at = min(max(wide.at(moment) or 0.0, 0.0), 1.0)
        marks.append(Mark(percent(at), f"fold {number}" if few else "", "faint", edge_of(at)))
    return marks


def _points(curve: Curve, wide: Scale) -> dict[str, Any]:
    return {
        "x": [round(wide.at(moment) or 0.0, 5) for moment in curve.time],
        "label": [date_of(moment) for moment in curve.time],
        "series": [
            {"name": "strategy", "value": [f"{value:.3f}×" for value in curve.equity]},
            {"name": "buy and hold", "value": [f"{value:.3f}×" for value in curve.buy_and_hold]},
            {"name": "drawdown", "value": [f"{value:.1%}" for value in curve.drawdown]},
        ],
    }


def _text(curve: Curve) -> str:
    return (
        f"From {date_of(curve.time[0])} to {date_of(curve.time[-1])} the strategy went from 1 to "
        f"{curve.equity[-1]:.3g}, buy and hold to {curve.buy_and_hold[-1]:.3g}."
    )
