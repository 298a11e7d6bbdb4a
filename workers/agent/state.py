"""What an agent has, and what each event changes. Pure: no clock, file, thread or process; `handle` answers effects."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workers.agent import ends
from workers.agent.messages import (
    Answered,
    AskToStop,
    DrainAsked,
    Effect,
    Ended,
    Event,
    Forget,
    HandOver,
    Kill,
    Leave,
    Prepare,
    Prepared,
    Start,
    SyncNow,
    Told,
    Unanswered,
    Unprepared,
    Upload,
    Uploaded,
    Write,
)
from workers.agent.operation import CHECKPOINT_SPACING, Operation
from workers.durable import EXIT_DISK
from workers.protocol import SyncRequest
from workers.spool import Outcome

if TYPE_CHECKING:
    from workers.protocol import Assignment, OperationAnswer

log = logging.getLogger("ktrdr.worker.state")

EXIT_DRAINED, EXIT_NAME_TAKEN, EXIT_TOKEN_REFUSED = 0, 4, 5
REFUSALS_BORNE = 3  # a revoked token is refused every time; one stray 401 of a proxy ends nobody


@dataclass(slots=True)
class State:
    """`drain_s`: how long a drain may last."""

    name: str
    drain_s: float = 10.0
    operations: dict[int, Operation] = field(default_factory=dict)
    session: int | None = None
    lease: float = 6.0
    heartbeat: float = 1.0
    answered_seq: int = -1
    draining_since: float | None = None
    drain_seq: int | None = None
    connected: bool = False
    seen: set[int] = field(default_factory=set)
    token_refusals: int = 0
    disk_is_full: bool = False

    def restore(self, outcomes: dict[int, Outcome], now: float) -> None:
        """Take up what a former life finished. It is reported before its artifacts are sent: the answer says which
        of them the backend lacks."""
        for number, outcome in outcomes.items():
            operation = Operation(number, "finished", metrics=list(outcome.metrics))
            operation.finish(outcome, now)
            operation.pending.clear()
            operation.restored = operation.announced = True
            self.operations[number] = operation
            self.seen.add(number)

    @property
    def draining(self) -> bool:
        return self.draining_since is not None

    def request(self, seq: int, now: float, identity: dict[str, Any]) -> SyncRequest:
        """The next call: everything there is to say. `identity`: worker, incarnation, kinds and host. An idle call may
        be held for a heartbeat."""
        if self.draining and self.drain_seq is None:
            self.drain_seq = seq
        idle = self.session is not None and not self.operations and not self.draining
        return SyncRequest(
            **identity,
            session=self.session,
            seq=seq,
            draining=self.draining,
            operations=[item.report(now, self.lease) for item in list(self.operations.values())[:64]],
            wait=min(self.heartbeat, 30.0) if idle else 0.0,
        )

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Change the state by one event; the effects are to be carried out in order."""
        return [*self._handle(event, now), *self._start_next()]

    def uploads(self, now: float) -> list[Effect]:
        """Uploads that may begin now, one at a time for each operation."""
        begun: list[Effect] = []
        for operation in self.operations.values():
            free = operation.in_flight is None and now >= operation.retry_at
            if free and operation.publishable(now, self.lease) and (blob := operation.next_blob()):
                operation.in_flight = blob
                begun.append(Upload(operation.id, blob))
        return begun

    def leave(self, now: float) -> list[Effect]:
        """The end of a drain: everything is handed over, or its time is up (what is left is spooled as interrupted)."""
        if self.draining_since is None:
            return []
        if not self.operations and (self._drain_is_known() or not self.connected):
            full = "its disk takes nothing more: make room"
            return [Leave(EXIT_DISK, full) if self.disk_is_full else Leave(EXIT_DRAINED, "drained")]
        if now - self.draining_since <= self.drain_s:
            return []
        left = [item for item in self.operations.values() if item.outcome is None and item.stage != "stopping"]
        ends = [HandOver(item.id, Outcome(state="interrupted", metrics=item.metrics)) for item in left]
        return [*ends, Leave(EXIT_DRAINED, f"drain time ({self.drain_s:g} s) is up; {self._what_is_left()}")]

    # --- events

    def _handle(self, event: Event, now: float) -> list[Effect]:
        match event:
            case Answered():
                return self._answered(event, now)
            case Unanswered():
                return self._unanswered(event)
            case Prepared():
                return self._prepared(event)
            case Unprepared():
                return self._unprepared(event, now)
            case Told():
                return self._told(event)
            case Ended():
                return self._ended(event, now)
            case Uploaded():
                return self._uploaded(event, now)
            case DrainAsked():
                return self._drain(event.by, now)

    def _answered(self, event: Answered, now: float) -> list[Effect]:
        if event.seq <= self.answered_seq:
            return []  # a late answer: a newer one has said what counts
        self.answered_seq, self.connected, self.token_refusals = event.seq, True, 0
        first, answer = self.session is None, event.answer
        self.session, self.lease, self.heartbeat = answer.session, answer.lease, answer.heartbeat
        effects: list[Effect] = [SyncNow()] if first else []
        for item in answer.operations:
            effects += self._verdict(item, event.started, now)
        if answer.drain:
            effects += self._drain("the backend", now)
        if answer.assignment is not None:
            effects += self._assigned(answer.assignment, event.started)
        return effects

    def _unanswered(self, event: Unanswered) -> list[Effect]:
        if event.seq <= self.answered_seq:
            return []
        self.connected = False
        if event.status == 409:
            taken = f"another worker took the name {self.name}: "
            return [Leave(EXIT_NAME_TAKEN, taken + event.message.removeprefix(taken))]
        self.token_refusals = self.token_refusals + 1 if event.status in {401, 403} else 0
        if self.token_refusals >= REFUSALS_BORNE:
            return [Leave(EXIT_TOKEN_REFUSED, f"the backend refuses the token of {self.name}: {event.message}")]
        return []

    def _prepared(self, event: Prepared) -> list[Effect]:
        operation = self.operations.get(event.operation)
        if operation is None or operation.stage != "preparing" or operation.assignment is None:
            return []
        operation.stage, operation.candidates = "ready", event.candidates
        operation.start = Start(operation.assignment, event.files, event.checkpoint)
        return []

    def _unprepared(self, event: Unprepared, now: float) -> list[Effect]:
        operation = self.operations.get(event.operation)
        if operation is None or operation.stage != "preparing":
            return []
        return self._finish(operation, Outcome(state="failed", error=event.error), now)

    def _told(self, event: Told) -> list[Effect]:
        operation = self.operations.get(event.operation)
        if operation is None or operation.stage != "running":
            return []
        if event.progress:
            operation.progress = event.progress
        if event.metric and event.metric.unit > operation.metrics_through:
            operation.metrics.append(event.metric)
        if event.checkpoint is not None:
            operation.checkpoint = max(event.checkpoint, operation.checkpoint or 0)
        operation.unusable = event.unusable or operation.unusable
        return []

    def _ended(self, event: Ended, now: float) -> list[Effect]:
        operation = self.operations.get(event.operation)
        if operation is None or not operation.has_child:
            return []
        if operation.stage == "stopping":
            return self._remove(operation)
        if event.outcome is not None:
            operation.finish(event.outcome, now)
            return [SyncNow()]
        if operation.unusable is not None:
            return self._unusable(operation, operation.unusable, now)
        effects = self._finish(operation, ends.crashed(event), now)
        if event.exit_code == EXIT_DISK:
            self.disk_is_full = True
            effects += self._drain("its full disk", now)
        return effects

    def _uploaded(self, event: Uploaded, now: float) -> list[Effect]:
        operation = self.operations.get(event.operation)
        if operation is None:
            return []
        operation.in_flight = None
        if event.end == "failed":
            operation.try_later(now)
            return []
        if event.blob.kind == "artifact":
            return self._artifact_ended(operation, event, now)
        operation.retries = 0
        operation.checkpoint_settled = max(operation.checkpoint_settled, int(event.blob.name))
        operation.retry_at = now + CHECKPOINT_SPACING if operation.outcome is None else now
        return [SyncNow()]

    # --- parts

    def _verdict(self, item: OperationAnswer, started: float, now: float) -> list[Effect]:
        operation = self.operations.get(item.id)
        if operation is None or operation.stage == "stopping":
            return []
        if item.verdict != "continue":
            log.info("operation %s: %s %s %s", item.id, item.verdict, item.reason, item.message)
            return self._drop(operation)
        operation.confirm(started)
        operation.store_metrics_through(item.metrics_through)
        if operation.outcome is not None and operation.in_flight is None and item.missing_artifacts:
            operation.send_again(item.missing_artifacts, now)
        told = item.metrics_through is not None and operation.backlog
        return [SyncNow()] if told else []

    def _drop(self, operation: Operation) -> list[Effect]:
        if operation.stage == "running":
            operation.stage = "stopping"
            return [Kill(operation.id)]
        return self._remove(operation)

    def _remove(self, operation: Operation) -> list[Effect]:
        del self.operations[operation.id]
        return [Forget(operation.id), SyncNow()]

    def _assigned(self, assignment: Assignment, started: float) -> list[Effect]:
        known = self.operations.get(assignment.id)
        if known is not None:
            known.confirm(started)
        if assignment.id in self.seen or self.draining:
            return []
        self.seen.add(assignment.id)
        log.info("operation %s: %s assigned, attempt %s", assignment.id, assignment.kind, assignment.attempt)
        self.operations[assignment.id] = Operation(
            assignment.id, "preparing", assignment=assignment, confirmed_at=started
        )
        return [Prepare(assignment, tuple(assignment.checkpoints)), SyncNow()]

    def _start_next(self) -> list[Effect]:
        """One child at a time: a slot is busy until its child is dead."""
        if any(operation.has_child for operation in self.operations.values()):
            return []
        for operation in self.operations.values():
            if operation.stage == "ready" and operation.start is not None:
                operation.stage = "running"
                return [operation.start]
        return []

    def _drain(self, by: str, now: float) -> list[Effect]:
        if self.draining:
            return []
        log.info("drain asked for by %s: no new work, running work is handed over", by)
        self.draining_since = now
        effects: list[Effect] = [SyncNow()]
        for operation in list(self.operations.values()):
            if operation.stage == "running":
                operation.asked_to_stop = True
                effects.append(AskToStop(operation.id))
            elif operation.stage in {"preparing", "ready"}:
                effects += self._finish(operation, Outcome(state="interrupted"), now)
        return effects

    def _unusable(self, operation: Operation, why: str, now: float) -> list[Effect]:
        """Fall back to the checkpoint before, in the end to the beginning; never an error of the operation."""
        if operation.asked_to_stop or operation.assignment is None:
            return self._finish(operation, Outcome(state="interrupted"), now)
        if operation.start is None or operation.start.checkpoint is None:
            return self._finish(operation, ends.refused_nothing(why), now)
        log.warning("operation %s: its checkpoint is unusable, the one before is tried: %s", operation.id, why)
        operation.stage, operation.unusable = "preparing", None
        return [Prepare(operation.assignment, operation.candidates)]

    def _artifact_ended(self, operation: Operation, event: Uploaded, now: float) -> list[Effect]:
        if event.end in {"lost", "refused"}:
            return self._finish(operation, ends.artifact_failed(event), now)
        operation.pending.discard(event.blob.name)
        operation.sent.add(event.blob.name)
        return [] if operation.pending else [SyncNow()]

    def _finish(self, operation: Operation, outcome: Outcome, now: float) -> list[Effect]:
        operation.finish(outcome, now)
        return [Write(operation.id, outcome), SyncNow()]

    def _drain_is_known(self) -> bool:
        return self.drain_seq is not None and self.answered_seq >= self.drain_seq

    def _what_is_left(self) -> str:
        left = ", ".join(str(number) for number in self.operations) or "nothing"
        return f"left in the spool: {left}"
