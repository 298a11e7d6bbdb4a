"""The coordinator: looks at the database, takes the next step of every active research, waits for a change.

Nothing is missed: every commit that ends an operation tells of its research; a research that somebody else held, or
whose step met another's commit, is taken up again in the next turn; what a clock decides is looked up every second;
and every `FULL_S` all active researches are looked over, as a new leader does first.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from research.coordinator import attention
from research.coordinator.admission import admit
from research.coordinator.apply import advance
from research.coordinator.leader import EVERYTHING
from research.runners.liveness import Amnesty
from research.services import clusters, silence

if TYPE_CHECKING:
    from research.coordinator.attention import Present
    from research.coordinator.leader import Leader

log = logging.getLogger(__name__)
TICK_S = 1.0
WATCH_S = 0.1  # while in-process operations run, or a step is to be taken again
FULL_S = 10.0
TERM_S = 60.0


class Rounds:
    """The turns of one leader. A turn costs what changed and what is due, not what exists."""

    def __init__(self, leader: Leader) -> None:
        self.leader = leader
        self._tick = self._full = 0.0
        self._again: set[int] = set()

    def due(self) -> bool:
        """Whether the next turn also looks at what only time tells."""
        return time.monotonic() >= self._tick

    def turn(self, woken: set[int], there: Present) -> None:
        """Take the steps of those that changed, and of those that are due. Raises `Deposed`."""
        found = {*woken, *self._again}
        if EVERYTHING in woken or self.due():
            found |= self._looked_up(full=EVERYTHING in woken or time.monotonic() >= self._full)
        else:
            found |= self._beside(woken, there)
        self._advance(found - {EVERYTHING})

    def patience(self, there: Present) -> float:
        """Seconds to wait for a change before the next turn."""
        return WATCH_S if there.in_process or self._again else TICK_S

    def _looked_up(self, *, full: bool) -> set[int]:
        self._tick = time.monotonic() + TICK_S
        silence.watch()
        begun = admit(self.leader.term)
        if not full:
            return {*begun, *attention.due()}
        self._full = time.monotonic() + FULL_S
        return {*begun, *attention.needing_attention()}

    def _beside(self, woken: set[int], there: Present) -> set[int]:
        begun = admit(self.leader.term) if there.pending and woken else []
        lost = attention.lost_in_process() if there.in_process and not woken else []
        return {*begun, *lost, *(attention.due() if woken else ())}  # what ended may have freed a place

    def _advance(self, researches: set[int]) -> None:
        amnesty = Amnesty(self.leader.amnesty, self.leader.amnesty_reason)
        self._again = set()
        for research in sorted(researches):
            self.leader.keep()
            if not advance(research, self.leader.term, amnesty):
                self._again.add(research)


def serve(leader: Leader, *, seconds: float = TERM_S) -> bool:
    """Lead for a bounded term. True when work is left for the next leader. Raises `Deposed`."""
    until = time.monotonic() + seconds
    rounds, woken = Rounds(leader), {EVERYTHING}
    while time.monotonic() < until:
        leader.keep()
        there = attention.present()
        if not there.active and not there.pending:
            return False
        if rounds.due() and clusters.draining():
            return True
        rounds.turn(woken, there)
        woken = leader.wait(rounds.patience(there))
    return True
