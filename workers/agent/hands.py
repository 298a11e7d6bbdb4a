"""Threads that do what may block. What they find comes back as an event; what nobody expected ends the agent."""

from __future__ import annotations

import os
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable


class Hands:
    """`count` daemon threads that take jobs in order. `broken` is told of an exception nobody expected."""

    def __init__(self, name: str, count: int, broken: Callable[[BaseException], None]) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._broken = broken
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def do(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except BaseException as error:  # noqa: BLE001  # it is raised again in the main loop
                self._broken(error)


def leave_now(code: int) -> NoReturn:
    """End this process without waiting for its threads."""
    sys.stderr.flush()
    os._exit(code)
