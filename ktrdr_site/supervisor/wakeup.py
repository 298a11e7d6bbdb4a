"""Sleep until a signal comes: a child's death and a request to stop are seen at once."""

from __future__ import annotations

import select
import signal
import socket
from contextlib import suppress

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wakeup:
    """Counts requests to stop. Only in the main thread."""

    def __init__(self) -> None:
        self.stops = 0
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self.stops += 1

    def sleep(self, seconds: float) -> None:
        select.select([self._read], [], [], seconds)
        with suppress(BlockingIOError):
            self._read.recv(4096)
