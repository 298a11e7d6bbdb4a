"""The files of a result. Equal results give equal bytes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.market.metrics import drawdowns, returns_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.backtest.simulate import State
    from workers.market.bars import Bars

    Array = NDArray[np.float64]

CURVE_POINTS = 600
TRADE_COLUMNS = "side,entry_time,exit_time,entry_price,exit_price,units,profit,return,bars,reason"


def npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def equity_table(bars: Bars, equity: Array, benchmark: Array) -> Array:
    """(m, 3): Unix seconds (UTC) of the bar, equity at its close, equity of buy and hold."""
    return np.column_stack([bars.time.astype(np.float64), equity, benchmark])


def returns_table(bars: Bars, state: State, benchmark: Array) -> Array:
    """(m − 1, 4): returns of strategy and of buy and hold, share of equity held at that close, return of the market."""
    own = returns_of(np.array(state.equity))
    return np.column_stack([own, returns_of(benchmark), np.array(state.held)[1:], returns_of(bars.close)])


def trades_csv(bars: Bars, state: State) -> bytes:
    """One line per trade; times are UTC of the bar, prices as filled, `return` after costs on the entry's value."""
    lines = [TRADE_COLUMNS]
    for trade in state.trades:
        gain = trade.profit / (abs(trade.units) * trade.entry_price)
        numbers = (trade.entry_price, trade.exit_price, trade.units, trade.profit, gain)
        times = (_text(bars, trade.entry), _text(bars, trade.exit))
        side = "long" if trade.side > 0 else "short"
        lines.append(",".join([side, *times, *map(repr, numbers), str(trade.exit - trade.entry), trade.reason]))
    return ("\n".join(lines) + "\n").encode()


def curve_json(bars: Bars, equity: Array, benchmark: Array, fold_starts: list[int]) -> bytes:
    """For the page: at most 600 points; each stands for the bars since the last, with their worst drawdown."""
    m = len(equity)
    ends = np.unique(np.linspace(0, m - 1, min(m, CURVE_POINTS)).round().astype(np.int64))
    begins = np.concatenate([[0], ends[:-1] + 1])
    curve: dict[str, Any] = {
        "time": bars.time[ends].tolist(),
        "equity": (equity / equity[0])[ends].round(6).tolist(),
        "buy_and_hold": (benchmark / benchmark[0])[ends].round(6).tolist(),
        "drawdown": np.maximum.reduceat(drawdowns(equity), begins).round(6).tolist(),
        "fold_starts": bars.time[fold_starts].tolist(),
    }
    return json.dumps(curve, separators=(",", ":"), allow_nan=False).encode()


def _text(bars: Bars, position: int) -> str:
    return datetime.fromtimestamp(int(bars.time[position]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
