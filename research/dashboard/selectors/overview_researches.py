"""What is being researched now: each with its phases, how far the present one is, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from research.lifecycle.states import ENDED, LIVE, PHASE_OF, Kind, Reason, State, Status
from research.models import Operation, Research
from research.selectors.pace import Pace, pace_of
from research.selectors.standing import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.selectors.standing import Situation, Standing

MOST_ACTIVE, MOST_PENDING, MOST_ENDED = 40, 12, 8
_LOST = (Reason.ORPHANED, Reason.TIMED_OUT, Reason.CRASHED)


@dataclass(frozen=True, slots=True)
class Step:
    """One phase in the stepper; `state` is `done`, `now`, `later` or `skipped`."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Card:
    """An active research. `lost` counts the runners it lost in its present phase, `handed_over` those that left."""

    research: Research
    steps: list[Step]
    live: Operation | None
    pace: Pace | None
    stands: Standing
    lost: int
    handed_over: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending research and why it does not begin."""

    research: Research
    stands: Standing


@dataclass(frozen=True, slots=True)
class Researches:
    """`more_*`: how many there are beyond those listed."""

    active: list[Card]
    more_active: int
    pending: list[Waiting]
    more_pending: int
    any_at_all: bool


def researches(situation: Situation) -> Researches:
    """A fixed number of queries, however many there are."""
    operations = Operation.objects.defer("spec", "result").select_related("worker").order_by("id")
    rows = Research.objects.active().order_by("-priority", "id").prefetch_related(Prefetch("operations", operations))
    active = [_card(row, situation) for row in rows[:MOST_ACTIVE]]
    pending = [Waiting(row, standing(row, None, situation)) for row in Research.objects.pending()[:MOST_PENDING]]
    return Researches(
        active, max(0, situation.active - len(active)), pending, max(0, len(situation.pending) - len(pending)),
        any_at_all=bool(active or pending) or Research.objects.exists(),
    )  # fmt: skip


def ended() -> list[Research]:
    """The newest ended researches, the last one first."""
    found = Research.objects.filter(state__in=ENDED).select_related("strategy").order_by("-ended_at")
    return list(found[:MOST_ENDED])


def _card(research: Research, situation: Situation) -> Card:
    operations = list(research.operations.all())
    live = next((one for one in operations if one.status in LIVE), None)
    kind = PHASE_OF[State(research.state)]
    tries = [one for one in operations if one.kind == kind and one.pk > research.counted_from]
    return Card(
        research, steps(State(research.state), operations), live,
        pace_of(live, situation.now) if live is not None and live.status == Status.RUNNING else None,
        standing(research, live, situation),
        lost=sum(one.reason in _LOST for one in tries),
        handed_over=sum(one.reason == Reason.INTERRUPTED for one in tries),
    )  # fmt: skip


def steps(state: State, operations: Sequence[Operation]) -> list[Step]:
    """The phases in order; one that was passed without a result was skipped."""
    done = {one.kind for one in operations if one.status == Status.COMPLETED}
    kinds = list(Kind)
    here = kinds.index(PHASE_OF[state]) if state in PHASE_OF else -1
    return [Step(kind.label, _step_state(index, here, done=kind in done)) for index, kind in enumerate(kinds)]


def _step_state(index: int, here: int, *, done: bool) -> str:
    if index == here:
        return "now"
    if done:
        return "done"
    return "skipped" if index < here else "later"
