"""Where a research stands: one sentence that a person can act on, the same on the pages, in the API and in commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.lifecycle.states import IN_PROCESS, State, Status
from research.selectors.standing import ended, external, inprocess, pending
from research.selectors.standing.base import Code, Standing
from research.selectors.standing.situation import Situation

if TYPE_CHECKING:
    from research.models import Operation, Research

__all__ = ["Code", "Situation", "Standing", "standing"]


def standing(research: Research, live: Operation | None, situation: Situation) -> Standing:
    """`live` is the research's queued or running operation. A fixed number of queries for any number of researches."""
    if research.state == State.PENDING:
        return pending.standing(research, situation)
    if not research.is_active:
        return ended.standing(research, situation)
    if live is None:
        return pending.between(research, situation)
    inside, waits = live.kind in IN_PROCESS, live.status == Status.QUEUED
    if inside:
        return inprocess.queued(live, situation) if waits else inprocess.running(live, situation)
    return external.queued(live, situation) if waits else external.running(live, situation)
