"""The built-in designer: needs no network, and the same brief, seed and memory give the same specification."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from research.designers import fresh, mutations
from research.designers.bandit import choose_kind
from research.designers.base import Proposal
from research.designers.ingredients import themes
from research.designers.merit import merit
from workers.strategy import InvalidStrategy, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from research.designers.base import Brief, Memory
    from research.designers.novelty import Tried

PARENTS = 5
ATTEMPTS = 50
MUTATE = 0.7
COMPARED = 100  # so many of the newest trials are compared with a proposal by their scores
FRESH = "fresh"
_RESCORES = {FRESH, "period", "swap", "weight"}  # kinds that show before training; others leave the rules as they were


class Evolution:
    """Changes one of the best strategies of the memory, or, where there is none worth it, starts afresh.

    The kind of change is chosen by what such changes brought before; a proposal that is almost what was tried is
    dropped.
    """

    def design(self, brief: Brief) -> Proposal:
        random = Random(f"{brief.seed}")  # noqa: S311 - a search, not a secret; a text seeds by SHA-512
        tried = {essence(memory.spec) for memory in brief.memory}
        parents, alike = best(related(brief)), _tried(brief)
        proposal, dropped = Proposal({}), 0
        for _ in range(ATTEMPTS):
            proposal = _propose(random, brief, parents)
            if not _valid(proposal.spec) or essence(proposal.spec) in tried:
                continue
            if alike is None or proposal.change not in _RESCORES or not alike.alike(proposal.spec):
                break
            dropped += 1
        return replace(proposal, dropped=dropped)


def best(memory: Iterable[Memory]) -> list[Memory]:
    """Trials that were not rejected, by deflated Sharpe, then Sharpe; of equals the younger first."""
    worth = [trial for trial in memory if trial.verdict in {"promising", "inconclusive"} and _valid(dict(trial.spec))]
    return sorted(worth, key=lambda trial: (*merit(trial), trial.seq), reverse=True)[:PARENTS]


def related(brief: Brief) -> list[Memory]:
    """What was learned from briefs about the same; everything, where the brief says nothing or nothing was."""
    wanted = themes(brief.text)
    same = [trial for trial in brief.memory if themes(trial.brief) & wanted]
    return same if best(same) else list(brief.memory)


def essence(spec: Mapping[str, Any]) -> str:
    """What makes two specifications the same trial: everything but their words, with all defaults written out."""
    with suppress(InvalidStrategy):  # of an older form: compared as it is
        spec = parse(dict(spec)).model_dump(mode="json", by_alias=True)
    return json.dumps({key: part for key, part in spec.items() if key not in {"name", "hypothesis"}}, sort_keys=True)


def _propose(random: Random, brief: Brief, parents: list[Memory]) -> Proposal:
    if parents and random.random() < MUTATE:
        parent = random.choice(parents)
        kind = choose_kind(random, mutations.CHANGES, brief.memory)
        return Proposal(mutations.mutate(random, dict(parent.spec), brief, kind), parent.seq, kind)
    return Proposal(fresh.design(random, brief), None, FRESH)


def _tried(brief: Brief) -> Tried | None:
    if brief.bars is None or not brief.memory:
        return None
    from research.designers.novelty import Tried

    return Tried(brief.bars, [trial.spec for trial in brief.memory[-COMPARED:]])


def _valid(spec: dict[str, Any]) -> bool:
    try:
        parse(spec)
    except InvalidStrategy:
        return False
    return True
