"""Made-up bars: noise has no edge, the planted ones are there, and the same seed makes the same bars."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from workers.market import quality, synthetic
from workers.market.bars import TIMEFRAMES

BARS = 6000
NOISE_LIMIT = 4 / np.sqrt(BARS)  # four standard errors of a correlation that is zero


def made(kind, **more):
    return synthetic.generate(kind, **({"bars": BARS, "seed": 3} | more))


def correlation_with_the_next_move(bars, signal):
    """Of a signal at a close with the return from the next open to the close of that bar: what a fill would earn."""
    known = np.isfinite(signal[:-1])
    earned = np.log(bars.close[1:] / bars.open[1:])
    return np.corrcoef(signal[:-1][known], earned[known])[0, 1]


def strength(bars):
    return talib.RSI(bars.close, 14)


def trend(bars):
    moves = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
    return talib.EMA(moves, synthetic.TREND_SPAN)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_has_no_edge_to_find(seed):
    bars = made("noise", seed=seed)
    assert abs(correlation_with_the_next_move(bars, strength(bars))) < NOISE_LIMIT
    assert abs(correlation_with_the_next_move(bars, trend(bars))) < NOISE_LIMIT


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_rule_can_be_earned_at_the_next_open(seed):
    bars = made("rule", seed=seed)
    assert correlation_with_the_next_move(bars, strength(bars)) < -2 * NOISE_LIMIT


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_momentum_goes_on(seed):
    bars = made("momentum", seed=seed)
    assert correlation_with_the_next_move(bars, trend(bars)) > 2 * NOISE_LIMIT


@pytest.mark.parametrize("kind", list(synthetic.KINDS))
def test_the_same_seed_makes_the_same_bars_and_they_are_sound(kind):
    bars = made(kind)
    assert bars.to_bytes() == made(kind).to_bytes()
    assert bars.to_bytes() != made(kind, seed=4).to_bytes()
    assert quality.report(bars, synthetic.lines(bars)).findings == []
    assert bars.symbol == kind.upper()


def test_fewer_bars_are_the_beginning_of_more():
    few, many = made("rule", bars=500).close, made("rule", bars=900).close
    assert np.array_equal(few, many[:500])


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_every_timeframe_can_be_made_up_without_a_gap(timeframe):
    bars = made("noise", bars=200, timeframe=timeframe)
    assert quality.report(bars, synthetic.lines(bars)).clean


def test_what_cannot_be_made_up_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'magic'; use one of noise, rule, momentum"):
        made("magic")
    with pytest.raises(ValueError, match="99 bars: make between 100 and 200000"):
        made("noise", bars=99)
