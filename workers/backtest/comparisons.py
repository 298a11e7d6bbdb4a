"""What stands beside a result: buy and hold, simple rules, and the same signals at other costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workers.backtest.setting import holding
from workers.backtest.simulate import simulate
from workers.market import benchmarks
from workers.market.metrics import performance

if TYPE_CHECKING:
    from workers.backtest.setting import Stretch
    from workers.backtest.simulate import Market, Rules, State

FACTORS = (0.0, 1.0, 2.0, 5.0)


def measures(state: State, per_year: float) -> dict[str, float | int]:
    """All figures of a finished simulation: those of `performance`, and trades, exposure (share of bars in a position),
    turnover (traded value a year over mean equity) and share of winning trades.
    """
    equity = np.array(state.equity)
    years, mean = max(len(equity) - 1, 1) / per_year, float(equity.mean())
    wins = sum(trade.profit > 0 for trade in state.trades)
    return {
        **performance(equity, per_year),
        "trades": len(state.trades),
        "exposure": state.exposed / len(equity),
        "turnover": state.traded / mean / years if mean > 0 else 0.0,
        "win_rate": wins / len(state.trades) if state.trades else 0.0,
    }


def buy_and_hold(stretch: Stretch, rules: Rules) -> State:
    """Bought at the second open, as a strategy that decides on the first close would, and sold at the end."""
    return simulate(stretch.market(benchmarks.always_long(stretch.bars.close)), holding(rules))


def simple_rules(stretch: Stretch, rules: Rules, per_year: float) -> dict[str, dict[str, float | int]]:
    """Rules known for decades, at the same costs."""
    close = stretch.bars.close
    scores = {"sma_50_200": benchmarks.average_crossing(close), "momentum_252": benchmarks.momentum(close)}
    return {name: measures(simulate(stretch.market(score), holding(rules)), per_year) for name, score in scores.items()}


def cost_sensitivity(market: Market, rules: Rules, per_year: float) -> list[dict[str, Any]]:
    """The same signals at 0, 1, 2 and 5 times the costs, simulated anew each time."""
    return [{"factor": factor, **measures(simulate(market, rules.with_costs(factor)), per_year)} for factor in FACTORS]
