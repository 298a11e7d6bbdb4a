"""What a research waits for, in few words; empty when it does not wait. The whole sentence: `selectors.standing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.selectors.standing import Situation, standing

if TYPE_CHECKING:
    from research.models import Operation, Research

__all__ = ["Situation", "waiting_for"]


def waiting_for(research: Research, live: Operation | None, situation: Situation) -> str:
    """`live` is the research's queued or running operation."""
    return standing(research, live, situation).waits
