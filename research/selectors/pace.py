"""How fast a running operation is and how long it still takes, from what it reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.lifecycle.states import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from research.models import Operation

UNITS = {Kind.TRAINING: "epochs", Kind.BACKTEST: "bars"}
_ENOUGH_S = 1.0
_STUCK_AFTER = 5.0  # times as long as a unit usually takes, and at least a minute


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` is units per second of this try, `left_s` seconds to its end; None where it is not known yet.

    `quiet_s`: for how long no unit was finished, if that is unusually long.
    """

    unit_name: str
    rate: float | None
    left_s: float | None
    quiet_s: float | None = None


def pace_of(operation: Operation, now: datetime) -> Pace:
    """Of a running operation."""
    name = UNITS.get(Kind(operation.kind), "steps")
    began, seen = operation.started_at, operation.progressed_at
    made = operation.unit - (operation.resumed_from_unit or 0)
    if began is None or seen is None or made <= 0 or (seen - began).total_seconds() < _ENOUGH_S:
        return Pace(name, None, None)
    rate = made / (seen - began).total_seconds()
    quiet = max(0.0, (now - seen).total_seconds())
    ahead = max(0, operation.units - operation.unit) / rate - quiet
    return Pace(
        name, rate, max(0.0, ahead) if operation.units else None,
        quiet if quiet > max(60.0, _STUCK_AFTER / rate) else None,
    )  # fmt: skip
