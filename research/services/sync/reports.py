"""What a worker says of one operation, and what it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research import phases
from research.lifecycle.states import Reason, Status
from research.models import Artifact, Measure, Operation
from research.models.clock import DatabaseNow, In
from research.services import operations
from research.services.sync.storable import must_be_storable, storable
from workers.protocol import OperationAnswer

if TYPE_CHECKING:
    from research.models import Worker
    from research.services.change import Change
    from workers.protocol import OperationReport, SyncRequest

_ACCEPTED_AS = {"completed": (Status.COMPLETED,), "failed": (Status.FAILED,), "interrupted": (Status.FAILED,)}
_OWN_WORDS = {"failed": (Reason.CRASHED, Reason.ERROR, Reason.INVALID_INPUT), "interrupted": (Reason.INTERRUPTED,)}


def answer(
    record: Change, worker: Worker, request: SyncRequest, report: OperationReport, operation: Operation | None
) -> OperationAnswer:  # fmt: skip
    """Apply one report to its locked operation. A report about nothing we know creates nothing."""
    if operation is None or operation.worker_id != worker.pk:
        return OperationAnswer(id=report.id, verdict="stop", reason="unknown")
    if operation.status != Status.RUNNING:
        return _about_finished(report, operation)
    if report.state == "running" and operation.incarnation != request.incarnation:
        return OperationAnswer(id=report.id, verdict="stop", reason="superseded")
    _store_progress(record, worker, report, operation)
    if report.more:
        return _running(record, report, operation)
    handlers = {"running": _running, "completed": _completed, "failed": _failed, "interrupted": _interrupted}
    return handlers[report.state](record, report, operation)


def _about_finished(report: OperationReport, operation: Operation) -> OperationAnswer:
    said = operation.status in _ACCEPTED_AS.get(report.state, ())
    if said and (report.state == "completed" or operation.reason in _OWN_WORDS[report.state]):
        return OperationAnswer(id=report.id, verdict="acknowledged")
    cancelled = operation.status == Status.CANCELLED
    return OperationAnswer(id=report.id, verdict="stop", reason="cancelled" if cancelled else "superseded",
                           message=operation.message[:500])  # fmt: skip


def _store_progress(record: Change, worker: Worker, report: OperationReport, operation: Operation) -> None:
    fresh = [point for point in report.metrics if point.unit > operation.metrics_through]
    if fresh:
        rows = [Measure(operation=operation, unit=point.unit, values=storable(point.values)) for point in fresh]
        Measure.objects.bulk_create(rows, ignore_conflicts=True)
        operation.metrics_through = max(point.unit for point in fresh)
    fields: dict[str, Any] = {"lease_expires_at": In(worker.lease_s), "reported": True,
                              "metrics_through": operation.metrics_through}  # fmt: skip
    progress = report.progress
    if progress is not None and progress.unit >= operation.unit:
        fields |= {"unit": progress.unit, "units": progress.units, "fraction": progress.fraction,
                   "progress_message": storable(progress.message)}  # fmt: skip
        if progress.unit > operation.unit:
            fields["progressed_at"] = DatabaseNow()
        if _moved(operation, fields):
            record.touch("operation", operation.pk)
        operation.unit = progress.unit
    operations.one(
        Operation.objects.filter(pk=operation.pk, status=Status.RUNNING).update(**fields),
        f"Report on operation {operation.pk}",
    )


def _moved(operation: Operation, fields: dict[str, Any]) -> bool:
    return any(getattr(operation, name) != fields[name] for name in ("unit", "units", "fraction", "progress_message"))


def _running(_record: Change, report: OperationReport, operation: Operation) -> OperationAnswer:
    return OperationAnswer(id=report.id, verdict="continue", metrics_through=operation.metrics_through)


def _completed(record: Change, report: OperationReport, operation: Operation) -> OperationAnswer:
    """A result counts once, with the change of status, when every artifact it lists is stored; or not at all."""
    result = report.result or {}
    try:
        must_be_storable(result)
        phases.get(operation.kind).check(result)
        missing = _missing(operation, result.get("artifacts", {}))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        message = storable(f"Worker {operation.worker} sent a result that cannot be accepted: {problem}.")
        operations.fail(record, operation, reason=Reason.ERROR, message=message)
        return OperationAnswer(id=report.id, verdict="stop", reason="invalid", message=message[:500])
    if missing:
        return OperationAnswer(id=report.id, verdict="continue", missing_artifacts=missing,
                               metrics_through=operation.metrics_through)  # fmt: skip
    operations.complete(record, operation, result=result)
    return OperationAnswer(id=report.id, verdict="acknowledged")


def _missing(operation: Operation, wanted: dict[str, Any]) -> list[str]:
    stored = dict(Artifact.objects.filter(operation=operation).values_list("name", "sha256"))
    wrong = [name for name, one in wanted.items() if name in stored and stored[name] != one["sha256"]]
    if wrong:
        raise ValueError(f"the stored {', '.join(wrong)} has another SHA-256 than the result says")
    return [name for name in wanted if name not in stored]


def _failed(record: Change, report: OperationReport, operation: Operation) -> OperationAnswer:
    error = report.error
    reason = Reason(error.reason) if error else Reason.ERROR
    message = storable(error.message) if error else ""
    operations.fail(
        record, operation, reason=reason, message=message or "The worker gave no reason.",
        exit_code=error.exit_code if error else None, log_tail=storable(error.log_tail) if error else "",
    )  # fmt: skip
    return OperationAnswer(id=report.id, verdict="acknowledged")


def _interrupted(record: Change, report: OperationReport, operation: Operation) -> OperationAnswer:
    message = f"Worker {operation.worker} is leaving and handed operation {operation.pk} over at unit {operation.unit}."
    operations.fail(record, operation, reason=Reason.INTERRUPTED, message=message)
    return OperationAnswer(id=report.id, verdict="acknowledged")
