"""Fills, costs, stops and targets, each against figures worked out by hand."""

import time

import numpy as np
import pytest

from tests.unit.engine_b import cast
from workers.backtest.simulate import START_EQUITY, Market, Rules, State, advance, finish, simulate

FREE = Rules(enter=0.5, exit=0.0)


def market(rows, scores):
    opens, highs, lows, closes = (list(map(float, column)) for column in zip(*rows, strict=True))
    return Market(opens, highs, lows, closes, list(map(float, scores)))


def flat(prices, scores):
    return market([(p, p, p, p) for p in prices], scores)


def test_a_decision_on_the_close_is_filled_at_the_next_open():
    state = simulate(
        market([(10, 11, 9, 10), (20, 22, 19, 21), (30, 33, 29, 31), (40, 44, 39, 41)], [1, 1, -1, -1]), FREE
    )
    trade = state.trades[0]
    assert (trade.entry, trade.entry_price) == (1, 20.0)
    assert (trade.exit, trade.exit_price, trade.reason) == (3, 40.0, "signal")
    assert state.equity[-1] == pytest.approx(2 * START_EQUITY)


def test_nothing_is_known_of_the_future():
    bars, scores = cast.bars(300), np.random.Generator(np.random.PCG64(1)).standard_normal(300)
    columns = (bars.open, bars.high, bars.low, bars.close, scores)
    rules = Rules(0.5, 0.0, short=True, stop=0.02, target=0.03, fee=1e-4)
    whole, cut = State(), State()
    advance(whole, Market(*(column.tolist() for column in columns)), rules, 300)
    advance(cut, Market(*(column[:200].tolist() for column in columns)), rules, 200)
    assert cut.equity == whole.equity[:200]


def test_fees_and_slippage_are_paid_on_both_sides():
    rules = Rules(0.5, 0.0, fee=0.01, slippage=0.02)
    state = simulate(flat([100, 100, 100, 100], [1, -1, -1, -1]), rules)
    units = START_EQUITY / (102.0 * 1.01)
    assert state.trades[0].entry_price == pytest.approx(102.0)
    assert state.trades[0].exit_price == pytest.approx(98.0)
    assert state.equity[-1] == pytest.approx(units * 98.0 * 0.99)
    assert state.trades[0].profit == pytest.approx(state.equity[-1] - START_EQUITY)


def test_a_short_earns_when_the_price_falls_and_pays_its_costs():
    rules = Rules(0.5, 0.0, short=True, fee=0.01)
    state = simulate(flat([100, 100, 50, 50], [-1, 1, 0, 0]), rules)
    units = START_EQUITY / (100 * 1.01)
    assert state.trades[0].side == -1
    assert state.trades[0].profit == pytest.approx(units * 50 - units * 100 * 0.01 - units * 50 * 0.01)


def test_long_flat_never_shorts():
    assert simulate(flat([100] * 5, [-1] * 5), FREE).trades == []


def test_between_enter_and_exit_a_position_is_kept_but_none_is_opened():
    rules = Rules(enter=0.5, exit=0.1)
    kept = simulate(flat([100] * 5, [0.6, 0.2, 0.2, 0.05, 0.2]), rules)
    assert [(trade.entry, trade.exit) for trade in kept.trades] == [(1, 4)]
    assert simulate(flat([100] * 5, [0.4] * 5), rules).trades == []


def test_a_missing_score_leaves_the_market():
    state = simulate(flat([100] * 4, [1, float("nan"), 1, 1]), FREE)
    assert state.trades[0].exit == 2


@pytest.mark.parametrize(
    ("bar", "price", "reason"),
    [
        ((100, 101, 94, 96), 95.0, "stop"),
        ((90, 92, 88, 91), 90.0, "stop"),  # a gap through the stop fills at the open
        ((100, 112, 99, 111), 110.0, "target"),
        ((115, 116, 114, 115), 115.0, "target"),
        ((100, 112, 94, 100), 95.0, "stop"),  # both are touched: the stop counts
        ((100, 109, 96, 100), None, "end"),
    ],
)
def test_stops_and_targets_of_a_long(bar, price, reason):
    rules = Rules(0.5, 0.0, stop=0.05, target=0.10)
    state = simulate(market([(100, 100, 100, 100), (100, 100, 100, 100), bar], [1, 1, 1]), rules)
    assert state.trades[0].reason == reason
    if price:
        assert state.trades[0].exit_price == pytest.approx(price)


@pytest.mark.parametrize(
    ("bar", "price", "reason"),
    [
        ((100, 106, 99, 100), 105.0, "stop"),
        ((110, 111, 109, 110), 110.0, "stop"),
        ((100, 101, 88, 90), 90.0, "target"),
        ((100, 106, 88, 90), 105.0, "stop"),
    ],
)
def test_stops_and_targets_of_a_short(bar, price, reason):
    rules = Rules(0.5, 0.0, short=True, stop=0.05, target=0.10)
    state = simulate(market([(100, 100, 100, 100), (100, 100, 100, 100), bar], [-1, -1, -1]), rules)
    assert (state.trades[0].exit_price, state.trades[0].reason) == (pytest.approx(price), reason)


def test_the_bar_of_entry_can_already_hit_the_stop():
    rules = Rules(0.5, 0.0, stop=0.05)
    state = simulate(market([(100, 100, 100, 100), (100, 100, 90, 98)], [1, 1]), rules)
    assert (state.trades[0].entry, state.trades[0].exit, state.trades[0].reason) == (1, 1, "stop")


def test_a_ruined_account_stops_at_zero_and_never_trades_again():
    rules = Rules(0.5, 0.0, short=True)
    state = simulate(flat([100, 100, 250, 100, 100, 100], [-1] * 6), rules)
    assert state.equity[2:] == [0.0] * 4
    assert len(state.trades) == 1
    assert state.ruined


@pytest.mark.parametrize("short", [False, True])
def test_profits_of_all_trades_add_up_to_the_account(short):
    bars, scores = cast.bars(700), np.random.Generator(np.random.PCG64(1)).standard_normal(700)
    rules = Rules(0.8, -0.2, short=short, stop=0.03, target=0.05, fee=0.001, slippage=0.0005)
    columns = (bars.open, bars.high, bars.low, bars.close, scores)
    state = simulate(Market(*(column.tolist() for column in columns)), rules)
    assert len(state.trades) > 50
    assert state.equity[-1] - START_EQUITY == pytest.approx(sum(trade.profit for trade in state.trades))


def test_holding_a_market_without_costs_earns_exactly_its_return():
    bars = cast.bars(400)
    columns = (bars.open, bars.high, bars.low, bars.close, np.ones(400))
    state = simulate(Market(*(column.tolist() for column in columns)), FREE)
    assert state.equity[-1] / START_EQUITY == pytest.approx(bars.close[-1] / bars.open[1])


def test_finishing_twice_closes_once():
    data = flat([100] * 4, [1] * 4)
    state = simulate(data, FREE)
    finish(state, data, FREE)
    assert len(state.trades) == 1


def test_a_hundred_thousand_bars_take_well_under_a_second():
    generator = np.random.Generator(np.random.PCG64(0))
    close = 100 * np.exp(np.cumsum(generator.standard_normal(100_000) * 0.01))
    columns = (close, close * 1.01, close * 0.99, close, generator.standard_normal(100_000))
    data = Market(*(column.tolist() for column in columns))
    begin = time.process_time()
    simulate(data, Rules(0.5, 0.0, short=True, stop=0.05, fee=1e-4))
    assert time.process_time() - begin < 1.0
