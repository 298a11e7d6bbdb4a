"""A strategy in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.market.indicators import FUNCTIONS

if TYPE_CHECKING:
    from workers.strategy.models import Indicator, Rule, Strategy


def describe(strategy: Strategy) -> list[str]:
    """Sentences, in the order a reader asks: what, on what, from what, how decided, how trained, how judged."""
    lines = [
        f"{strategy.name}: {strategy.hypothesis}",
        f"Trades {strategy.data.symbol} on {strategy.data.timeframe} bars.",
    ]
    lines += [
        f"{name} is {_indicator(strategy.indicators[name])}; terms {', '.join(terms)}."
        for name, terms in sorted(strategy.inputs.items())
    ]
    lines += [rule_in_words(rule) + "." for rule in strategy.rules]
    if strategy.network is not None:
        lines.append(f"A network with {strategy.network.hidden} hidden units adds to the rules.")
    return [
        *lines,
        _labels(strategy),
        _decision(strategy),
        _costs(strategy),
        _training(strategy),
        _evaluation(strategy),
    ]


def rule_in_words(rule: Rule) -> str:
    """`IF rsi14 is low AND slope is high THEN long +0.31`."""
    conditions = " AND ".join(f"{name} is {term}" for name, term in sorted(rule.when.items()))
    side = "long" if rule.then > 0 else "short"
    return f"IF {conditions} THEN " + (f"{side} {rule.then:+.2f}" if rule.then else "flat")


def _indicator(indicator: Indicator) -> str:
    function = FUNCTIONS[indicator.function]
    params = ", ".join(f"{name} {value:g}" for name, value in indicator.params.items())
    of = f" of the {indicator.input}" if indicator.input not in {None, "close"} else ""
    output = f", {indicator.output}" if len(function.outputs) > 1 else ""
    return f"{indicator.function}({params}){of}{output}: {function.words}"


def _labels(strategy: Strategy) -> str:
    labels = strategy.labels
    bars = f"{labels.horizon} {'bar' if labels.horizon == 1 else 'bars'}"
    scale = f"volatility of {labels.volatility_window} bars, scaled to the horizon"
    if labels.kind == "forward_return":
        return f"Learns how far the price goes within {bars} ({scale})."
    return (
        f"Learns which is touched first within {bars}: {labels.up:g} volatilities up or {labels.down:g} down ({scale})."
    )


def _decision(strategy: Strategy) -> str:
    decision = strategy.decision
    sides = "long or flat" if decision.mode == "long_flat" else "long, short or flat"
    text = f"Is {sides}: enters at a score of {decision.enter:g}, leaves below {decision.exit:g}"
    if decision.stop is not None:
        text += f", stop {decision.stop:.1%}"
    if decision.target is not None:
        text += f", target {decision.target:.1%}"
    return text + "; orders fill at the next open."


def _costs(strategy: Strategy) -> str:
    costs = strategy.costs
    return f"Pays {costs.fee_bps:g} bps fee and {costs.slippage_bps:g} bps slippage on each side."


def _training(strategy: Strategy) -> str:
    training = strategy.training
    stop = (
        "no early stopping" if training.patience is None else f"stops after {training.patience} epochs without progress"
    )
    seeds = "1 model" if training.seeds == 1 else f"{training.seeds} models"
    return f"Trains {seeds} per fold for up to {training.epochs} epochs, {stop}."


def _evaluation(strategy: Strategy) -> str:
    evaluation = strategy.evaluation
    folds = "1 fold" if evaluation.folds == 1 else f"{evaluation.folds} folds"
    return (
        f"Is tested walk-forward in {folds} ({evaluation.scheme}, {evaluation.min_train_bars} bars or more to train, "
        f"{evaluation.embargo} bars embargo); the hold-out stays unread."
    )
