"""The two gates, with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.dashboard.selectors.research_figures import Check, checks
from research.lifecycle.states import ENDED, State

if TYPE_CHECKING:
    from research.dashboard.selectors.research_rows import Rows

_NAMES = {"training": "After the training", "backtest": "After the backtest"}


@dataclass(frozen=True, slots=True)
class Gate:
    """`decided` is False before its phase is over; `waits` then says why."""

    name: str
    decided: bool
    passed: bool
    checks: list[Check]
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Gates:
    follows: str
    gates: list[Gate]


def gates(rows: Rows) -> Gates:
    research = rows.research
    skipped = bool((research.gates.get("training") or {}).get("skip_backtest"))
    return Gates(rows.follows, [_gate(key, research.gates, State(research.state), skipped) for key in _NAMES])


def _gate(key: str, given: dict, state: State, skipped: bool) -> Gate:
    if key in given:
        return Gate(_NAMES[key], True, bool(given[key].get("passed")), checks(given[key].get("checks")))
    waits = f"Decided when the {key} is complete."
    if state in ENDED:
        waits = f"The research ended before its {key} was complete."
    if skipped:
        waits = "Skipped with the backtest: the trained weights are not finite."
    return Gate(_NAMES[key], False, False, [], waits)
