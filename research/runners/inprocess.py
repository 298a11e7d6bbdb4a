"""Runs one in-process operation: lock, claim, work, commit the end, unlock. In that order."""

from __future__ import annotations

import json
import logging
import os
import traceback
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from research import phases
from research.lifecycle.states import IN_PROCESS, Kind, Reason, Status
from research.models import Cluster, Operation, Research
from research.models.clock import DatabaseNow, database_now
from research.runners.hold import Hold, Lost
from research.services import blobs, checkpoints, locks, operations
from research.services.change import change
from research.services.errors import ServiceError, StaleOperation
from workers.faults import point
from workers.job import Interrupted, InvalidInput
from workers.strategy import InvalidStrategy

if TYPE_CHECKING:
    from uuid import UUID

log = logging.getLogger(__name__)
DATABASE_LOST = (OperationalError, InterfaceError)


def run(operation_id: int, *, cluster: UUID, label: str) -> None:
    """Answer a doorbell. Nothing happens when the operation is finished, taken, or not for us now."""
    if not Operation.objects.filter(pk=operation_id, status=Status.QUEUED).exists():
        return
    hold = Hold(operation_id, cluster)
    try:
        if not hold.take():
            return
        point("phase.locked")
        kind = _claim(operation_id, cluster, label)
        if kind is None:
            return
        hold.start_renewing()
        point(f"{kind}.claimed")
        _work(operation_id, kind, cluster, hold)
        point(f"{kind}.ended")
    except Lost as lost:
        log.warning("operation %s stops here: %s", operation_id, lost)
    finally:
        hold.release()


def _claim(operation_id: int, cluster: UUID, label: str) -> str | None:
    """Take the operation if it is queued and due and a slot is free. Returns its kind."""
    env = settings.ENV
    with change() as record:
        operation = locks.operations([operation_id]).get(operation_id)
        if operation is None or operation.status != Status.QUEUED or operation.kind not in IN_PROCESS:
            return None
        if operation.not_before is not None and operation.not_before > database_now():
            return None
        home = Cluster.objects.select_for_update().filter(pk=cluster).first()
        busy = Operation.objects.running().filter(cluster=cluster).count()
        if home is not None and (home.drain_until is not None or busy >= env.phase_slots):
            return None
        deadline = env.design_deadline if operation.kind == Kind.DESIGN else env.assessment_deadline
        runner = f"{label or 'process'}, process {os.getpid()}"
        try:
            operations.claim_in_process(
                record,
                operation,
                cluster=cluster,
                pid=os.getpid(),
                runner=runner,
                lease=env.phase_lease,
                deadline=deadline,
            )
        except StaleOperation:
            return None
    return str(operation.kind)


class Context:
    """See `research.phases.base.Context`."""

    def __init__(self, operation: Operation, cluster: UUID, hold: Hold) -> None:
        self.operation = operation
        self.research: Research = operation.research
        self.restore = _restore(operation)
        self._cluster, self._hold = cluster, hold

    def guard(self) -> None:
        self._hold.guard()

    def progress(self, unit: int, units: int, message: str = "") -> None:
        self.guard()
        with change() as record:
            Operation.objects.filter(pk=self.operation.pk, status=Status.RUNNING, unit__lte=unit).update(
                unit=unit, units=units, fraction=unit / units if units else 0.0, progress_message=message[:200],
                progressed_at=DatabaseNow(),
            )  # fmt: skip
            record.touch("operation", self.operation.pk)

    def checkpoint(self, unit: int, payload: bytes) -> None:
        self.guard()
        checkpoints.commit_checkpoint_bytes(self.operation.pk, unit, payload, cluster=self._cluster, pid=os.getpid())


def _restore(operation: Operation) -> bytes | None:
    """The newest checkpoint of this phase that can be read; a damaged one is marked and the one before is tried."""
    for checkpoint in checkpoints.usable_checkpoints(operation.research_id, operation.kind):
        try:
            return blobs.read(checkpoint.blob, checkpoint.sha256)
        except ServiceError as error:
            checkpoints.mark_unusable(checkpoint.pk, str(error))
    return None


def _work(operation_id: int, kind: str, cluster: UUID, hold: Hold) -> None:
    """Work until the end is committed. A lost database is waited for; the work goes on if the operation is ours."""
    while True:
        try:
            operation = Operation.objects.select_related("research__strategy", "research__dataset").get(pk=operation_id)
            outcome = _outcome(Context(operation, cluster, hold), kind)
            point(f"{kind}.worked")
            hold.confirm()
            _end(operation_id, outcome, cluster)
        except StaleOperation:
            return  # ended meanwhile, by a cancel or by our own commit whose answer was lost
        except DATABASE_LOST as error:
            log.warning("operation %s: %s", operation_id, str(error).strip().partition("\n")[0])
            connection.close()
            hold.confirm()
        else:
            return


def _outcome(context: Context, kind: str) -> dict[str, Any]:
    """The result, or why there is none."""
    try:
        return {"result": _storable(phases.get(kind).run(context))}
    except Interrupted:
        return {"reason": Reason.INTERRUPTED, "message": "Its cluster is leaving: handed over.", "trace": ""}
    except (InvalidInput, InvalidStrategy) as error:
        return {"reason": Reason.INVALID_INPUT, "message": str(error), "trace": ""}
    except (Lost, StaleOperation, *DATABASE_LOST):
        raise
    except Exception as error:  # noqa: BLE001 - whatever the work raises is its result
        return {"reason": Reason.ERROR, "message": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


def _storable(result: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError for what PostgreSQL cannot hold: the same would come of every further try."""
    if "\\u0000" in json.dumps(result, allow_nan=False):
        raise ValueError("the result holds a null character")
    return result


def _end(operation_id: int, outcome: dict[str, Any], cluster: UUID) -> None:
    with change() as record:
        operation = locks.operations([operation_id])[operation_id]
        if operation.status != Status.RUNNING:
            raise StaleOperation(f"operation {operation_id} is already {operation.status}")
        mine = {"cluster": cluster, "runner_pid": os.getpid()}
        if "result" in outcome:
            operations.complete(record, operation, result=outcome["result"], **mine)
        else:
            operations.fail(record, operation, reason=outcome["reason"], message=outcome["message"], conditions=mine,
                            traceback=outcome["trace"])  # fmt: skip
        record.touch("research", operation.research_id)
