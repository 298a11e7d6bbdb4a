"""Who may store something for an operation, and whether it still may: asked before the bytes and again under lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.lifecycle.states import Status
from research.services.errors import Forbidden, NotFound, Refused

if TYPE_CHECKING:
    from uuid import UUID

    from research.models import Operation


class Over(Refused):
    """The operation is finished: nothing more can be stored for it."""

    status = 410
    code = "over"


@dataclass(frozen=True, slots=True)
class ByWorker:
    """An upload of a worker. `later` admits a later incarnation of the same name (spooled results)."""

    worker: str
    incarnation: UUID
    later: bool = False

    def check(self, operation: Operation) -> None:
        """Raises `Forbidden` for another worker, `Refused` for another incarnation."""
        worker = operation.worker
        if worker is None or worker.name != self.worker:
            raise Forbidden(f"Operation {operation.pk} is not assigned to worker {self.worker}.")
        if worker.incarnation != self.incarnation or not (self.later or operation.incarnation == self.incarnation):
            raise Refused(
                f"Operation {operation.pk} was given to another incarnation of worker {self.worker} than this one."
            )


@dataclass(frozen=True, slots=True)
class ByProcess:
    """A phase that runs in the cluster; `pid` is the process on the cluster's host."""

    cluster: UUID
    pid: int | None = None

    def check(self, operation: Operation) -> None:
        """Raises `Refused` when another process has the operation."""
        if operation.cluster != self.cluster or self.pid not in (None, operation.runner_pid):
            raise Refused(f"Operation {operation.pk} is not this process's.")


By = ByWorker | ByProcess


def admit(operation: Operation | None, by: By, operation_id: int) -> Operation:
    """The operation, when this runner may store for it now. Raises `NotFound`, `Forbidden`, `Refused`, `Over`."""
    if operation is None:
        raise NotFound(f"There is no operation {operation_id}.")
    if operation.status == Status.QUEUED:
        raise Refused(f"Operation {operation_id} is queued: nobody runs it.")
    by.check(operation)
    if operation.status != Status.RUNNING:
        raise Over(f"Operation {operation_id} is {operation.status}: nothing more can be stored for it.")
    return operation
