"""The two gates: cheap looks at a result before more is spent on it. Pure; stored with their numbers.

A gate that fails ends nothing: the next phase still runs, and the verdict names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_TRADES = 30
MAX_DRAWDOWN = 0.5
MIN_MOVEMENT = 0.01  # deviation of the scores over that of the targets
MIN_Z = 1.64  # one-sided 95 %


def check(name: str, value: float, threshold: float, *, passed: bool, text: str) -> dict[str, Any]:
    """One test of a gate or a verdict, JSON-ready."""
    return {"name": name, "value": value, "threshold": threshold, "passed": passed, "text": text}


def training_gate(result: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a training (the result of `workers.training.run`) ended with a model that learned anything.

    Returns {"passed", "checks": [{"name", "value", "threshold", "passed", "text"}]}.
    """
    base = result["base_rate"]
    diverged, z = result["diverged"], base["z"]
    movement = base["score_deviation"] / base["target_deviation"] if base["target_deviation"] > 0 else 0.0
    return _gate(
        check(
            "diverged",
            diverged,
            0,
            passed=result["finite"] and diverged == 0,
            text=f"{diverged} of {len(result['history'])} models diverged in training.",
        ),
        check(
            "collapsed",
            movement,
            MIN_MOVEMENT,
            passed=movement >= MIN_MOVEMENT,
            text=f"The scores move {movement:.1%} as much as the targets; under {MIN_MOVEMENT:.0%} they are constant.",
        ),
        check(
            "better_than_base_rate",
            z,
            MIN_Z,
            passed=z >= MIN_Z,
            text=f"On unseen bars the error is {_than_base(base['skill'])} the base rate's, {z:+.1f} standard errors; "
            f"noise reaches +{MIN_Z} once in twenty.",
        ),
    )


def backtest_gate(result: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a backtest (the result of `workers.backtest.run`) can be judged and survived; form as `training_gate`."""
    metrics = result["metrics"]
    trades, drawdown, earned = metrics["trades"], metrics["max_drawdown"], metrics["total_return"]
    free = next(row["total_return"] for row in result["cost_sensitivity"] if row["factor"] == 0)
    ruined = free > 0 >= earned
    return _gate(
        check(
            "enough_trades",
            trades,
            MIN_TRADES,
            passed=trades >= MIN_TRADES,
            text=f"{trades} trades; fewer than {MIN_TRADES} say little.",
        ),
        check(
            "drawdown",
            drawdown,
            MAX_DRAWDOWN,
            passed=drawdown <= MAX_DRAWDOWN,
            text=f"The deepest drawdown is {drawdown:.0%}; the limit is {MAX_DRAWDOWN:.0%}.",
        ),
        check(
            "survives_costs",
            earned,
            0.0,
            passed=not ruined,
            text=f"Without costs it makes {free:+.0%}, with them {earned:+.0%}.",
        ),
    )


def _than_base(skill: float) -> str:
    return f"{abs(skill):.2%} {'below' if skill >= 0 else 'above'}"


def _gate(*checks: dict[str, Any]) -> dict[str, Any]:
    return {"passed": all(one["passed"] for one in checks), "checks": list(checks)}
