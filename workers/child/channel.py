"""Lines of JSON between child and agent. Nothing but our own lines may stand on the pipe."""

from __future__ import annotations

import json
import os
import threading
from typing import Any


class Channel:
    """Takes over file descriptors 0 and 1: what the engine prints goes to stderr instead."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._in = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._rest = b""
        self._lock = threading.Lock()

    def send(self, event: str, **facts: Any) -> None:
        """One line; blocks only while the agent does not read."""
        line = json.dumps({"event": event, **facts}).encode() + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._out, line) :]

    def receive(self) -> dict[str, Any] | None:
        """The next line; None when the agent closed the pipe (it is gone or does not need this child)."""
        while b"\n" not in self._rest:
            # os.read, not a buffered file: a thread that waits in a buffered read would abort the interpreter's exit.
            chunk = os.read(self._in, 65_536)
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
