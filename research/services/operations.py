"""What happens to an operation: created, claimed, completed, failed. One conditional update each, with its event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F

from research.lifecycle.states import Kind, Reason, Status
from research.models import Checkpoint, Level, Operation, Topic
from research.models.clock import DatabaseNow, In
from research.services.errors import StaleOperation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from research.models import Research
    from research.services.change import Change

RECOVERY_REASONS = (Reason.ORPHANED, Reason.TIMED_OUT, Reason.CRASHED)


def one(updated: int, what: str) -> None:
    """Exactly one row must have changed. Raises `StaleOperation`."""
    if updated != 1:
        raise StaleOperation(f"{what}: the row was no longer as it was read, nothing was changed.")


def create(
    change: Change, research: Research, kind: Kind, *, spec: Mapping[str, Any], attempt: int,
    continues: int | None = None, restore: tuple[int, int] | None = None, delay: float = 0.0,
) -> Operation:  # fmt: skip
    """Queue a new try at a phase. `restore` is (checkpoint id, unit). The research is locked by the caller."""
    operation = Operation.objects.create(
        research=research, kind=kind, spec=dict(spec), seed=research.seed, attempt=attempt, continues_id=continues,
        resumed_from_id=restore[0] if restore else None, resumed_from_unit=restore[1] if restore else None,
        unit=restore[1] if restore else 0, not_before=In(delay) if delay else None,
    )  # fmt: skip
    after = f", goes on after operation {continues}" if continues else ""
    where = f" from unit {restore[1]}" if restore else ""
    wait = f", not before {delay:g} s from now" if delay else ""
    change.event(
        Topic.RECOVERY if continues else Topic.OPERATION,
        "operation.restarted" if continues else "operation.queued",
        f"{Kind(kind).label} of research {research.pk} is queued as operation {operation.pk}{after}{where}{wait}.",
        research=research, operation=operation, attempt=attempt, continues=continues,
        resumed_from_unit=restore[1] if restore else None, delay_s=delay,
    )  # fmt: skip
    change.touch("queue", operation.pk)
    return operation


def claim_in_process(
    change: Change, operation: Operation, *, cluster: UUID, pid: int, runner: str, lease: float, deadline: float
) -> None:
    """A process of the django-q2 cluster takes a queued phase. Raises `StaleOperation` when another has it.

    Research and operation are locked by the caller (`locks.operations`): in another order it could deadlock.
    """
    updated = Operation.objects.filter(pk=operation.pk, status=Status.QUEUED).update(
        status=Status.RUNNING, cluster=cluster, runner_pid=pid, runner=runner, started_at=DatabaseNow(),
        lease_expires_at=In(lease), deadline_at=In(deadline), reported=True,
    )  # fmt: skip
    one(updated, f"Claim of operation {operation.pk}")
    change.event(
        Topic.OPERATION, "operation.started",
        f"{operation.get_kind_display()} of research {operation.research_id} runs as operation {operation.pk} on "
        f"{runner}.",
        research=operation.research_id, operation=operation, attempt=operation.attempt, cluster=str(cluster), pid=pid,
    )  # fmt: skip


def complete(change: Change, operation: Operation, *, result: Mapping[str, Any], **evidence: Any) -> None:
    """Accept the result together with the change of status. `evidence` repeats who the runner is, as conditions."""
    updated = Operation.objects.filter(pk=operation.pk, status=Status.RUNNING, **evidence).update(
        status=Status.COMPLETED, result=dict(result), ended_at=DatabaseNow(), fraction=1.0,
        units=F("units"), progress_message="",
    )  # fmt: skip
    one(updated, f"Completion of operation {operation.pk}")
    change.event(
        Topic.OPERATION, "operation.completed",
        f"{operation.get_kind_display()} of research {operation.research_id} is complete (operation {operation.pk} "
        f"on {operation.runner}).",
        research=operation.research_id, operation=operation,
    )  # fmt: skip


def fail(
    change: Change, operation: Operation, *, reason: Reason, message: str,
    conditions: Mapping[str, Any] | None = None, **evidence: Any,
) -> None:  # fmt: skip
    """End a live operation as failed. `conditions` are repeated in the update; `evidence` goes into the event."""
    updated = Operation.objects.filter(pk=operation.pk, status=operation.status, **(conditions or {})).update(
        status=Status.FAILED, reason=reason, message=message, ended_at=DatabaseNow()
    )
    one(updated, f"Failing operation {operation.pk} as {reason}")
    recovery = reason in RECOVERY_REASONS or reason == Reason.INTERRUPTED
    level = Level.WARNING if reason in RECOVERY_REASONS else Level.INFO if recovery else Level.ERROR
    change.event(
        Topic.RECOVERY if recovery else Topic.OPERATION, f"operation.{reason}", message, level=level,
        research=operation.research_id, operation=operation,
        worker=operation.worker.name if operation.worker else "",
        runner=operation.runner, kind=operation.kind, unit=operation.unit, **evidence,
    )  # fmt: skip


def cancel(change: Change, operation: Operation, *, user: str = "") -> None:
    """End a live operation because its research was cancelled."""
    message = "Cancelled with its research."
    updated = Operation.objects.filter(pk=operation.pk, status=operation.status).update(
        status=Status.CANCELLED, reason=Reason.CANCELLED, message=message, ended_at=DatabaseNow()
    )
    one(updated, f"Cancelling operation {operation.pk}")
    change.event(
        Topic.OPERATION, "operation.cancelled", f"Operation {operation.pk} is cancelled with its research.",
        research=operation.research_id, operation=operation, user=user,
    )  # fmt: skip


def best_units(research_id: int) -> dict[int, int]:
    """Highest checkpoint unit each operation of a research committed and that is not known to be unusable."""
    rows = Checkpoint.objects.filter(operation__research_id=research_id, unusable="").values_list(
        "operation_id", "unit"
    )
    best: dict[int, int] = {}
    for operation_id, unit in rows:
        best[operation_id] = max(unit, best.get(operation_id, -1))
    return best
