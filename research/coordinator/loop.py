"""The coordinator: looks at the database, takes the next step of every active research, waits for a change."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from research.coordinator import attention
from research.coordinator.admission import admit
from research.coordinator.apply import advance
from research.runners.liveness import Amnesty
from research.services import clusters, silence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from research.coordinator.leader import Leader

log = logging.getLogger(__name__)
TICK_S = 1.0
WATCH_S = 0.1  # while in-process operations run
TERM_S = 60.0


def serve(leader: Leader, *, seconds: float = TERM_S) -> bool:
    """Lead for a bounded term. True when work is left for the next leader. Raises `Deposed`."""
    until = time.monotonic() + seconds
    due, woken = 0.0, {-1}
    while time.monotonic() < until:
        leader.keep()
        active, pending, in_process = attention.counts()
        if not active and not pending:
            return False
        if -1 in woken or time.monotonic() >= due:
            if clusters.draining():
                return True
            due, woken = time.monotonic() + TICK_S, _everything(leader)
        elif pending and woken:
            woken |= {*admit(leader.term)}
        if in_process:
            woken |= {*attention.lost_in_process()}
        _advance_all(woken, leader)
        woken = leader.wait(WATCH_S if in_process else TICK_S)
    return True


def _everything(leader: Leader) -> set[int]:
    silence.watch()
    return {*admit(leader.term), *attention.needing_attention()}


def _advance_all(researches: Iterable[int], leader: Leader) -> None:
    amnesty = Amnesty(leader.amnesty, leader.amnesty_reason)
    for research in sorted(set(researches) - {-1}):
        leader.keep()
        advance(research, leader.term, amnesty)
