from __future__ import annotations

import numpy as np
import pytest

from tests.unit.engine_a import cast
from workers.market.bars import Bars
from workers.market.indicators import FUNCTIONS, SOURCES, compute

EVERY = [(name, output) for name, function in FUNCTIONS.items() for output in function.outputs]
EXTREMES = ("default", "low", "high")


def settings(name, extreme):
    function = FUNCTIONS[name]
    params = {key: getattr(param, extreme) for key, param in function.params.items()}
    if function.rising and extreme != "default":
        params[function.rising[1]] = max(params[function.rising[1]], params[function.rising[0]] + 1)
        params[function.rising[0]] = min(params[function.rising[0]], params[function.rising[1]] - 1)
    return params


def same(one, two):
    return np.array_equal(np.isnan(one), np.isnan(two)) and np.array_equal(one, two, equal_nan=True)


@pytest.mark.parametrize(("name", "output"), EVERY)
@pytest.mark.parametrize("extreme", EXTREMES)
def test_a_prefix_of_the_bars_has_the_same_first_values_bit_for_bit(name, output, extreme):
    bars, params = cast.bars(), settings(name, extreme)
    whole = compute(bars, name, params, None, output)
    for k in (*range(1, 60), *range(60, 700, 37), 699):
        assert same(compute(bars.slice(0, k), name, params, None, output), whole[:k]), k


@pytest.mark.parametrize(("name", "output"), EVERY)
def test_values_are_finite_once_warm_on_real_noisy_and_flat_bars(name, output):
    for bars in (cast.bars(3000), cast.flat(), cast.nasdaq()[0]):
        values = compute(bars, name, {}, None, output)
        warm = int(np.argmax(~np.isnan(values)))
        assert not np.isnan(values[warm])
        assert np.isfinite(values[warm:]).all()


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.scale_free])
def test_scale_free_values_do_not_depend_on_the_price_level(name):
    bars = cast.bars()
    dear = Bars("TEST", "1d", bars.time, *(getattr(bars, c) * 64 for c in ("open", "high", "low", "close")),
                bars.volume)  # fmt: skip
    for output in FUNCTIONS[name].outputs:
        one, two = compute(bars, name, {}, None, output), compute(dear, name, {}, None, output)
        assert np.allclose(one, two, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_price_level_moves_what_is_not_scale_free():
    bars = cast.bars()
    dear = Bars("TEST", "1d", bars.time, *(getattr(bars, c) * 2 for c in ("open", "high", "low", "close")), bars.volume)
    raw = [name for name, function in FUNCTIONS.items() if not function.scale_free]
    assert raw
    for name in raw:
        assert compute(dear, name, {})[-1] == pytest.approx(2 * compute(bars, name, {})[-1])


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.takes_source])
def test_functions_of_one_series_work_on_every_source(name):
    bars = cast.bars()
    values = [compute(bars, name, {}, source)[-1] for source in SOURCES]
    assert np.isfinite(values).all()
    assert len(set(values)) == len(SOURCES)


def test_wilders_rsi_sheet():
    """The published sheet of the 14-period RSI: six values from the 15th close on."""
    closes = np.array([44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
                       45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222,
                       45.6439])  # fmt: skip
    bars = Bars("WILDER", "1d", 86400 * np.arange(20), closes, closes, closes, closes, np.ones(20))
    values = compute(bars, "rsi", {"period": 14})
    assert np.isnan(values[:14]).all()
    assert np.round(values[14:], 2).tolist() == [70.53, 66.32, 66.55, 69.41, 66.36, 57.97]


def test_ratios_by_hand():
    bars = cast.bars(60)
    assert compute(bars, "price_to_sma", {"period": 5})[-1] == pytest.approx(
        bars.close[-1] / bars.close[-5:].mean() - 1
    )
    below = bars.close[-1] / bars.high[-9:].max() - 1
    assert compute(bars, "distance_from_high", {"period": 9})[-1] == pytest.approx(below)
    returns = np.diff(np.log(bars.close))
    assert compute(bars, "volatility", {"period": 10})[-1] == pytest.approx(returns[-10:].std())
    assert compute(bars, "volume_ratio", {"period": 4})[-1] == pytest.approx(bars.volume[-1] / bars.volume[-4:].mean())
    slope = np.polyfit(range(7), bars.close[-7:], 1)[0]
    assert compute(bars, "linearreg_slope", {"period": 7})[-1] == pytest.approx(slope / bars.close[-1])
