"""The built-in designer: needs no network, and the same brief, seed and memory give the same specification."""

from __future__ import annotations

import json
import math
from random import Random
from typing import TYPE_CHECKING, Any

from research.designers import fresh, mutations
from workers.strategy import InvalidStrategy, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from research.designers.base import Brief, Memory

PARENTS = 5
ATTEMPTS = 50
MUTATE = 0.7


class Evolution:
    """Changes one of the best strategies of the memory, or, where there is none worth it, starts afresh."""

    def design(self, brief: Brief) -> dict[str, Any]:
        random = Random(f"{brief.seed}")  # noqa: S311 - a search, not a secret; a text seeds by SHA-512
        tried = {essence(memory.spec) for memory in brief.memory}
        parents = best(brief.memory)
        proposal: dict[str, Any] = {}
        for _ in range(ATTEMPTS):
            proposal = _proposal(random, brief, parents)
            if essence(proposal) not in tried and _valid(proposal):
                break
        return proposal


def best(memory: Iterable[Memory]) -> list[Memory]:
    """Trials that were not rejected, by deflated Sharpe, then Sharpe; of equals the younger first."""
    worth = [trial for trial in memory if trial.verdict in {"promising", "inconclusive"} and _valid(dict(trial.spec))]
    return sorted(worth, key=lambda trial: (*_merit(trial), trial.seq), reverse=True)[:PARENTS]


def essence(spec: Any) -> str:
    """What makes two specifications the same trial: everything but their words."""
    return json.dumps({key: part for key, part in spec.items() if key not in {"name", "hypothesis"}}, sort_keys=True)


def _proposal(random: Random, brief: Brief, parents: list[Memory]) -> dict[str, Any]:
    if parents and random.random() < MUTATE:
        return mutations.mutate(random, dict(random.choice(parents).spec), brief)
    return fresh.design(random, brief)


def _merit(trial: Memory) -> tuple[float, float]:
    values = (trial.metrics.get(name) for name in ("dsr", "sharpe"))
    first, second = (float(v) if isinstance(v, (int, float)) and math.isfinite(v) else -math.inf for v in values)
    return first, second


def _valid(spec: dict[str, Any]) -> bool:
    try:
        parse(spec)
    except InvalidStrategy:
        return False
    return True
