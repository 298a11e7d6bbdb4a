"""Canaries: tasks rung only to see whether one of them comes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

if TYPE_CHECKING:
    from django.db.models import QuerySet

_MOST_WAITING = 5


class _Rings(ORM):  # type: ignore[misc]
    """The queue, remembering what was put there."""

    def __init__(self) -> None:
        super().__init__()
        self.rung: list[int] = []

    def enqueue(self, task: str) -> int:
        key: int = super().enqueue(task)
        self.rung.append(key)
        return key


class Canaries:
    """Those of one cluster. Another cluster may take some: so they are rung again and again, a few at a time."""

    def __init__(self) -> None:
        self._rung: list[int] = []

    def ring(self) -> None:
        """One more, unless enough still wait to be taken."""
        if self._waiting().count() >= _MOST_WAITING:
            return
        rings = _Rings()
        async_task("ktrdr_site.cluster.tasks.canary", task_name="canary", save=False, broker=rings)
        self._rung = [*self._rung, *rings.rung][-50:]

    def withdraw(self) -> None:
        """Take those back that nobody has taken."""
        if self._rung:
            self._waiting().delete()
            self._rung = []

    def _waiting(self) -> QuerySet[OrmQ]:
        waiting: QuerySet[OrmQ] = OrmQ.objects.filter(pk__in=self._rung, lock__lte=timezone.now())
        return waiting
