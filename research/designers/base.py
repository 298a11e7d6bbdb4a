"""What a designer is given and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Memory:
    """One trial of the past on the same symbol and timeframe: its specification and how it was judged.

    `verdict` is `promising`, `inconclusive` or `reject`; `metrics` may hold `dsr` and `sharpe`; `seq` orders trials.
    """

    spec: Mapping[str, Any]
    verdict: str
    metrics: Mapping[str, Any]
    seq: int


@dataclass(frozen=True, slots=True)
class Brief:
    """What the user asked for, and what was learned before, oldest first."""

    text: str
    symbol: str
    timeframe: str
    seed: int
    memory: Sequence[Memory] = ()


class Designer(Protocol):
    """Proposes specifications; nothing it writes is ever executed."""

    def design(self, brief: Brief) -> dict[str, Any]:
        """A specification that `workers.strategy.parse` accepts, JSON-ready."""
        ...
