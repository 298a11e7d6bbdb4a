"""When to call sync. Pure: times are passed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MOST_IN_FLIGHT = 3
FIRST_BACKOFF = 0.05


@dataclass(slots=True)
class Pace:
    """One call each heartbeat and one at once when something happened; after a failure a short, growing back-off.

    A call that is late does not keep the next from starting: a second connection is tried beside it. `jitter` returns
    0 to 1.
    """

    heartbeat: float = 1.0
    _held: dict[int, float] = field(default_factory=dict)  # seq -> when the answer is overdue
    _idle: set[int] = field(default_factory=set)
    _last_started: float = -math.inf
    _failures: int = 0
    _retry_at: float = -math.inf
    _dirty: bool = True

    def something_happened(self) -> None:
        self._dirty = True

    def started(self, seq: int, now: float, wait: float) -> None:
        self._held[seq] = now + wait + self.heartbeat
        if wait > 0:
            self._idle.add(seq)
        self._last_started, self._dirty = now, False

    def answered(self, seq: int) -> None:
        self._done(seq)
        self._failures = 0

    def failed(self, seq: int, now: float, jitter: float) -> None:
        self._done(seq)
        self._failures = min(self._failures + 1, 16)
        backoff = min(self.heartbeat, FIRST_BACKOFF * 2.0**self._failures)
        self._retry_at = now + backoff * (0.5 + 0.5 * jitter)

    @property
    def failing(self) -> bool:
        return self._failures > 0

    def due(self) -> float:
        """The time of the next call; infinity while calls in flight must come back first."""
        if len(self._held) >= MOST_IN_FLIGHT:
            return math.inf
        if self._held:
            overdue = max(self._held.values())
            # A held call ends when a newer one comes; one that is only on its way answers in a moment.
            return -math.inf if self._dirty and self._idle else overdue
        if self.failing:
            return self._retry_at
        return -math.inf if self._dirty else self._last_started + self.heartbeat

    def _done(self, seq: int) -> None:
        self._held.pop(seq, None)
        self._idle.discard(seq)
