"""One call, in one transaction: who speaks, what it reports, what it had that it does not report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.lifecycle.states import Reason, Status
from research.models import Operation, Worker
from research.models.clock import DatabaseNow, In
from research.services import locks, operations
from research.services.change import change
from research.services.sync import reports
from research.services.sync.assignment import as_assignment
from research.services.sync.handshake import greet
from research.services.sync.storable import storable
from research.services.sync.telling import tell
from workers.protocol import OperationAnswer, SyncAnswer

if TYPE_CHECKING:
    from research.services.change import Change
    from research.services.sync.handshake import Greeting
    from workers.protocol import Assignment, SyncRequest


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, or a refusal (409). `idle`: the worker could take work, so the call may be held."""

    answer: SyncAnswer | None = None
    refused: str = ""
    idle: bool = False


def handle(request: SyncRequest, entry: str) -> Outcome:
    """Apply one sync call. `entry` is the address it came through."""
    request = request.model_copy(update={"host": storable(request.host)})
    with change() as record:
        Worker.objects.get_or_create(name=request.worker)
        held = Operation.objects.running().filter(worker__name=request.worker).values_list("id", flat=True)
        known = locks.operations([*(report.id for report in request.operations), *held])
        worker = Worker.objects.select_for_update().get(name=request.worker)
        greeting = greet(record, worker, request)
        if greeting.refused:
            return Outcome(refused=greeting.refused)
        if not greeting.counts:
            tell(worker, newcomer=True)
            return Outcome(_answer(worker, greeting))
        if request.seq <= worker.seq:
            going_on = [OperationAnswer(id=report.id, verdict="continue") for report in request.operations]
            return Outcome(_answer(worker, greeting, going_on))
        tell(worker, newcomer=greeting.confirmed)
        answers = [reports.answer(record, worker, request, one, known.get(one.id)) for one in request.operations]
        again = _unreported(record, worker, request, known, greeting)
        running = Operation.objects.running().filter(worker=worker).exists()
        idle = not (request.operations or running or request.draining or worker.drain_requested)
        _note(worker, request, entry, idle=idle)
        if greeting.confirmed:
            record.touch("worker", worker.pk)
        return Outcome(_answer(worker, greeting, answers, again), idle=idle)


def _note(worker: Worker, request: SyncRequest, entry: str, *, idle: bool) -> None:
    Worker.objects.filter(pk=worker.pk).update(
        session=worker.session, incarnation=worker.incarnation, drain_requested=worker.drain_requested,
        seq=request.seq, kinds=list(request.kinds), host=request.host or worker.host, entry=entry[:200],
        draining=request.draining, idle=idle, last_seen_at=DatabaseNow(),
        lease_s=worker.lease_s, heartbeat_s=worker.heartbeat_s,
    )  # fmt: skip


def _answer(
    worker: Worker, greeting: Greeting, answers: list[OperationAnswer] | None = None,
    assignment: Assignment | None = None,
) -> SyncAnswer:  # fmt: skip
    return SyncAnswer(
        session=greeting.session, drain=greeting.counts and worker.drain_requested, operations=answers or [],
        assignment=assignment, lease=worker.lease_s, heartbeat=worker.heartbeat_s,
    )  # fmt: skip


def _unreported(
    record: Change, worker: Worker, request: SyncRequest, known: dict[int, Operation], greeting: Greeting
) -> Assignment | None:  # fmt: skip
    """What it was given but does not have: lost on the way (given again), or lost with an earlier start (orphaned)."""
    reported = {report.id for report in request.operations}
    for operation in known.values():
        mine = operation.worker_id == worker.pk and operation.status == Status.RUNNING
        if not mine or operation.pk in reported:
            continue
        if operation.incarnation != request.incarnation:
            _orphan(record, worker, operation, greeting)
        elif request.draining or worker.drain_requested:
            message = f"Worker {worker.name} is leaving and had not begun operation {operation.pk}."
            operations.fail(record, operation, reason=Reason.INTERRUPTED, message=message)
        else:
            Operation.objects.filter(pk=operation.pk, status=Status.RUNNING).update(lease_expires_at=In(worker.lease_s))
            return as_assignment(operation)
    return None


def _orphan(record: Change, worker: Worker, operation: Operation, greeting: Greeting) -> None:
    message = (
        f"{operation.get_kind_display()} operation {operation.pk} lost its runner {operation.runner}: "
        f"worker {worker.name} came back as a new process that does not have it."
    )
    operations.fail(
        record, operation, reason=Reason.ORPHANED, message=message, conditions={"incarnation": operation.incarnation},
        signal="incarnation", rule="worker: its name came back as another incarnation", session=greeting.session,
    )  # fmt: skip
