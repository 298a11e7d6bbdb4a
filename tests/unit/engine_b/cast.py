"""A strategy, bars and a reporter that the tests of this folder share. The bars have an edge that rules can find."""

from __future__ import annotations

import numpy as np

from workers.market.bars import Bars
from workers.market.splits import Fold
from workers.strategy import parse
from workers.training.prepare import Prepared

SPEC = {
    "name": "Test",
    "hypothesis": "Low momentum turns up.",
    "data": {"symbol": "TEST", "timeframe": "1d"},
    "indicators": {"rsi14": {"function": "rsi", "params": {"period": 14}}, "trend5": {"function": "roc"}},
    "inputs": {"rsi14": ["low", "mid", "high"], "trend5": ["down", "up"]},
    "rules": [
        {"if": {"rsi14": "low", "trend5": "down"}, "then": 0.5},
        {"if": {"rsi14": "high"}, "then": -0.5},
        {"if": {"rsi14": "mid", "trend5": "up"}, "then": 0.2},
    ],
    "network": {"hidden": 4},
    "training": {"epochs": 12, "patience": 4, "batch_size": 64, "seeds": 2},
    "evaluation": {"folds": 2, "min_train_bars": 200},
}


def spec(**changes):
    return {**SPEC, **changes}


def strategy(**changes):
    return parse(spec(**changes))


def bars(n=900, seed=0):
    generator = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(generator.standard_normal(n) * 0.01 + 0.0003))
    opening = np.append(close[0], close[:-1]) * np.exp(generator.standard_normal(n) * 0.002)
    high = np.maximum(opening, close) * (1 + generator.random(n) * 0.005)
    low = np.minimum(opening, close) * (1 - generator.random(n) * 0.005)
    time = np.arange(n, dtype=np.int64) * 86400 + 946_684_800
    return Bars("TEST", "1d", time, opening, high, low, close, np.full(n, 1e6))


def prepared(n=900, seed=0, skill=1.0):
    """Features and labels made by hand, two inputs: a low first input means a label of +1 when `skill` is 1."""
    generator = np.random.Generator(np.random.PCG64(seed))
    features = generator.standard_normal((n, 2)) * [10.0, 0.02] + [50.0, 0.0]
    features[:20] = np.nan
    signal = skill * (50.0 - features[:, 0]) / 10.0 + generator.standard_normal(n) * 0.5
    valid = ~np.isnan(features[:, 0]) & (np.arange(n) < n - 5)
    label = np.where(valid, np.sign(np.nan_to_num(signal)), 0).astype(np.int8)
    first, second = np.arange(20, n // 2 - 10), np.arange(20, 3 * n // 4 - 10)
    folds = [
        Fold(first[:-60], first[-50:], slice(n // 2, 3 * n // 4)),
        Fold(second[:-60], second[-50:], slice(3 * n // 4, n)),
    ]
    names, terms = ["rsi14", "trend5"], [["low", "mid", "high"], ["down", "up"]]
    ends = np.arange(n, dtype=np.int64) + 5
    return Prepared(bars(n), features, names, terms, label.astype(float), label, ends, valid, folds)


class Recorder:
    """A real `Reporter` that keeps everything in memory and asks to stop after so many asks."""

    def __init__(self, stop_after=None):
        self.points, self.metrics, self.checkpoints, self.artifacts, self.asked = [], [], [], {}, 0
        self.stop_after = stop_after

    def progress(self, unit, units, message=""):
        self.points.append((unit, units))

    def metric(self, unit, values):
        self.metrics.append((unit, dict(values)))

    def checkpoint(self, unit, payload):
        self.checkpoints.append((unit, payload))

    def artifact(self, name, payload):
        self.artifacts[name] = payload

    def should_stop(self):
        self.asked += 1
        return self.stop_after is not None and self.asked >= self.stop_after
