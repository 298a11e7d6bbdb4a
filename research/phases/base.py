"""What a phase is: what it needs, how it starts, what it leaves. Adding one: implement `Phase`, register it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.lifecycle.states import Kind, State
    from research.models import Operation, Research
    from workers.protocol import InputRef


@dataclass(frozen=True, slots=True)
class Leaves:
    """What an accepted result leaves on its research, and the state it goes on to."""

    state: State
    message: str
    gates: Mapping[str, Any] = field(default_factory=dict)  # name of the phase -> gate, stored once
    strategy: Mapping[str, Any] | None = None
    origin: str = ""
    lineage: Mapping[str, Any] | None = None  # what it was made from, where a designer changed a trial
    verdict: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    trial: Mapping[str, Any] | None = None


class Context(Protocol):
    """What a running in-process phase may do."""

    research: Research
    operation: Operation
    restore: bytes | None

    def guard(self) -> None:
        """Raises when the work must stop: the operation is no longer ours, or the cluster hands over."""

    def progress(self, unit: int, units: int, message: str = "") -> None: ...

    def checkpoint(self, unit: int, payload: bytes) -> None:
        """Stored and committed when this returns."""


class Phase(Protocol):
    kind: Kind

    def spec(self, research: Research) -> dict[str, Any]:
        """What the runner is told to do; JSON-ready."""

    def inputs(self, research: Research) -> list[InputRef]:
        """Files an external runner fetches."""

    def run(self, context: Context) -> dict[str, Any]:
        """Do the work of an in-process phase; returns its result, JSON-ready."""

    def check(self, result: Mapping[str, Any]) -> None:
        """Raises ValueError when a reported result cannot be accepted."""

    def leave(self, research: Research, operation: Operation) -> Leaves:
        """What the accepted result leaves."""


class External:
    """Common to phases that run on workers."""

    def run(self, context: Context) -> dict[str, Any]:
        raise NotImplementedError("this phase runs on workers")


class InProcess:
    """Common to phases that run on the cluster."""

    def inputs(self, _research: Research) -> list[InputRef]:
        return []

    def check(self, result: Mapping[str, Any]) -> None:
        """Our own processes made it."""


def need(result: Mapping[str, Any], *keys: str) -> None:
    """Raises ValueError naming the keys a result lacks."""
    missing = [key for key in keys if key not in result]
    if missing:
        raise ValueError(f"the result lacks {', '.join(missing)}")
