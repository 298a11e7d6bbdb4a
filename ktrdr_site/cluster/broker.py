"""django-q2's database queue, made to outlive the database's restarts."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import InterfaceError, OperationalError, connection
from django_q.brokers.orm import ORM

from research.runners.hold import open_session
from research.services.doorbell import QUEUE_CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
LOST = (OperationalError, InterfaceError)


_LOST_S = 0.2


class Bell:
    """Hears that something was put into the queue: the pusher need not look five times a second.

    Not every doorbell rings (canaries, the minute's schedule), so it is never waited for longer than `_LOOK_S`.
    """

    _LOOK_S = 0.5

    def __init__(self) -> None:
        self._session: psycopg.Connection[Any] | None = None

    def wait(self) -> None:
        """Return when it rings, or after a while. Raises what a lost database raises."""
        if self._session is None:
            self._session = open_session("ktrdr queue")
            self._session.execute(f"LISTEN {QUEUE_CHANNEL}")
            return  # what was put there before we listened is looked for once more
        try:
            for _ in self._session.notifies(timeout=self._LOOK_S, stop_after=1):
                return
        except psycopg.Error as problem:
            raise OperationalError(str(problem)) from problem

    def forget(self) -> None:
        """The session is gone, or may be; the next wait opens another."""
        if self._session is not None:
            self._session.close()
            self._session = None


class SteadyBroker(ORM):  # type: ignore[misc]
    """Used by pusher, monitor and sentinel of one cluster.

    The original's pusher goes deaf for 10 s after one error, and its monitor dies with what it had to acknowledge.
    """

    def __init__(self, on_beat: Callable[[], None]) -> None:
        super().__init__()
        self._on_beat = on_beat
        self._bell = Bell()
        self._owed: set[int] = set()
        self._lost = False

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Tasks taken from the queue; None after a pause when there are none, or no database."""
        try:
            tasks: list[tuple[int, str]] | None = super().dequeue()
            if not tasks:
                self._bell.wait()
        except LOST as problem:
            self._note_loss(problem)
            self._bell.forget()
            time.sleep(_LOST_S)
            return None
        self._lost = False
        return tasks

    def acknowledge(self, task_id: int) -> None:
        """Delete a finished task from the queue; now, or with the next one when the database is away."""
        self._owed.add(task_id)
        try:
            self.get_connection().filter(pk__in=self._owed).delete()
        except LOST as problem:
            self._note_loss(problem)
        else:
            self._owed.clear()

    def _note_loss(self, problem: Exception) -> None:
        if not self._lost:
            log.warning("The task queue cannot reach the database: %s", str(problem).strip().partition("\n")[0])
        self._lost = True
        connection.close()

    def set_stat(self, *_status: Any) -> None:
        """The sentinel saves its status in every round of its guard loop: to us that is its sign of life."""
        self._on_beat()
