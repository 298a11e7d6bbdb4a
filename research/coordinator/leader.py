"""The leader's own database session: it holds the leader lock, and listens for changes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from research.runners.hold import open_session
from research.runners.keys import LOCK_LEADER
from research.services import terms
from research.services.change import CHANNEL
from workers.faults import point

if TYPE_CHECKING:
    from types import TracebackType
    from uuid import UUID

RENEW_EVERY_S = 0.5
EVERYTHING = -1  # in the place of a research's id: look everywhere


class NotLeader(Exception):
    """Somebody else leads."""


class Leader:
    """One term of office. Enter to lead (raises `NotLeader`); `keep()` often; leave to resign."""

    def __init__(self, cluster: UUID, label: str) -> None:
        self.cluster, self.label = cluster, label
        self.term = 0
        self.amnesty, self.amnesty_reason = False, ""
        self._renewed = 0.0

    def __enter__(self) -> Leader:
        self.session = open_session("ktrdr leader")
        try:
            if not self._take_lock():
                raise NotLeader
            self.session.execute(f"LISTEN {CHANNEL}")
            self.term, self.amnesty = terms.begin(
                cluster=self.cluster, backend_pid=self.session.info.backend_pid, label=self.label
            )
        except BaseException:
            self.session.close()
            raise
        self._renewed = time.monotonic()
        point("leader.began")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, terms.Deposed):
                terms.resign(self.term)
        finally:
            self.session.close()

    def _take_lock(self) -> bool:
        """Take the leader lock; one whose holder let its term end is taken away from it by ending its session."""
        if self._try_lock():
            return True
        holder = self.session.execute(
            "SELECT l.pid FROM pg_locks l JOIN research_term t ON t.backend_pid = l.pid AND t.ended_at IS NULL"
            " WHERE l.locktype = 'advisory' AND l.classid = %s AND l.granted AND t.lease_expires_at < clock_timestamp()"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [LOCK_LEADER],
        ).fetchone()
        if holder is None:
            return False
        self.session.execute("SELECT pg_terminate_backend(%s, 1000)", [holder[0]])
        return self._try_lock()

    def _try_lock(self) -> bool:
        row = self.session.execute("SELECT pg_try_advisory_lock(%s, 0)", [LOCK_LEADER]).fetchone()
        return bool(row and row[0])

    def keep(self) -> None:
        """Renew the term when due. Raises `Deposed`."""
        if time.monotonic() - self._renewed >= RENEW_EVERY_S:
            self.amnesty, self.amnesty_reason = terms.renew(self.term)
            self._renewed = time.monotonic()

    def wait(self, seconds: float) -> set[int]:
        """Ids of the researches that changed, as soon as one did, or after `seconds` none. `EVERYTHING`: look around.

        Progress and heartbeats wake nobody.
        """
        until = time.monotonic() + seconds
        woken: set[int] = set()
        while not woken and (left := until - time.monotonic()) > 0:
            for notice in self.session.notifies(timeout=left, stop_after=1):
                woken |= _research_of(notice.payload)
        for notice in self.session.notifies(timeout=0):
            woken |= _research_of(notice.payload)
        return woken


def _research_of(payload: str) -> set[int]:
    try:
        message = json.loads(payload)
    except ValueError:
        return {EVERYTHING}
    return {int(message["id"])} if message.get("kind") == "research" else set()
