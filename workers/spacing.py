"""When running work is to save a checkpoint: after so much time that checkpoints stay cheap, whatever the disk."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHARE = 0.03  # of the time may go into checkpoints
SHORTEST_S, LONGEST_S = 0.25, 10.0


class Spacing:
    """`every_s` fixed seconds between two checkpoints; None paces them by what the last one cost.

    Paced, the first is due at once (the first unit counts as progress, and tells what one costs), the next when the
    last one was at most `SHARE` of the time since: not before `SHORTEST_S`, and after `LONGEST_S` at any price. So a
    crash costs the work of that time and of the unit in hand.
    """

    def __init__(self, every_s: float | None = None) -> None:
        self._fixed = every_s
        self._wait = 0.0 if every_s is None else every_s
        self._last = time.monotonic()

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Spacing:
        """As `spec["checkpoint_every_s"]` says; without it, paced."""
        every_s = spec.get("checkpoint_every_s")
        return cls(None if every_s is None else float(every_s))

    def due(self) -> bool:
        return time.monotonic() - self._last >= self._wait

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Around the making and writing of a checkpoint."""
        began = time.monotonic()
        yield
        self._last = time.monotonic()
        if self._fixed is None:
            self._wait = min(max((self._last - began) / SHARE, SHORTEST_S), LONGEST_S)
