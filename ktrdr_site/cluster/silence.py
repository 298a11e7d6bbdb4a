"""How long something has been silent, counted only over time in which we would have heard it."""

from __future__ import annotations

from typing import Any


class Silence:
    """Fed with a sign that changes when the other side lives. No wall clock takes part."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last: Any = None

    def hear(self, sign: Any, elapsed: float) -> float:
        """`elapsed`: seconds of attentive listening since the last call. Returns the silence so far, in seconds."""
        self.seconds = self.seconds + elapsed if sign == self._last else 0.0
        self._last = sign
        return self.seconds

    def hear_nothing(self, elapsed: float) -> float:
        """As `hear`, when we listened and could make out no sign."""
        return self.hear(self._last, elapsed)

    def forgive(self) -> None:
        """Begin anew: our ears were closed."""
        self.seconds = 0.0
