"""What an operator asks of a worker from afar."""

from __future__ import annotations

from research.models import Topic, Worker
from research.services.change import change
from research.services.errors import NotFound, Refused
from workers.faults import point


def drain(name: str, *, user: str = "") -> None:
    """Have a worker hand over what it runs and leave; it hears of it with its next sync.

    Raises `NotFound`, and `Refused` when it was asked before or is leaving already.
    """
    with change() as record:
        worker = Worker.objects.select_for_update().filter(name=name).first()
        if worker is None:
            raise NotFound(f"There is no worker {name}. `manage.py workers list` shows those there are.")
        if worker.drain_requested or worker.draining:
            raise Refused(f"Worker {name} is draining already.")
        Worker.objects.filter(pk=worker.pk).update(drain_requested=True)
        record.event(
            Topic.OPERATOR, "operator.drain",
            f"{user or 'Somebody'} asked worker {name} to hand over its work and leave.", worker=name, user=user,
        )  # fmt: skip
        record.touch("worker", worker.pk)
    point("worker.drain_asked")
