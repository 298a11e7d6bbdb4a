"""Giving work to an idle worker: research, operation, then worker are locked, and everything is asked once more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.db.models import Q

from research import phases
from research.lifecycle.states import EXTERNAL, Kind, Status
from research.models import Checkpoint, Operation, Topic, Worker
from research.models.clock import DatabaseNow, In, database_now
from research.services import locks, operations
from research.services.change import change
from research.services.errors import StaleOperation
from workers.protocol import Assignment, CheckpointRef

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CHECKPOINTS = 4
CANDIDATES = 5
LOOKS = 10
LOOK_AGAIN_S = 0.01


class Busy(Exception):
    """The coordinator has the research locked at this moment."""


_WAITING = """
SELECT kind, count(*) FROM research_operation
WHERE status = 'queued' AND kind IN ('training', 'backtest') AND coalesce(not_before, '-infinity') <= clock_timestamp()
GROUP BY kind
"""


def kinds_that_wait() -> dict[str, int]:
    """How many operations of each kind could be given to a worker now."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return dict(cursor.fetchall())


def assign(name: str, session: int, seq: int, kinds: Sequence[str]) -> Assignment | None:
    """Give the worker work of the oldest research that waits for it, if this call is its newest and it is idle."""
    for _ in range(LOOKS):
        try:
            return _first(name, session, seq, kinds)
        except Busy:
            time.sleep(LOOK_AGAIN_S)  # the push came with the coordinator's commit, and its next step holds the lock
    return None


def _first(name: str, session: int, seq: int, kinds: Sequence[str]) -> Assignment | None:
    queued = Operation.objects.queued().filter(kind__in=[kind for kind in kinds if kind in EXTERNAL])
    due = queued.filter(Q(not_before=None) | Q(not_before__lte=DatabaseNow()))
    ordered = due.order_by("-research__priority", "research_id").values_list("id", "research_id")
    busy = False
    for operation_id, research_id in ordered[:CANDIDATES]:
        try:
            given = _give(operation_id, research_id, name, session, seq)
        except StaleOperation:
            continue
        except Busy:
            busy = True
            continue
        if given is not None:
            return given
    if busy:
        raise Busy
    return None


def _give(operation_id: int, research_id: int, name: str, session: int, seq: int) -> Assignment | None:
    env = settings.ENV
    with change() as record:
        if locks.research_or_none(research_id) is None:
            raise Busy
        operation = Operation.objects.select_for_update(of=("self",)).get(pk=operation_id)
        worker = Worker.objects.select_for_update().get(name=name)
        newest = worker.session == session and worker.seq == seq
        free = worker.idle and not Operation.objects.running().filter(worker=worker).exists()
        if not newest or not free or operation.status != Status.QUEUED:
            return None
        deadline = env.training_deadline if operation.kind == Kind.TRAINING else env.backtest_deadline
        runner = f"worker {worker.name} on {worker.host.get('hostname', 'an unnamed host')}"
        updated = Operation.objects.filter(pk=operation.pk, status=Status.QUEUED).update(
            status=Status.RUNNING, worker=worker, incarnation=worker.incarnation, assigned_seq=seq, runner=runner,
            started_at=DatabaseNow(), lease_expires_at=In(worker.lease_s), deadline_at=In(deadline),
        )  # fmt: skip
        operations.one(updated, f"Assignment of operation {operation.pk}")
        Worker.objects.filter(pk=worker.pk).update(idle=False)
        record.event(
            Topic.OPERATION, "operation.started",
            f"{operation.get_kind_display()} of research {research_id} is given to worker {name} as operation "
            f"{operation.pk}.",
            research=research_id, operation=operation, worker=name, attempt=operation.attempt,
            resumed_from_unit=operation.resumed_from_unit,
        )  # fmt: skip
        record.touch("worker", worker.pk)
    operation.refresh_from_db()
    return as_assignment(operation)


def as_assignment(operation: Operation) -> Assignment:
    """The message that starts an operation; sent again it starts nothing new."""
    research = operation.research
    deadline = operation.deadline_at or database_now()
    return Assignment(
        id=operation.pk, kind=operation.kind, spec=operation.spec, seed=operation.seed,  # type: ignore[arg-type]
        attempt=operation.attempt, inputs=phases.get(operation.kind).inputs(research),
        checkpoints=_checkpoints(operation), deadline_s=max((deadline - database_now()).total_seconds(), 1.0),
    )  # fmt: skip


def _checkpoints(operation: Operation) -> list[CheckpointRef]:
    if operation.resumed_from_unit is None:
        return []
    usable = Checkpoint.objects.filter(
        operation__research_id=operation.research_id, operation__kind=operation.kind, unusable="", pruned_at=None,
        unit__lte=operation.resumed_from_unit,
    ).order_by("-unit", "-id")  # fmt: skip
    return [
        CheckpointRef(operation=one.operation_id, unit=one.unit, sha256=one.sha256, size=one.size)
        for one in usable[:MOST_CHECKPOINTS]
    ]
