"""May I believe it? The verdict with its tests, and the measures beside simple alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.research_figures import (
    MEASURES,
    NONE,
    Check,
    Measure,
    checks,
    count,
    is_number,
    say,
    signed,
    signed_percent,
)  # fmt: skip
from research.lifecycle.states import Kind, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.dashboard.selectors.research_rows import Rows

TONES = {"promising": "good", "inconclusive": "warn", "reject": "bad"}
LABELS = {"promising": "Promising", "inconclusive": "Inconclusive", "reject": "Reject"}
_OTHERS = (("buy_and_hold", "Buy and hold"), ("sma_50_200", "SMA 50 > 200"), ("momentum_252", "Momentum 252"))
_WAITS = {
    State.PENDING: "The research has not begun.",
    State.DESIGNING: "A strategy is being designed; training, backtest and assessment follow.",
    State.TRAINING: "Training comes first, then the backtest and the assessment.",
    State.BACKTESTING: "The backtest runs; the assessment follows.",
    State.ASSESSING: "The assessment is being made.",
    State.FAILED: "The research failed before its assessment. Resume it to go on.",
    State.CANCELLED: "The research was cancelled before its assessment. Resume it to go on.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One measure: of the strategy, and of each alternative in the order of `Verdict.others`."""

    measure: Measure
    value: str
    others: list[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`label` is empty before the assessment; `waits` then says what comes first."""

    follows: str
    label: str
    tone: str
    opening: str
    why: list[str]
    tests: list[Check]
    facts: list[tuple[str, str]]
    waits: str
    lines: list[Line] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    costs: list[tuple[str, str]] = field(default_factory=list)
    traded: bool = False


def verdict(rows: Rows) -> Verdict:
    research, result = rows.research, rows.result(Kind.BACKTEST)
    given: dict[str, Any] = research.verdict or {}
    label = str(given.get("label", ""))
    opening, *why = [str(sentence) for sentence in given.get("why", [])] or [""]
    opening = opening.partition(": ")[2].capitalize() or opening
    own: dict[str, Any] = {**_dict(result.get("metrics")), **(research.metrics or {})}
    lines, others = _lines(own, result)
    return Verdict(
        rows.follows, LABELS.get(label, label.capitalize()), TONES.get(label, "quiet"), opening, why,
        checks(given.get("tests")), _facts(given), _WAITS.get(State(research.state), ""), lines, others,
        _costs(result), bool(own),
    )  # fmt: skip


def _lines(own: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[list[Line], list[str]]:
    beside = {"buy_and_hold": own.get("buy_and_hold"), **_dict(result.get("benchmarks"))}
    there = [(name, beside[key]) for key, name in _OTHERS if isinstance(beside.get(key), dict)]
    lines = [
        Line(one, say(own.get(one.key), one.form), [say(other.get(one.key), one.form) for _, other in there])
        for one in MEASURES
    ]
    return lines, [name for name, _ in there]


def _facts(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Intervals and counts beside the tests, as name and value; only those there are."""
    search = _dict(given.get("search"))
    found = [
        ("Sharpe ratio, 95 % interval", _interval(given.get("sharpe"))),
        ("Excess Sharpe over buy and hold, 90 % interval", _interval(given.get("excess_sharpe"))),
        ("Trials counted on this market", say(given.get("trials"), count)),
        ("… as independent ones", say(search.get("independent"), lambda value: f"{value:.1f}")),
        ("Probability of backtest overfitting", say(search.get("overfitting"), lambda value: f"{value:.0%}")),
        ("Years of evidence", say(given.get("years"), lambda value: f"{value:.1f}")),
        ("Years needed to tell it from zero", say(given.get("minimum_track_record_years"), lambda v: f"{v:.1f}")),
        ("Random timings it beats", say(given.get("random_entry_percentile"), lambda value: f"{value:.0%}")),
    ]
    return [(name, value) for name, value in found if value != NONE]


def _interval(given: Any) -> str:
    ends = [_dict(given).get(name) for name in ("value", "low", "high")]
    if not all(is_number(end) for end in ends):
        return NONE
    value, low, high = (signed(float(end or 0)) for end in ends)
    return f"{value} ({low} to {high})"


def _costs(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Total return at so many times the costs."""
    given = [row for row in result.get("cost_sensitivity") or [] if isinstance(row, dict)]
    return [(f"{row.get('factor', 0):g}×", say(row.get("total_return"), signed_percent)) for row in given]


def _dict(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
