"""Bars and a specification that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workers.market.bars import Bars
from workers.market.csvfile import read_csv

NASDAQ = Path(__file__).parents[3] / "data" / "nasdaq_daily.csv"
MONDAY = 946_857_600  # 3 January 2000

SPEC = {
    "name": "Dips",
    "hypothesis": "Low momentum turns up.",
    "data": {"symbol": "TEST", "timeframe": "1d"},
    "indicators": {"rsi14": {"function": "rsi"}, "slope": {"function": "linearreg_slope", "params": {"period": 20}}},
    "inputs": {"slope": ["down", "up"], "rsi14": ["low", "mid", "high"]},
    "rules": [{"if": {"rsi14": "low", "slope": "up"}, "then": 0.5}, {"if": {"rsi14": "high"}, "then": -0.5}],
}


def bars(n=700, seed=0, symbol="TEST"):
    generator = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(generator.standard_normal(n) * 0.01))
    opening = np.append(close[:1], close[:-1]) * np.exp(generator.standard_normal(n) * 0.004)
    high = np.maximum(opening, close) * (1 + generator.random(n) * 0.006)
    low = np.minimum(opening, close) * (1 - generator.random(n) * 0.006)
    volume = np.floor(generator.random(n) * 1e6) * (generator.random(n) > 0.02)
    return Bars(symbol, "1d", MONDAY + 86400 * np.arange(n), opening, high, low, close, volume)


def flat(n=700):
    price = np.full(n, 50.0)
    return Bars("FLAT", "1d", MONDAY + 86400 * np.arange(n), price, price, price, price, np.zeros(n))


def nasdaq():
    return read_csv(NASDAQ, "NASDAQ", "1d")
