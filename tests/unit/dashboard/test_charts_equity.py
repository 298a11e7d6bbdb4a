"""Equity, drawdown and fuzzy sets from what a result holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from research.dashboard.selectors.charts_equity import Curve, drawdown_plot, equity_plot, table
from research.dashboard.selectors.charts_fuzzy import fuzzy_plot, membership
from research.dashboard.selectors.research_backtest import returns_by_fold
from workers.market import fuzzy

DAY = 86_400
START = 946_684_800  # 2000-01-01


def curve(equity: list[float], **changes: Any) -> Curve:
    count = len(equity)
    given: dict[str, Any] = {
        "time": [START + 30 * DAY * at for at in range(count)], "equity": equity, "buy_and_hold": [1.0] * count,
        "drawdown": [0.0] * count, "fold_starts": [START],
    }  # fmt: skip
    return Curve.of(given | changes)


def test_the_axis_shows_years_and_the_legend_both_curves() -> None:
    plot = equity_plot(curve([1 + at / 100 for at in range(60)]))
    assert [tick.label for tick in plot.x_ticks] == ["2000", "2001", "2002", "2003", "2004"]
    assert [line.name for line in plot.legend] == ["buy and hold", "strategy"]
    assert "2000-01-01" in plot.text


def test_equity_that_multiplied_is_drawn_by_logarithm_and_says_so() -> None:
    assert "logarithmic" not in equity_plot(curve([1.0, 1.5])).y_name
    assert "logarithmic" in equity_plot(curve([1.0, 9.0])).y_name


def test_an_account_that_is_used_up_is_drawn_to_its_end() -> None:
    plot = equity_plot(curve([1.0, 0.4, 0.0, 0.0]))
    assert "logarithmic" not in plot.y_name
    assert next(line for line in plot.lines if line.name == "strategy").path.count("L") == 3


def test_a_backtest_of_a_single_bar_can_be_drawn() -> None:
    one = curve([1.0])
    assert equity_plot(one).lines[1].path
    assert drawdown_plot(one).lines[0].path
    assert [row.date for row in table(one)] == ["2000-01-01"]


def test_a_drawdown_hangs_from_the_top() -> None:
    plot = drawdown_plot(curve([1.0, 0.5], drawdown=[0.0, 0.5]))
    assert plot.lines[0].path.startswith("M0 0L1000 ")
    assert [tick.label for tick in plot.y_ticks][-1] == "0%"


@pytest.mark.parametrize("folds", [1, 4, 30])
def test_every_fold_start_is_marked_and_labelled_only_while_there_is_room(folds: int) -> None:
    starts = [START + DAY * at for at in range(folds)]
    marks = equity_plot(curve([1.0] * 50, fold_starts=starts)).marks
    assert len(marks) == folds
    assert all(mark.label for mark in marks) == (folds <= 12)


def test_the_table_has_the_first_and_the_last_point_and_stays_short() -> None:
    rows = table(curve([float(at) for at in range(1, 601)]))
    assert len(rows) <= 25
    assert (rows[0].equity, rows[-1].equity) == (1.0, 600.0)


WHOLE = {name: [1.0, 2.0] for name in ("time", "equity", "buy_and_hold", "drawdown", "fold_starts")}


@pytest.mark.parametrize("broken", [{"equity": None}, {"equity": [1.0]}, {"fold_starts": None}])
def test_what_is_no_curve_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="column"):
        Curve.of({**WHOLE, **broken})


def test_a_fold_earns_from_the_close_before_it_to_its_last() -> None:
    values = np.column_stack([np.arange(6.0) * DAY, [1, 2, 4, 8, 16, 32], [1, 1, 1, 1, 2, 2]])
    found = returns_by_fold(values, [0.0, 3.0 * DAY])
    assert found[0] == ("1970-01-01", pytest.approx(3.0), pytest.approx(0.0))
    assert found[1] == ("1970-01-04", pytest.approx(7.0), pytest.approx(1.0))


def test_a_fuzzy_set_is_as_high_as_the_engine_says() -> None:
    layout = fuzzy.Layout.build([1], [[(0, 0)]])
    value, centre, width = 41.0, 35.0, 8.0
    distance = fuzzy.distances(layout, np.array([[value]]), np.array([centre]), np.array([width]))
    assert membership(value, centre, width) == pytest.approx(float(np.exp(-0.5 * distance[0, 0] ** 2)))


def test_fuzzy_sets_have_a_curve_each_over_all_their_centres() -> None:
    terms = [{"name": "low", "centre": 30.0, "width": 5.0}, {"name": "high", "centre": 70.0, "width": 9.0}]
    plot = fuzzy_plot("rsi14", terms)
    assert [line.name for line in plot.lines] == ["low", "high"]
    assert "low is centred at 30" in plot.text
    assert [tick.label for tick in plot.x_ticks] == ["20", "40", "60", "80"]
