"""A backtest from its job to its result."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from workers import faults
from workers.backtest import files
from workers.backtest.comparisons import buy_and_hold, cost_sensitivity, measures, simple_rules
from workers.backtest.session import dump, restore
from workers.backtest.setting import Stretch, rules_of
from workers.backtest.simulate import State, advance, finish
from workers.job import Interrupted, InvalidInput
from workers.market.bars import periods_per_year
from workers.market.metrics import moments
from workers.spacing import Spacing
from workers.strategy import strategy_sha256
from workers.training.modelfile import read_model, required_identity
from workers.training.plan import load_inputs
from workers.training.prepare import Holdout, prepare
from workers.training.version import environment

if TYPE_CHECKING:
    from workers.backtest.simulate import Market, Rules
    from workers.job import Job, Reporter
    from workers.strategy import Strategy
    from workers.training.modelfile import Model
    from workers.training.prepare import Prepared

CHUNK = 250


def run(job: Job, reporter: Reporter) -> dict[str, Any]:
    """Trade the test part of each fold with that fold's models (files `bars` and `model`); see `workers.job.Task`.

    `job.spec["checkpoint_every_s"]` spaces the checkpoints (0: after every `CHUNK` bars; see `Spacing`).
    """
    strategy, bars, data_sha256 = load_inputs(job)
    prepared = prepare(strategy, bars, Holdout.of(job.spec))
    if "model" not in job.files:
        raise InvalidInput("the job lacks the file model: train the strategy first")
    payload = job.files["model"].read_bytes()
    required = required_identity(strategy_sha256(strategy), data_sha256)
    model = read_model(payload, strategy, len(prepared.folds), required)
    identity = {**required, "model": model.sha256}
    return backtest(strategy, prepared, model, reporter, identity, job.checkpoint, Spacing.of(job.spec))


def backtest(
    strategy: Strategy,
    prepared: Prepared,
    model: Model,
    reporter: Reporter,
    identity: dict[str, Any],
    checkpoint: bytes | None = None,
    spacing: Spacing | None = None,
) -> dict[str, Any]:
    """Simulate in pieces, going on from `checkpoint`; then measure, compare and hand over the files."""
    stretch, rules = Stretch.of(prepared.bars, prepared.folds), rules_of(strategy)
    market = stretch.market(model.out_of_sample(prepared))
    state = restore(checkpoint, identity, len(market)) if checkpoint else State()
    _simulate(state, market, rules, reporter, identity, spacing or Spacing())
    finish(state, market, rules)
    return _result(prepared, stretch, market, rules, state, reporter, identity)


def _simulate(
    state: State, market: Market, rules: Rules, reporter: Reporter, identity: dict[str, Any], spacing: Spacing
) -> None:
    bars = len(market)
    while state.cursor < bars:
        advance(state, market, rules, state.cursor + CHUNK)
        stop = reporter.should_stop()
        if stop or spacing.due():
            with spacing.saving():
                reporter.checkpoint(state.cursor, dump(state, identity))
        reporter.progress(state.cursor, bars, f"bar {state.cursor} of {bars}, {len(state.trades)} trades")
        faults.point("backtest.bar")
        if stop:
            raise Interrupted


def _result(
    prepared: Prepared,
    stretch: Stretch,
    market: Market,
    rules: Rules,
    state: State,
    reporter: Reporter,
    identity: dict[str, Any],
) -> dict[str, Any]:
    bars, per_year = stretch.traded, periods_per_year(prepared.bars.timeframe)
    holder = buy_and_hold(stretch, rules)
    equity, benchmark = np.array(state.equity), np.array(holder.equity)
    returns = files.returns_table(bars, state, benchmark)
    fold_starts = [fold.test.start - stretch.start for fold in prepared.folds]
    artifacts = {
        "equity.npy": files.npy(files.equity_table(bars, equity, benchmark)),
        "returns.npy": files.npy(returns),
        "trades.csv": files.trades_csv(bars, state),
        "curve.json": files.curve_json(bars, equity, benchmark, fold_starts),
    }
    stored = {name: _hand_over(reporter, name, payload) for name, payload in artifacts.items()}
    shape = moments(returns[:, 0])
    scores = np.array(market.score)
    return {
        "artifacts": stored,
        "metrics": {**measures(state, per_year), "buy_and_hold": measures(holder, per_year)},
        "benchmarks": simple_rules(stretch, rules, per_year),
        "cost_sensitivity": cost_sensitivity(market, rules, per_year),
        "trades_sha256": stored["trades.csv"]["sha256"],
        "equity_sha256": stored["equity.npy"]["sha256"],
        "returns": {**asdict(shape), "sharpe": shape.sharpe},
        "per_year": per_year,
        "cost_per_side": rules.fee + rules.slippage,
        "score_deviation": float(np.nanstd(scores)) if np.isfinite(scores).any() else 0.0,
        "period": {"bars": len(bars), "start": int(bars.time[0]), "end": int(bars.time[-1])},
        "units": len(market),
        "identity": identity,
        "environment": environment(),
    }


def _hand_over(reporter: Reporter, name: str, payload: bytes) -> dict[str, Any]:
    reporter.artifact(name, payload)
    return {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
