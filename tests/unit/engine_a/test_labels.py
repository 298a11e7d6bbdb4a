from __future__ import annotations

from itertools import pairwise
from math import exp, log, sqrt
from statistics import pstdev

import numpy as np
import pytest

from tests.unit.engine_a import cast
from workers.market.bars import Bars
from workers.market.labels import forward_return, label, triple_barrier
from workers.strategy.models import Labels

FORWARD = Labels(kind="forward_return", horizon=8, volatility_window=15)
BARRIERS = Labels(horizon=8, up=1.2, down=0.8, volatility_window=15)


def by_hand(bars, i, barriers):
    """The definition, bar by bar: (label, end), or None where there is no label."""
    if i < barriers.volatility_window or i + barriers.horizon >= len(bars):
        return None
    closes = bars.close[i - barriers.volatility_window : i + 1]
    width = pstdev([log(b / a) for a, b in pairwise(closes)]) * sqrt(barriers.horizon)
    entry = bars.open[i + 1]
    upper, lower = entry * exp(barriers.up * width), entry * exp(-barriers.down * width)
    for j in range(i + 1, i + 1 + barriers.horizon):
        if bars.open[j] >= upper:
            return 1, j + 1
        if bars.low[j] <= lower:
            return -1, j + 1
        if bars.high[j] >= upper:
            return 1, j + 1
    return 0, i + 1 + barriers.horizon


def test_labels_are_those_of_the_definition_on_every_bar():
    bars = cast.bars(400)
    labels = triple_barrier(bars, BARRIERS)
    for i in range(len(bars)):
        expected = by_hand(bars, i, BARRIERS)
        assert labels.valid[i] == (expected is not None)
        assert (labels.label[i], labels.end[i]) == (expected or (0, 400)), i
    assert set(labels.label[labels.valid].tolist()) == {-1, 0, 1}


def test_a_label_reads_no_bar_from_its_end_on():
    bars = cast.bars(300)
    labels = triple_barrier(bars, BARRIERS)
    for i in np.flatnonzero(labels.valid)[::17]:
        end = int(labels.end[i])
        columns = [getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")]
        for column in columns:
            column[end:] *= 3
        changed = triple_barrier(Bars("TEST", "1d", bars.time, *columns), BARRIERS)
        assert (changed.label[i], changed.end[i]) == (labels.label[i], end)


def test_bars_near_the_end_have_no_label_even_when_a_barrier_is_touched_at_once():
    bars = cast.bars(300)
    high = bars.high.copy()
    high[-5:] *= 10
    labels = triple_barrier(Bars("TEST", "1d", bars.time, bars.open, high, bars.low, bars.close, bars.volume), BARRIERS)
    assert np.flatnonzero(labels.valid).max() == 300 - 8 - 1
    assert labels.label[-8:].tolist() == [0] * 8


def test_a_market_that_does_not_move_has_no_labels():
    assert not triple_barrier(cast.flat(), BARRIERS).valid.any()


@pytest.mark.parametrize("n", [0, 1, 5, 16])
def test_too_few_bars_have_no_labels_and_raise_nothing(n):
    assert not triple_barrier(cast.bars(50).slice(0, n), BARRIERS).valid.any()


def test_a_bar_that_opens_beyond_the_upper_barrier_counts_as_up_even_when_it_then_falls_through_the_lower():
    bars = cast.bars(100)
    opening, high, low = bars.open.copy(), bars.high.copy(), bars.low.copy()
    opening[52], high[52], low[52] = 2 * bars.close[51], 2 * bars.close[51], bars.close[51] / 2
    high[51] = low[51] = opening[51]
    labels = triple_barrier(Bars("TEST", "1d", bars.time, opening, high, low, bars.close, bars.volume), BARRIERS)
    assert (labels.label[50], labels.end[50]) == (1, 53)
    opening[52] = opening[51]
    labels = triple_barrier(Bars("TEST", "1d", bars.time, opening, high, low, bars.close, bars.volume), BARRIERS)
    assert (labels.label[50], labels.end[50]) == (-1, 53)


def test_a_forward_return_is_that_of_the_definition_on_every_bar():
    bars = cast.bars(400)
    labels = label(bars, FORWARD)
    for i in range(len(bars)):
        known = 15 <= i < 400 - 8
        assert labels.valid[i] == known
        if not known:
            assert (labels.label[i], labels.target[i], labels.end[i]) == (0, 0.0, 400)
            continue
        width = pstdev([log(b / a) for a, b in pairwise(bars.close[i - 15 : i + 1])]) * sqrt(8)
        moved = log(bars.close[i + 8] / bars.open[i + 1]) / width
        assert labels.target[i] == pytest.approx(min(max(moved / 2, -1), 1), abs=1e-9)
        assert (labels.label[i], labels.end[i]) == (np.sign(moved), i + 9)


def test_a_forward_return_reads_no_bar_from_its_end_on():
    bars = cast.bars(300)
    labels = forward_return(bars, FORWARD)
    for i in np.flatnonzero(labels.valid)[::17]:
        columns = [getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")]
        for column in columns:
            column[int(labels.end[i]) :] *= 3
        changed = forward_return(Bars("TEST", "1d", bars.time, *columns), FORWARD)
        assert changed.target[i] == labels.target[i]


def test_a_strategy_gets_the_kind_of_labels_it_asks_for():
    bars = cast.bars(300)
    assert (label(bars, BARRIERS).target == triple_barrier(bars, BARRIERS).label).all()
    assert len(set(label(bars, FORWARD).target.tolist())) > 100
