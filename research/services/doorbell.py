"""Doorbells: django-q2 tasks that only say "look at operation N". They carry no truth; a doubled one does nothing."""

from __future__ import annotations

from django.db import connection
from django_q.brokers.orm import ORM
from django_q.tasks import async_task

from research.models import Operation
from research.models.clock import DatabaseNow

QUEUE_CHANNEL = "ktrdr_queue"  # the clusters listen there for what is put into the queue


class _Bell(ORM):  # type: ignore[misc]
    """The queue, remembering the row of what was put there last, and telling of it with the commit."""

    row = 0

    def enqueue(self, task: str) -> int:
        self.row = int(super().enqueue(task))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [QUEUE_CHANNEL])
        return self.row


def ring(operation_id: int) -> None:
    """Queue a doorbell; with the ORM broker it joins the surrounding transaction.

    Its row's id stays with the operation, so that a waiting doorbell is known from one that was taken and not heard.
    """
    bell = _Bell()
    group = f"operation-{operation_id}"
    async_task("research.runners.tasks.run_operation", operation_id, group=group, save=False, broker=bell)
    Operation.objects.filter(pk=operation_id, status="queued").update(rung_at=DatabaseNow(), doorbell=bell.row)


def call_coordinator() -> None:
    """Queue a call for somebody to lead."""
    async_task("research.coordinator.tasks.coordinate", group="coordinator", save=False, broker=_Bell())


def call_tidying() -> None:
    """Queue a look for files and checkpoints that nobody needs any more."""
    async_task("research.services.retention.tidy", group="tidy", save=False)
