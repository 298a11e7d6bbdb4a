"""One operation as the agent knows it, and what follows from that. Pure: times are passed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from workers.agent.messages import Blob
from workers.protocol import MetricPoint, OperationReport, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workers.agent.messages import Start
    from workers.protocol import Assignment, CheckpointRef
    from workers.spool import Outcome

Stage = Literal["preparing", "ready", "running", "stopping", "finished"]

METRICS_PER_CALL = 2000
CHECKPOINT_SPACING = 1.0  # seconds between two uploads of a running operation: so much work a lost host costs
CRASH_PATIENCE = 2.0  # seconds a crash may wait for the upload of the checkpoint that saves its work
RETRY_FIRST, RETRY_MOST = 0.2, 5.0


@dataclass(slots=True)
class Operation:
    """`assignment` is None for an operation a former life finished; `confirmed_at` is the start of the last call whose
    answer said that the operation is ours."""

    id: int
    stage: Stage
    assignment: Assignment | None = None
    confirmed_at: float | None = None

    start: Start | None = None
    candidates: tuple[CheckpointRef, ...] = ()
    unusable: str | None = None
    asked_to_stop: bool = False

    progress: Progress | None = None
    metrics: list[MetricPoint] = field(default_factory=list)
    metrics_through: int = -1
    checkpoint: int | None = None
    checkpoint_settled: int = -1

    outcome: Outcome | None = None
    finished_at: float = math.inf
    restored: bool = False
    announced: bool = False
    pending: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)

    in_flight: Blob | None = None
    retry_at: float = -math.inf
    retries: int = 0

    @property
    def has_child(self) -> bool:
        return self.stage in {"running", "stopping"}

    def publishable(self, now: float, lease: float) -> bool:
        """Whether the last confirmation is young enough that nobody else can have taken the operation over."""
        return self.stage != "stopping" and self.confirmed_at is not None and now - self.confirmed_at <= lease

    def confirm(self, started: float) -> None:
        self.confirmed_at = max(started, self.confirmed_at or -math.inf)

    def checkpoint_waits(self) -> bool:
        """A checkpoint that would save work lies here and is not at the backend."""
        useful = self.outcome is None or self.outcome.state == "interrupted" or self._crashed()
        return useful and self.checkpoint is not None and self.checkpoint > self.checkpoint_settled

    def next_blob(self) -> Blob | None:
        """What to upload next: artifacts of a result, else the newest checkpoint."""
        if self.pending:
            return Blob("artifact", min(self.pending))
        return Blob("checkpoint", str(self.checkpoint)) if self.checkpoint_waits() else None

    def settled(self, now: float, lease: float) -> bool:
        """Whether the outcome may be told. A result waits for its artifacts, a hand-over for its checkpoint, a crash
        a moment for its own; but when the backend was away, the end is told first: it then says what it lacks."""
        if self.outcome is None:
            return False
        if self.outcome.state == "completed":
            return not self.pending or not self.publishable(now, lease)
        if self._crashed() and now - self.finished_at > CRASH_PATIENCE:
            return True
        return not self.checkpoint_waits()

    def report(self, now: float, lease: float) -> OperationReport:
        """What sync says of it. An end is told with `more` while metrics are left for later calls: a restored
        operation has nothing but its end, since no later incarnation may say that it runs."""
        unsent = [point for point in self.metrics if point.unit > self.metrics_through]
        told = self.outcome if self.announced or self.settled(now, lease) else None
        self.announced = told is not None
        more = len(unsent) > METRICS_PER_CALL
        return OperationReport(
            id=self.id,
            state=told.state if told else "running",
            progress=self.progress,
            metrics=unsent[:METRICS_PER_CALL],
            more=more,
            checkpoint_unit=self.checkpoint,
            result=told.result if told and not more else None,
            error=told.error if told else None,
        )

    def store_metrics_through(self, unit: int | None) -> None:
        if unit is not None and unit > self.metrics_through:
            self.metrics_through = unit
            self.metrics = [point for point in self.metrics if point.unit > unit]

    @property
    def backlog(self) -> bool:
        """More metrics than one call takes wait: the next need not wait for its heartbeat."""
        return len(self.metrics) > METRICS_PER_CALL

    def finish(self, outcome: Outcome, now: float) -> None:
        self.stage, self.outcome, self.finished_at = "finished", outcome, now
        self.pending = set(outcome.artifacts)
        self.progress = outcome.progress or self.progress
        self.retry_at = -math.inf

    def send_again(self, names: Iterable[str], now: float) -> None:
        """Artifacts the backend lacks; with a growing pause for those it was sent already."""
        self.pending |= set(names)
        if self.sent & self.pending:
            self.try_later(now)

    def try_later(self, now: float) -> None:
        self.retry_at = now + min(RETRY_MOST, RETRY_FIRST * 2.0**self.retries)
        self.retries = min(self.retries + 1, 10)

    def _crashed(self) -> bool:
        return self.outcome is not None and self.outcome.error is not None and self.outcome.error.reason == "crashed"
