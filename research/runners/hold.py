"""An in-process runner's hold on its operation: a database session of its own, with the lock on it and the lease."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.db import connection

from research.runners.keys import LOCK_OPERATION, second_key
from workers.job import Interrupted

if TYPE_CHECKING:
    from uuid import UUID

log = logging.getLogger(__name__)
RENEW_S = 1.0
_RENEW = """
UPDATE research_operation o SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE o.id = %(id)s AND o.status = 'running' AND o.cluster = %(cluster)s AND o.runner_pid = %(pid)s
RETURNING o.deadline_at < clock_timestamp(),
  coalesce((SELECT c.drain_until < clock_timestamp() FROM research_cluster c WHERE c.id = o.cluster), false)
"""


class Lost(Exception):
    """The operation is no longer ours: whatever we would write is about somebody else's past."""


def open_session(name: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A database session outside Django's own: autocommit, never used for a long query."""
    parameters = {key: value for key, value in connection.get_connection_params().items()
                  if key not in ("cursor_factory", "context", "prepare_threshold", "server_side_binding")}  # fmt: skip
    return psycopg.connect(**parameters, autocommit=True, application_name=name)


class Hold:
    """Take it before the claim, release it after the end is committed. A thread renews the lease meanwhile."""

    def __init__(self, operation_id: int, cluster: UUID) -> None:
        self.operation_id, self.cluster = operation_id, cluster
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._lost = self._drained = False
        self._thread: threading.Thread | None = None

    def take(self) -> bool:
        """Open the session and take the lock; False when another process has it."""
        self._session = open_session(f"ktrdr operation {self.operation_id}")
        return self._lock()

    def start_renewing(self) -> None:
        self._thread = threading.Thread(target=self._renew_for_ever, name="lease", daemon=True)
        self._thread.start()

    def guard(self) -> None:
        """Raises `Lost` or `Interrupted` when the work must stop. Cheap: reads what the lease thread knows."""
        if self._lost:
            raise Lost(f"operation {self.operation_id} is no longer ours")
        if self._drained:
            raise Interrupted

    def confirm(self, patience: float = 60.0) -> None:
        """The session lives and the operation is still ours, now; reconnects if need be. Raises `Lost`."""
        until = time.monotonic() + patience
        while not self._renew():
            if time.monotonic() > until:
                raise Lost("the database stayed away")
            self._stop.wait(0.2)
        if self._lost:
            raise Lost(f"operation {self.operation_id} is no longer ours")

    def release(self) -> None:
        """After the end was committed."""
        self._stop.set()
        with self._mutex:
            if self._session is not None:
                self._session.close()

    def _lock(self) -> bool:
        if self._session is None:
            raise Lost("the session was never opened")
        key = second_key(self.operation_id)
        row = self._session.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_OPERATION, key]).fetchone()
        return bool(row and row[0])

    def _renew_for_ever(self) -> None:
        while not self._stop.wait(RENEW_S) and not self._lost:
            self._renew()

    def _renew(self) -> bool:
        """One renewal; False when the database could not be reached."""
        with self._mutex:
            try:
                self._reconnect()
                if self._session is None:
                    raise Lost("the session was never opened")
                parameters = {"lease": settings.ENV.phase_lease, "id": self.operation_id, "cluster": self.cluster,
                              "pid": os.getpid()}  # fmt: skip
                row = self._session.execute(_RENEW, parameters).fetchone()
            except psycopg.OperationalError as error:
                log.warning(
                    "operation %s: database lost (%s)", self.operation_id, str(error).strip().partition("\n")[0]
                )
                if self._session is not None:
                    self._session.close()
                return False
        if row is None:
            self._lost = True
        elif row[0]:
            log.error("operation %s is past its deadline: its process ends", self.operation_id)
            os._exit(70)
        elif row[1]:
            self._drained = True
        return True

    def _reconnect(self) -> None:
        if self._stop.is_set() or (self._session is not None and not self._session.closed):
            return
        self._session = open_session(f"ktrdr operation {self.operation_id}")
        if not self._lock():
            self._lost = True
