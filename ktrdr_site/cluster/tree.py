"""The process tree below the main process: sentinel, pusher, monitor, workers."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from django import db

from ktrdr_site.cluster import forks, seats, sentinel
from ktrdr_site.supervisor.child import describe_exit

if TYPE_CHECKING:
    from uuid import UUID

log = logging.getLogger(__name__)


class Tree:
    """Started once. Forks: make it in a process with one thread and no open database connection."""

    def __init__(self, cluster: UUID, workers: int) -> None:
        fork = multiprocessing.get_context("fork")
        self.workers = workers
        self.beat = sentinel.Beat()
        self.seats = seats.prepare(workers + 1)  # a worker in place of another, while that one is being buried
        self._stop, self._started = fork.Event(), fork.Event()
        arguments = (self._stop, self._started, cluster, self.beat, self.seats)
        self.sentinel = fork.Process(target=sentinel.run, name="sentinel", args=arguments)

    def start(self) -> None:
        db.connections.close_all()
        forks.arrange()
        with forks.as_role("sentinel"):
            self.sentinel.start()

    def problem(self) -> str:
        """Why this tree cannot go on; empty while it can."""
        if self.sentinel.is_alive():
            return ""
        code = self.sentinel.exitcode
        return f"the sentinel is gone ({'exit code unknown' if code is None else describe_exit(code)})"

    def kill_worker(self, pid: int, operation: int) -> bool:
        """SIGKILL a worker of ours that still works on that operation; whether it was one."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.ppid() == self.sentinel.pid and self.seats.occupied().get(pid) == operation:
                process.kill()
                return True
        return False

    def stop(self, patience: float) -> bool:
        """Let django-q2 end by its own rules; whether it did within `patience` seconds. Nothing is left either way."""
        # In a thread: a frozen or dead process may hold the event's lock.
        threading.Thread(target=self._stop.set, daemon=True).start()
        self.sentinel.join(patience)
        went = self.sentinel.exitcode == 0
        self.kill()
        return went

    def kill(self, patience: float = 5.0) -> None:
        """SIGKILL everything below this process, and bury it."""
        deadline = time.monotonic() + patience
        while below := psutil.Process().children(recursive=True):
            for process in below:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            if time.monotonic() > deadline:
                log.error("These processes cannot be killed: %s", [process.pid for process in below])
                return
            self.sentinel.join(0.02)
            _bury()


def _bury() -> None:
    """Reap what the kernel handed us when its parent died."""
    with suppress(ChildProcessError):
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is not None:
            pass
