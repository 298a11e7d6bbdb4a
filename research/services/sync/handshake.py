"""Which incarnation of a worker counts: only one that echoed its session, and never an older one again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from research.models import Level, Topic, Worker, WorkerSession
from research.models.clock import DatabaseNow, database_now

if TYPE_CHECKING:
    from research.services.change import Change
    from workers.protocol import SyncRequest


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the handshake came to: `refused` (409), a `session` to echo, or `counts`: the call may act."""

    session: int = 0
    counts: bool = False
    confirmed: bool = False  # this very call made the incarnation the one that counts
    refused: str = ""


def greet(record: Change, worker: Worker, request: SyncRequest) -> Greeting:
    """Under the worker's lock."""
    row = WorkerSession.objects.filter(incarnation=request.incarnation).first()
    if row is not None and row.worker_id != worker.pk:
        return Greeting(refused=f"Incarnation {request.incarnation} belongs to another worker.")
    if row is None:
        if _held_elsewhere(worker, request):
            return _refuse(record, worker, "the name is in use on another host")
        row = WorkerSession.objects.create(worker=worker, incarnation=request.incarnation, host=request.host)
    if worker.session is not None and row.pk < worker.session:
        return _refuse(record, worker, "a newer start of it is already at work")
    if row.pk == worker.session:
        return Greeting(row.pk, counts=request.session == row.pk)
    if request.session != row.pk:
        return Greeting(row.pk)
    if _held_elsewhere(worker, request):
        return _refuse(record, worker, "the name is in use on another host")
    _confirm(record, worker, row, request)
    return Greeting(row.pk, counts=True, confirmed=True)


def _held_elsewhere(worker: Worker, request: SyncRequest) -> bool:
    """Two hosts with one name: the newcomer waits until the present one has been silent for a lease."""
    if worker.session is None or worker.last_seen_at is None or worker.incarnation == request.incarnation:
        return False
    here, there = request.host.get("machine"), worker.host.get("machine")
    names = request.host.get("hostname"), worker.host.get("hostname")
    if (here, names[0]) == (there, names[1]):
        return False
    return (database_now() - worker.last_seen_at).total_seconds() < max(worker.lease_s, settings.ENV.lease)


def _refuse(record: Change, worker: Worker, why: str) -> Greeting:
    record.event(
        Topic.WORKER, "worker.refused", f"A process that calls itself worker {worker.name} was refused: {why}.",
        level=Level.WARNING, worker=worker.name,
    )  # fmt: skip
    return Greeting(refused=f"another worker took the name {worker.name}: {why}")


def _confirm(record: Change, worker: Worker, row: WorkerSession, request: SyncRequest) -> None:
    WorkerSession.objects.filter(worker=worker, confirmed_at__isnull=False, ended_at=None).update(
        ended_at=DatabaseNow()
    )
    WorkerSession.objects.filter(pk=row.pk).update(confirmed_at=DatabaseNow())
    again = worker.session is not None
    worker.session, worker.incarnation, worker.seq, worker.drain_requested = row.pk, request.incarnation, -1, False
    host = request.host.get("hostname", "an unnamed host")
    record.event(
        Topic.WORKER, "worker.restarted" if again else "worker.connected",
        f"Worker {worker.name} {'is back as a new process' if again else 'is connected'} on {host}, for "
        f"{', '.join(request.kinds)}.",
        worker=worker.name, session=row.pk, incarnation=str(request.incarnation),
    )  # fmt: skip
