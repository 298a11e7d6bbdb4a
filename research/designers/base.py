"""What a designer is given and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workers.market.bars import Bars


@dataclass(frozen=True, slots=True)
class Memory:
    """One trial of the past on the same symbol and timeframe: its specification and how it was judged.

    `verdict` is `promising`, `inconclusive` or `reject`; `metrics` may hold `dsr` and `sharpe`; `seq` orders trials.
    `brief` is what was asked for; `parent` the `seq` of the trial it was made from by a `change`, if any.
    """

    spec: Mapping[str, Any]
    verdict: str
    metrics: Mapping[str, Any]
    seq: int
    brief: str = ""
    parent: int | None = None
    change: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the user asked for, and what was learned before, oldest first.

    `bars`, where given, are those a search may read: without the hold-out.
    """

    text: str
    symbol: str
    timeframe: str
    seed: int
    memory: Sequence[Memory] = ()
    bars: Bars | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A specification that `workers.strategy.parse` accepts, JSON-ready.

    `parent` is the `seq` of the trial that a `change` was made to; `dropped` how many proposals before it were too
    much like what was tried.
    """

    spec: dict[str, Any]
    parent: int | None = None
    change: str = ""
    dropped: int = 0


class Designer(Protocol):
    """Proposes specifications; nothing it writes is ever executed."""

    def design(self, brief: Brief) -> Proposal:
        """The same brief gives the same proposal, where the designer is seeded."""
        ...
