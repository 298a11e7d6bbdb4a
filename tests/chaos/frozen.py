"""Who is frozen, and until when. A thread wakes them: a frozen PostgreSQL process may hold up everybody else here."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Frozen:
    """Processes under SIGSTOP; each set gets SIGCONT when its time is over, whatever this process waits for then."""

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._timers: list[threading.Timer] = []
        self._mutex = threading.Lock()

    def any_of(self, pids: Iterable[int]) -> bool:
        with self._mutex:
            return not self._pids.isdisjoint(pids)

    def freeze(self, pids: tuple[int, ...], seconds: float) -> None:
        """The first of them first: a parent that still ran would see its children stop."""
        timer = threading.Timer(seconds, self._wake, [pids])
        timer.daemon = True
        with self._mutex:
            self._pids.update(pids)
            self._timers.append(timer)
        for pid in pids:
            _send(pid, signal.SIGSTOP)
        timer.start()

    def thaw(self) -> None:
        """All of them, now."""
        with self._mutex:
            timers, self._timers = self._timers, []
            pids = tuple(self._pids)
        for timer in timers:
            timer.cancel()
        self._wake(pids)

    def _wake(self, pids: tuple[int, ...]) -> None:
        for pid in reversed(pids):
            _send(pid, signal.SIGCONT)
        with self._mutex:
            self._pids.difference_update(pids)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
