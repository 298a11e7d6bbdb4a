"""Scales of charts: from values to places between 0 and 1, and the round values worth a label. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_ROUND = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
_MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """`at` is 0 for `low` and 1 for `high`, linear or by logarithm."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float | None) -> float | None:
        """None for what has no place: None, NaN, infinity, or a number not above 0 on a logarithmic scale."""
        if not _is_number(value) or (self.logarithmic and value <= 0):
            return None
        low, high, here = (math.log(one) if self.logarithmic else one for one in (self.low, self.high, value))
        return (here - low) / (high - low)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale, in order, at most `most` of them, at least one."""
        found = _log_ticks(self.low, self.high, most) if self.logarithmic else _ticks(self.low, self.high, most)
        return found or [self.low]


def scale_of(values: Iterable[float | None], *, keep: Iterable[float] = (), log_above: float = math.inf) -> Scale:
    """A scale with room for `values` (what is no number is passed over) and for `keep`.

    It is logarithmic when all are above 0 and the largest is more than `log_above` times the smallest. Never empty:
    of no values it is 0 to 1, of one value a little around it.
    """
    numbers = [value for value in (*values, *keep) if _is_number(value)]
    if not numbers:
        return Scale(0.0, 1.0)
    low, high = min(numbers), max(numbers)
    if low > 0 and high / low > log_above:
        room = (high / low) ** _MARGIN
        return Scale(low / room, high * room, logarithmic=True)
    room = (high - low) * _MARGIN or max(abs(high) * 0.05, 1e-9)
    return Scale(low - room, high + room)


def label(value: float, step: float) -> str:
    """A tick's number with as many digits as tell it from the next one `step` away."""
    if value == 0:
        return "0"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 2
    if round(step, digits) != round(step, digits + 1):
        digits += 1  # steps of 2.5 or 0.25
    return f"{value:,.{min(digits, 8)}f}"


def step_of(ticks: list[float]) -> float:
    """The smallest distance between neighbours; 1 for fewer than two."""
    return min((high - low for low, high in pairwise(ticks)), default=1.0)


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _ticks(low: float, high: float, most: int) -> list[float]:
    step = _round_step((high - low) / max(most, 1), low, high, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _round_step(least: float, low: float, high: float, most: int) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (*_ROUND, 20.0):
        step = factor * power
        if step >= least * (1 - 1e-9) and math.floor(high / step) - math.ceil(low / step) < most:
            return step
    return 50.0 * power


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    best: list[float] = []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in _LOG_ROUND:
        found = [factor * 10.0**power for power in powers for factor in factors]
        inside = [value for value in found if low <= value <= high]
        if len(inside) <= most:
            best = inside
    return best
