"""Figures of a research as people read them: with unit, and a dash where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NONE: Final = "–"


def is_number(value: Any) -> bool:
    """A finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def percent(value: float) -> str:
    return f"{value:.1%}"


def signed_percent(value: float) -> str:
    return f"{value:+.1%}"


def ratio(value: float) -> str:
    return f"{value:.2f}"


def signed(value: float) -> str:
    return f"{value:+.2f}"


def count(value: float) -> str:
    return f"{value:,.0f}"


def times(value: float) -> str:
    return f"{value:.1f}×"


def loss(value: float) -> str:
    return f"{value:.4f}"


def say(value: Any, form: Callable[[float], str]) -> str:
    """The figure, or a dash for None, NaN and infinity."""
    return form(float(value)) if is_number(value) else NONE


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of a backtest, and what it means in a line."""

    key: str
    name: str
    form: Callable[[float], str]
    meaning: str


MEASURES: Final = (
    Measure("sharpe", "Sharpe ratio", ratio, "mean over deviation of returns, annualised; above 1 is rare for long"),
    Measure("cagr", "Growth a year", signed_percent, "compound annual growth after costs"),
    Measure("max_drawdown", "Deepest drawdown", percent, "largest loss from a high so far"),
    Measure("trades", "Trades", count, "closed round trips; under 30 says little"),
    Measure("exposure", "Exposure", percent, "share of bars with a position"),
    Measure("turnover", "Turnover a year", times, "traded value over mean equity; each turn pays costs"),
    Measure("psr", "Probabilistic Sharpe", percent, "probability that the true Sharpe ratio is above 0"),
    Measure("dsr", "Deflated Sharpe", percent, "the same, counting every trial made on this market"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A test of a gate or of the verdict, in words."""

    name: str
    value: str
    threshold: str
    passed: bool
    text: str


_TESTS: Final[dict[str, tuple[str, str, Callable[[float], str]]]] = {
    "deflated_sharpe": ("Deflated Sharpe", "at least", percent),
    "beats_buy_and_hold": ("Excess Sharpe over buy and hold, lower bound", "above", signed),
    "enough_trades": ("Trades", "at least", count),
    "profit_after_costs": ("Profit after costs", "above", signed_percent),
    "profit_at_twice_the_costs": ("Profit at twice the costs", "above", signed_percent),
    "not_collapsed": ("Not collapsed: exposure", "above", percent),
    "diverged": ("Diverged models", "at most", count),
    "collapsed": ("Movement of the scores", "at least", percent),
    "better_than_base_rate": ("Better than the base rate, standard errors", "at least", signed),
    "drawdown": ("Deepest drawdown", "at most", percent),
    "survives_costs": ("Return after costs", "above", signed_percent),
}


def checks(given: Any) -> list[Check]:
    """From `research.phases.gates.check`; an unknown test keeps its own name."""
    return [_check(one) for one in given or [] if isinstance(one, dict)]


def _check(one: dict[str, Any]) -> Check:
    key = str(one.get("name", ""))
    name, side, form = _TESTS.get(key, (key.replace("_", " ").capitalize(), "", ratio))
    limit = one.get("threshold")
    threshold = f"{side} {'0' if limit == 0 else say(limit, form)}".strip()
    return Check(name, say(one.get("value"), form), threshold, bool(one.get("passed")), str(one.get("text", "")))
