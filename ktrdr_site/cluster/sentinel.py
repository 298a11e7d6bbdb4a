"""django-q2's sentinel, which replaces dead workers; whatever else dies under it ends it."""

from __future__ import annotations

import logging
import os
import time
from multiprocessing.sharedctypes import RawValue
from typing import TYPE_CHECKING, Any

from django_q.cluster import Sentinel

from ktrdr_site.cluster import EXIT_BROKEN, forks, signals
from ktrdr_site.cluster.broker import SteadyBroker

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess
    from uuid import UUID

    from ktrdr_site.cluster.seats import Seats

log = logging.getLogger(__name__)


class Beat:
    """A moment of the monotonic clock, shared between processes."""

    def __init__(self) -> None:
        self._at = RawValue("d", 0.0)

    def now(self) -> None:
        self._at.value = time.monotonic()

    @property
    def at(self) -> float:
        return float(self._at.value)


class GuardedSentinel(Sentinel):  # type: ignore[misc]
    """Runs until `stop_event`. Ends its process with `EXIT_BROKEN` when monitor or pusher are gone.

    A killed monitor or pusher may have died with a lock of the queues in hand; its successor would wait for ever.
    """

    def __init__(self, stop_event: Any, start_event: Any, cluster: UUID, beat: Beat, seats: Seats) -> None:
        self.seats = seats
        super().__init__(stop_event, start_event, cluster, broker=SteadyBroker(beat.now), start=False)
        forks.leave_stopping_to_main()  # after the original, which sets its own
        signals.connect()
        self.start()

    def spawn_process(self, target: Any, *args: Any) -> ForkProcess:
        with forks.as_role(target.__name__):
            process: ForkProcess = super().spawn_process(target, *args)
        process.terminate = process.kill  # type: ignore[method-assign]  # SIGTERM is ignored here
        return process

    def spawn_worker(self) -> None:
        seat = self.seats.free(process.seat for process in self.pool)
        self.seats.clear(seat)
        self.seats.mine = seat
        super().spawn_worker()
        self.seats.mine = None
        self.pool[-1].seat = seat

    def reincarnate(self, process: ForkProcess) -> None:
        role = {id(self.monitor): "monitor", id(self.pusher): "pusher"}.get(id(process))
        if role is None:
            super().reincarnate(process)
            return
        log.error("The %s (pid %s) ended with %s.", role, process.pid, process.exitcode)
        os._exit(EXIT_BROKEN)  # everything below goes with it


def run(stop_event: Any, start_event: Any, cluster: UUID, beat: Beat, seats: Seats) -> None:
    """Entry of the sentinel's process."""
    GuardedSentinel(stop_event, start_event, cluster, beat, seats)
