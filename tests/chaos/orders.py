"""The strikes of a plan, in order: pure, so the same seed orders the same strikes on every machine and in every run.

Whom an order finds depends on who is there when its turn comes: it names the kinds to look for, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeVar

from tests.chaos.plan import ACTIONS, TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.chaos.plan import Plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """`pick`: which of those that are there, from 0 (the oldest) to 1. `pause`: seconds before it, at least."""

    action: str
    kinds: tuple[str, ...]
    busy: bool
    pick: float
    seconds: float
    pause: float
    patient: bool

    def choose(self, found: Sequence[T]) -> T:
        """One of those that are there; the same of the same."""
        return found[int(self.pick * len(found))]


def orders(plan: Plan) -> Iterator[Order]:
    """Without end; `plan.kills` decides how many are carried out."""
    random, actions = Random(f"chaos {plan.seed}"), ACTIONS | {"host": plan.hosts}
    while True:
        [action] = random.choices(list(actions), list(actions.values()))
        longest = plan.longest_cut if action in {"cut", "stall", "delay"} else plan.longest_freeze
        shortest = plan.host_freeze if action == "host" else 0.3
        yield Order(
            action=action,
            kinds=_in_some_order(random, TARGETS.get(action, {})),
            busy=random.random() < plan.aim,
            pick=random.random(),
            seconds=round(random.uniform(shortest, longest), 3),
            pause=round(min(random.expovariate(1 / plan.pace), 4 * plan.pace), 3),
            patient=random.random() >= plan.impatience,
        )


def _in_some_order(random: Random, weights: Mapping[str, float]) -> tuple[str, ...]:
    """Every kind once; the heavier, the more likely early (Efraimidis and Spirakis 2006)."""
    keys = {kind: random.random() ** (1 / weight) for kind, weight in weights.items()}
    return tuple(sorted(keys, key=lambda kind: -keys[kind]))
