"""What a killed process had started must be gone soon after it: nothing goes on unguarded."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_S: Final = 40.0  # a frozen one falls only when it wakes; PostgreSQL ends its sessions first


@dataclass(slots=True)
class _Fall:
    kind: str
    since: float
    left: list[psutil.Process]


class Falls:
    """`look()` often; `seconds` says by kind how long it took until the last of those below was gone."""

    def __init__(self, longest: float = LONGEST_S) -> None:
        self.longest = longest
        self.seconds: dict[str, list[float]] = {}
        self.broken: list[str] = []
        self._falling: list[_Fall] = []

    def expect(self, kind: str, below: Iterable[int]) -> None:
        """Call before the signal is sent: a process id means nothing afterwards."""
        left = []
        for pid in below:
            with suppress(psutil.NoSuchProcess):
                left.append(psutil.Process(pid))
        if left:
            self._falling.append(_Fall(kind, time.monotonic(), left))

    def look(self) -> None:
        for fall in self._falling:
            fall.left = [one for one in fall.left if _alive(one)]
            lasted = time.monotonic() - fall.since
            if not fall.left:
                self.seconds.setdefault(fall.kind, []).append(lasted)
            elif lasted > self.longest:
                self.broken += [f"{_named(one)} outlived the {fall.kind} above it" for one in fall.left]
                fall.left = []
        self._falling = [fall for fall in self._falling if fall.left]


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _named(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return f"process {process.pid} ({' '.join(process.cmdline())[:120]})"
    return f"process {process.pid}"
