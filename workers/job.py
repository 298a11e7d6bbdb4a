"""What a training or a backtest is given and what it may tell: the seam between the agent and the engine.

The engine (`workers.training`, `workers.backtest`) implements `Task`; the child process (`workers.child`) implements
`Reporter`. Neither knows the other, HTTP or a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Interrupted(Exception):
    """Raised by the engine after `Reporter.should_stop()` said so and its checkpoint was handed over."""


class InvalidInput(ValueError):
    """Strategy or data cannot be used: running it again gives the same. The message says what to change."""


class UnusableCheckpoint(ValueError):
    """A checkpoint is damaged or does not belong to this job; the caller falls back to the one before."""


class Reporter(Protocol):
    """How running work tells what it does. Calls return fast unless said otherwise."""

    def progress(self, unit: int, units: int, message: str = "") -> None:
        """Where the work stands; throttled by the receiver."""

    def metric(self, unit: int, values: Mapping[str, float]) -> None:
        """Measures of one unit (an epoch); each unit once."""

    def checkpoint(self, unit: int, payload: bytes) -> None:
        """Hand over everything needed to go on after `unit`; returns when it is on the local disk (fsync)."""

    def artifact(self, name: str, payload: bytes) -> None:
        """A file of the result (`model.safetensors`, `trades.csv`); on the local disk when this returns."""

    def should_stop(self) -> bool:
        """True when the work must checkpoint at this unit and raise `Interrupted`."""


@dataclass(frozen=True, slots=True)
class Job:
    """One operation. `checkpoint` is None at the beginning; `files` holds the inputs by name (`bars`, `model`)."""

    operation: int
    kind: str
    spec: Mapping[str, Any]
    seed: int
    checkpoint: bytes | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


class Task(Protocol):
    """`workers.training.run` and `workers.backtest.run`."""

    def __call__(self, job: Job, reporter: Reporter) -> dict[str, Any]:
        """Do the work and return its result: JSON-ready, with the SHA-256 of every artifact under `artifacts`.

        Raises `Interrupted`, `InvalidInput`, `UnusableCheckpoint`.
        """
        ...
