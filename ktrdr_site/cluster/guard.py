"""The thread of the main process that talks to the database: notes, listens, rings, concludes."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from ktrdr_site.cluster import EXIT_BROKEN, EXIT_WEDGED, housekeeping
from ktrdr_site.cluster.broker import LOST
from ktrdr_site.cluster.canaries import Canaries
from ktrdr_site.cluster.coordinator import resume_if_needed
from ktrdr_site.cluster.silence import Silence
from research.services import clusters, schedules

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from ktrdr_site.cluster.tree import Tree

log = logging.getLogger(__name__)

_TICK, _TICK_RINGING = 1.0, 0.2
_RING_AFTER, _WEDGED_AFTER = 5.0, 10.0
_LEADERLESS = 1.0
_LATE = 2.0
_SWEEP = 600.0
_LOCK_TIMEOUT = "2s"


class Guard(threading.Thread):
    """Sets `verdict` (exit code, reason), `drain_left` (seconds, once asked to leave from afar) and `idle` (after
    `leave()`: nothing is left). The main thread acts on them.
    """

    def __init__(self, cluster: UUID, tree: Tree) -> None:
        super().__init__(name="guard", daemon=True)  # it may hang in a database that hangs
        self.cluster, self.tree = cluster, tree
        self.verdict: tuple[int, str] | None = None
        self.drain_left: float | None = None
        self.idle = False
        self._drain: float | None = None
        self._wake, self._over = threading.Event(), False
        self._stamps, self._beats, self._leaderless = Silence(), Silence(), Silence()
        self._canaries = Canaries()
        self._reachable = True
        self._swept = -_SWEEP

    def leave(self, seconds: float) -> None:
        """Have the cluster take nothing new and hand over within `seconds`; `idle` says when nothing is left."""
        self._drain = seconds
        self._wake.set()

    def finish(self, patience: float) -> None:
        """End this thread and the cluster's row; gives up after `patience` seconds."""
        self._over = True
        self._wake.set()
        self.join(patience)

    def run(self) -> None:
        before = time.monotonic()
        while not self._over:
            now = time.monotonic()
            self._attend(min(now - before, 3 * _TICK))  # more than that: we were frozen, not they silent
            before = now
            self._wake.wait(_TICK_RINGING if self._stamps.seconds > _RING_AFTER or self._drain is not None else _TICK)
            self._wake.clear()
        self._try(clusters.end)
        connection.close()

    def _attend(self, elapsed: float) -> None:
        if self._try(lambda: self._tick(elapsed)):
            return
        for silence in (self._stamps, self._beats, self._leaderless):
            silence.forgive()

    def _try(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except LOST as problem:
            self._lost(problem)
            return False
        except Exception:  # whatever it is, the guard goes on guarding
            log.exception("The guard's round failed")
            connection.close()
            return False
        self._reachable = True
        return True

    def _lost(self, problem: Exception) -> None:
        if self._reachable:
            log.warning("The database does not answer: %s", str(problem).strip().partition("\n")[0])
        self._reachable = False
        connection.close()

    def _tick(self, elapsed: float) -> None:
        sign = self._note()
        if sign is None:
            self._judge_stamps(self._stamps.hear_nothing(elapsed))
            return
        self.drain_left = sign.drain_left
        if self._drain is not None:
            self._hand_over(self._drain)
            return
        self._listen(sign, elapsed)
        self._end_the_overdue()
        if self._leaderless.hear(sign.led, elapsed) >= _LEADERLESS and not sign.led:
            resume_if_needed()
        schedules.begin_due()
        if time.monotonic() - self._swept > _SWEEP:
            self._swept = time.monotonic()
            housekeeping.sweep()

    def _note(self) -> clusters.Sign | None:
        """None: the cluster's row is held by somebody, such as a process that was frozen in the midst of a claim."""
        if connection.connection is None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_LOCK_TIMEOUT])
        try:
            return clusters.note()
        except OperationalError as problem:
            if isinstance(problem.__cause__, LockNotAvailable):
                return None
            raise

    def _listen(self, sign: clusters.Sign, elapsed: float) -> None:
        silent = self._stamps.hear(sign.stamped_at, elapsed)
        if not self._judge_stamps(silent) and silent > _RING_AFTER:
            self._canaries.ring()
        else:
            self._canaries.withdraw()
        if self._beats.hear(self.tree.beat.at, elapsed) > _WEDGED_AFTER:
            self.verdict = EXIT_BROKEN, f"the sentinel hangs, silent for {self._beats.seconds:.0f} s"

    def _judge_stamps(self, silent: float) -> bool:
        if silent > _WEDGED_AFTER:
            self.verdict = EXIT_WEDGED, f"no task has come to an end for {silent:.0f} s, not even a canary"
        return self.verdict is not None

    def _end_the_overdue(self) -> None:
        busy = self.tree.seats.occupied()
        for pid in clusters.overdue(busy, grace=_LATE) if busy else ():
            if self.tree.kill_worker(pid, busy[pid]):
                log.warning("Killed process %d: operation %d is past its deadline and did not end.", pid, busy[pid])

    def _hand_over(self, seconds: float) -> None:
        self._canaries.withdraw()
        if self.drain_left is None:
            clusters.drain(self.cluster, seconds)
            return  # claims under way still count: look in the next round
        running, leads = clusters.work_left(self.cluster)
        self.idle = not running and not leads
