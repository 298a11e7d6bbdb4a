"""Which kind of change to try next: Thompson sampling over what changes of each kind brought so far.

Thompson, "On the Likelihood that One Unknown Probability Exceeds Another" (1933); uniform priors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.designers.merit import merit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from research.designers.base import Memory


def choose_kind(random: Random, kinds: Iterable[str], memory: Sequence[Memory]) -> str:
    """One of `kinds`: often those whose changes made a better child of a parent, never only those."""
    counted = outcomes(memory)
    drawn = {kind: random.betavariate(1 + better, 1 + worse)
             for kind in sorted(kinds) for better, worse in [counted.get(kind, (0, 0))]}  # fmt: skip
    return max(drawn, key=lambda kind: drawn[kind])


def outcomes(memory: Sequence[Memory]) -> dict[str, tuple[int, int]]:
    """By kind of change: how many children were better than their parents, and how many were not."""
    known = {trial.seq: trial for trial in memory}
    counted: dict[str, tuple[int, int]] = {}
    for trial in memory:
        parent = known.get(trial.parent or 0)
        if parent is None or not trial.change:
            continue
        better, worse = counted.get(trial.change, (0, 0))
        counted[trial.change] = (better + 1, worse) if merit(trial) > merit(parent) else (better, worse + 1)
    return counted
