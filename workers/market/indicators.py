"""The indicators a strategy may use: a typed registry over TA-Lib. Every one reads the past only, so that the values of
a prefix of the bars are the first values of all bars, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import talib
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workers.market.bars import Bars

Array = NDArray[np.float64]
Params = Mapping[str, int | float]
Formula = Callable[["Bars", Array, Params], tuple[Array, ...]]
SOURCES = ("open", "high", "low", "close", "typical")


@dataclass(frozen=True, slots=True)
class Param:
    """A number between `low` and `high`, both allowed; whole when `default` is an int."""

    default: int | float
    low: int | float
    high: int | float

    @property
    def whole(self) -> bool:
        return isinstance(self.default, int)


@dataclass(frozen=True, slots=True)
class Function:
    """`compute` gives one array (n,) per name in `outputs`, NaN while warming up, finite after.

    `scale_free`: the value means the same at any price level, as a fuzzy term needs. `takes_source`: works on any of
    `SOURCES` (otherwise on high, low, close and volume as defined). `rising`: parameter names that must rise.
    """

    name: str
    words: str
    compute: Formula
    params: Mapping[str, Param]
    outputs: tuple[str, ...] = ("value",)
    takes_source: bool = False
    scale_free: bool = True
    rising: tuple[str, ...] = ()


FUNCTIONS: dict[str, Function] = {}


def ratio(top: Array, bottom: Array, neutral: float) -> Array:
    """`top / bottom`; `neutral` where `bottom` is 0 and both are known: a flat or unsold bar says nothing."""
    known = ~(np.isnan(top) | np.isnan(bottom))
    usable = known & (bottom != 0)
    result = np.where(known, neutral, np.nan)
    np.divide(top, bottom, out=result, where=usable)
    return result


def source(bars: Bars, name: str) -> Array:
    """The price series `name` of `SOURCES`, (n,); `typical` is the mean of high, low and close."""
    if name == "typical":
        return (bars.high + bars.low + bars.close) / 3
    series: Array = getattr(bars, name)
    return series


def compute(
    bars: Bars,
    function: str,
    params: Params,
    input: str | None = None,  # noqa: A002 - the word of the specification
    output: str | None = None,
) -> Array:
    """Values (n,) float64, NaN while warming up. Parameters not given take their defaults; `input` is the close
    unless given, `output` to the function's first. `KeyError` for names that are not in the registry.
    """
    entry = FUNCTIONS[function]
    filled = {name: params.get(name, param.default) for name, param in entry.params.items()}
    position = entry.outputs.index(output) if output is not None else 0
    if len(bars) == 0:
        return np.empty(0)
    return entry.compute(bars, source(bars, input or "close"), filled)[position]


def add(
    name: str,
    words: str,
    formula: Formula,
    *,
    outputs: tuple[str, ...] = ("value",),
    takes_source: bool = False,
    scale_free: bool = True,
    rising: tuple[str, ...] = (),
    **params: Param,
) -> None:
    FUNCTIONS[name] = Function(name, words, formula, params, outputs, takes_source, scale_free, rising)


def period(default: int, low: int = 2, high: int = 400) -> Param:
    return Param(default, low, high)


def _log_returns(series: Array) -> Array:
    returns = np.full(len(series), np.nan)
    returns[1:] = np.log(series[1:] / series[:-1])
    return returns


def _macd(_: Bars, x: Array, p: Params) -> tuple[Array, ...]:
    line, signal, hist = talib.MACD(x, int(p["fast"]), int(p["slow"]), int(p["signal"]))
    return hist / x, line / x, signal / x


def _bbands(_: Bars, x: Array, p: Params) -> tuple[Array, ...]:
    upper, middle, lower = talib.BBANDS(x, int(p["period"]), float(p["width"]), float(p["width"]))
    return ratio(x - lower, upper - lower, 0.5), (upper - lower) / middle


def _stoch(b: Bars, _: Array, p: Params) -> tuple[Array, ...]:
    k, d = talib.STOCH(b.high, b.low, b.close, int(p["k"]), int(p["smooth"]), slowd_period=int(p["d"]))
    return k, d


def _obv_slope(b: Bars, _: Array, p: Params) -> tuple[Array, ...]:
    n = int(p["period"])
    return (ratio(talib.LINEARREG_SLOPE(talib.OBV(b.close, b.volume), n), talib.SMA(b.volume, n), 0.0),)


def _volatility_ratio(_: Bars, x: Array, p: Params) -> tuple[Array, ...]:
    returns = _log_returns(x)
    fast, slow = (talib.STDDEV(returns, int(p[name]), 1.0) for name in ("fast", "slow"))
    return (ratio(fast, slow, 1.0),)


add(
    "sma",
    "simple moving average, in price units",
    lambda _, x, p: (talib.SMA(x, int(p["period"])),),
    takes_source=True,
    scale_free=False,
    period=period(50),
)
add(
    "ema",
    "exponential moving average, in price units",
    lambda _, x, p: (talib.EMA(x, int(p["period"])),),
    takes_source=True,
    scale_free=False,
    period=period(50),
)
add(
    "mom",
    "change over the period, in price units",
    lambda _, x, p: (talib.MOM(x, int(p["period"])),),
    takes_source=True,
    scale_free=False,
    period=period(10, 1),
)
add(
    "atr",
    "average true range, in price units",
    lambda b, _, p: (talib.ATR(b.high, b.low, b.close, int(p["period"])),),
    scale_free=False,
    period=period(14, 1),
)
add(
    "rsi",
    "relative strength index, 0 to 100",
    lambda _, x, p: (talib.RSI(x, int(p["period"])),),
    takes_source=True,
    period=period(14),
)
add(
    "macd",
    "moving average convergence/divergence, as a fraction of the price",
    _macd,
    takes_source=True,
    outputs=("hist", "line", "signal"),
    rising=("fast", "slow"),
    fast=period(12),
    slow=period(26, 3),
    signal=period(9, 1, 100),
)
add(
    "adx",
    "average directional index, strength of a trend, 0 to 100",
    lambda b, _, p: (talib.ADX(b.high, b.low, b.close, int(p["period"])),),
    period=period(14, 2, 200),
)
add(
    "dmi",
    "directional movement, plus minus minus, -100 to 100",
    lambda b, _, p: (
        talib.PLUS_DI(b.high, b.low, b.close, int(p["period"]))
        - talib.MINUS_DI(b.high, b.low, b.close, int(p["period"])),
    ),
    period=period(14, 2, 200),
)
add(
    "natr",
    "average true range in percent of the close",
    lambda b, _, p: (talib.NATR(b.high, b.low, b.close, int(p["period"])),),
    period=period(14, 1),
)
add(
    "bbands",
    "Bollinger bands: place of the price within them (0 lower, 1 upper), or their width over the middle",
    _bbands,
    takes_source=True,
    outputs=("percent_b", "width"),
    period=period(20),
    width=Param(2.0, 0.5, 5.0),
)
add(
    "stoch",
    "stochastic oscillator, 0 to 100",
    _stoch,
    outputs=("k", "d"),
    k=period(14),
    smooth=period(3, 1, 50),
    d=period(3, 1, 50),
)
add(
    "cci",
    "commodity channel index",
    lambda b, _, p: (talib.CCI(b.high, b.low, b.close, int(p["period"])),),
    period=period(20),
)
add(
    "roc",
    "change over the period in percent",
    lambda _, x, p: (talib.ROC(x, int(p["period"])),),
    takes_source=True,
    period=period(10, 1),
)
add(
    "willr",
    "Williams %R, -100 to 0",
    lambda b, _, p: (talib.WILLR(b.high, b.low, b.close, int(p["period"])),),
    period=period(14),
)
add(
    "mfi",
    "money flow index, 0 to 100",
    lambda b, _, p: (talib.MFI(b.high, b.low, b.close, b.volume, int(p["period"])),),
    period=period(14),
)
add(
    "cmo",
    "Chande momentum oscillator, -100 to 100",
    lambda _, x, p: (talib.CMO(x, int(p["period"])),),
    takes_source=True,
    period=period(14),
)
add(
    "aroon",
    "Aroon oscillator, age of the last high against the last low, -100 to 100",
    lambda b, _, p: (talib.AROONOSC(b.high, b.low, int(p["period"])),),
    period=period(25),
)
add(
    "trix",
    "one-bar change of a triple exponential average in percent",
    lambda _, x, p: (talib.TRIX(x, int(p["period"])),),
    takes_source=True,
    period=period(15, 2, 100),
)
add("obv_slope", "slope of on-balance volume over mean volume", _obv_slope, period=period(20))
add(
    "volume_ratio",
    "volume over its mean",
    lambda b, _, p: (ratio(b.volume, talib.SMA(b.volume, int(p["period"])), 1.0),),
    period=period(20),
)
add(
    "linearreg_slope",
    "slope of a straight line through the prices, per bar, as a fraction of the price",
    lambda _, x, p: (talib.LINEARREG_SLOPE(x, int(p["period"])) / x,),
    takes_source=True,
    period=period(20),
)
add(
    "stddev",
    "standard deviation of the price over its mean",
    lambda _, x, p: (talib.STDDEV(x, int(p["period"]), 1.0) / talib.SMA(x, int(p["period"])),),
    takes_source=True,
    period=period(20),
)
add(
    "price_to_sma",
    "price over its simple moving average, minus 1",
    lambda _, x, p: (x / talib.SMA(x, int(p["period"])) - 1,),
    takes_source=True,
    period=period(50),
)
add(
    "sma_ratio",
    "fast over slow simple moving average, minus 1",
    lambda _, x, p: (talib.SMA(x, int(p["fast"])) / talib.SMA(x, int(p["slow"])) - 1,),
    takes_source=True,
    rising=("fast", "slow"),
    fast=period(50),
    slow=period(200, 3),
)
add(
    "distance_from_high",
    "close over the highest high of the period, minus 1",
    lambda b, _, p: (b.close / talib.MAX(b.high, int(p["period"])) - 1,),
    period=period(252),
)
add(
    "distance_from_low",
    "close over the lowest low of the period, minus 1",
    lambda b, _, p: (b.close / talib.MIN(b.low, int(p["period"])) - 1,),
    period=period(252),
)
add(
    "volatility",
    "standard deviation of the log returns, per bar",
    lambda _, x, p: (talib.STDDEV(_log_returns(x), int(p["period"]), 1.0),),
    takes_source=True,
    period=period(20),
)
add(
    "volatility_ratio",
    "fast over slow volatility",
    _volatility_ratio,
    takes_source=True,
    rising=("fast", "slow"),
    fast=period(10),
    slow=period(60, 3),
)
