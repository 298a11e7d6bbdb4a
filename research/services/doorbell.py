"""Doorbells: django-q2 tasks that only say "look at operation N". They carry no truth; a doubled one does nothing."""

from __future__ import annotations

from django_q.tasks import async_task

from research.models import Operation
from research.models.clock import DatabaseNow


def group(operation_id: int) -> str:
    """The queue's group of an operation's doorbells, by which a waiting one is found."""
    return f"operation-{operation_id}"


def ring(operation_id: int) -> None:
    """Queue a doorbell; with the ORM broker it joins the surrounding transaction."""
    Operation.objects.filter(pk=operation_id, status="queued").update(rung_at=DatabaseNow())
    async_task("research.runners.tasks.run_operation", operation_id, group=group(operation_id), save=False)


def call_coordinator() -> None:
    """Queue a call for somebody to lead."""
    async_task("research.coordinator.tasks.coordinate", group="coordinator", save=False)


def call_tidying() -> None:
    """Queue a look for files and checkpoints that nobody needs any more."""
    async_task("research.services.retention.tidy", group="tidy", save=False)
