"""An agent's state in named situations, with the messages that bring it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from workers.agent.messages import Answered, Effect, Prepared, Told
from workers.agent.state import State
from workers.protocol import Assignment, OperationAnswer, Progress, SyncAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

IDENTITY: dict[str, Any] = {"worker": "w", "incarnation": UUID(int=1), "kinds": ["training"], "host": {}}
LEASE = 6.0


def answer(seq: int, *verdicts: OperationAnswer, started: float = 0.0, **more: Any) -> Answered:
    return Answered(seq, started, SyncAnswer(session=1, lease=LEASE, heartbeat=1.0, operations=verdicts, **more))


def assignment(operation: int = 7, **more: Any) -> Assignment:
    return Assignment(id=operation, kind="training", spec={}, seed=1, attempt=1, deadline_s=60, **more)


def verdict(word: str, operation: int = 7, **more: Any) -> OperationAnswer:
    return OperationAnswer(id=operation, verdict=word, **more)  # type: ignore[arg-type]


def connected() -> State:
    state = State("w")
    state.handle(answer(0), 0.0)
    assert state.session == 1
    return state


def running(operation: int = 7) -> State:
    """Operation 7 runs; seq 1 brought it, at time 0."""
    state = connected()
    state.handle(answer(1, assignment=assignment(operation)), 0.0)
    state.handle(Prepared(operation, {}, None), 0.0)
    assert state.operations[operation].stage == "running"
    return state


def at(unit: int, operation: int = 7) -> Told:
    return Told(operation, progress=Progress(unit=unit, units=10, fraction=unit / 10))


def kinds(effects: Sequence[Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]
