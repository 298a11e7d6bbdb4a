"""The services on PostgreSQL under random orders of events, with crashes between any two writes (scenario 30).

`HYPOTHESIS_PROFILE=long` looks for longer, at other orders each time, and shrinks what it finds.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from research.lifecycle.states import RESUMABLE, Reason
from research.models import Research
from research.services import researches, workers
from research.services.errors import NotFound, Refused
from tests.integration.machine import clock
from tests.integration.machine.agents import Agent
from tests.integration.machine.dying import Died, dying
from tests.integration.machine.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.machine.agents import Task
    from tests.integration.machine.processes import Process

pytestmark = pytest.mark.django_db(transaction=True)

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
PROFILE = settings(
    max_examples=400 if LONG else 14, stateful_step_count=60 if LONG else 45, deadline=None, derandomize=not LONG,
    suppress_health_check=list(HealthCheck), database=None, report_multiple_bugs=False,
    phases=tuple(Phase) if LONG else (Phase.explicit, Phase.generate),
)  # fmt: skip
PICK = st.integers(0, 5)
DIES = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])  # before which write; mostly it lives
MOSTLY = st.sampled_from([True, True, False])
ERRORS = st.sampled_from([Reason.CRASHED, Reason.CRASHED, Reason.CRASHED, Reason.ERROR])
FATES = st.sampled_from(["heard"] * 5 + ["doubled", "late", "lost", "answer lost"])


def _has(what: str) -> Callable[[Orders], bool]:
    return lambda machine: hasattr(machine, "world") and bool(getattr(machine.world, what))


@dataclass(frozen=True)
class Kind:
    """Of event: how often it is taken among those that are possible, when it is, and what it draws."""

    weight: int
    when: Callable[[Orders], object]
    draws: dict[str, st.SearchStrategy[Any]]


KINDS: dict[str, Kind] = {}


def happens(weight: int, when: Callable[[Orders], object] = lambda _: True, **draws: st.SearchStrategy[Any]) -> Any:
    def known(event: Callable[..., None]) -> Callable[..., None]:
        KINDS[event.__name__] = Kind(weight, when, draws)
        return event

    return known


class Orders(RuleBasedStateMachine):
    """Every method that `happens` is one event; every one may end with a death between two of its writes.

    One rule chooses among those that are possible now: left to Hypothesis most would find nothing to do.
    """

    @rule(data=st.data(), chance=st.integers(0, 2**16))
    def something_happens(self, data: st.DataObject, chance: int) -> None:
        """Evenly by weight: Hypothesis itself would take the first event half of the time."""
        possible = [name for name, kind in KINDS.items() if kind.when(self) for _ in range(kind.weight)]
        self.steps += 1
        event = Random(f"{self.seed} {self.steps} {chance}").choice(possible)
        note(event)
        drawn = {name: data.draw(strategy, label=name) for name, strategy in KINDS[event].draws.items()}
        getattr(self, event)(**drawn)

    @initialize(designed=st.booleans(), more=st.booleans(), seed=st.integers(0, 2**16))
    def begin(self, designed: bool, more: bool, seed: int) -> None:
        self.seed, self.steps = seed, 0
        self.world = World()
        self.world.research(designed=designed)
        if more:
            self.world.research(designed=not designed)
        self.a_worker_is_heard_twice(pick=0)
        self.the_present_leader_steps()

    def _agent(self, pick: int) -> Agent:
        return self.world.agents[pick % len(self.world.agents)]

    def _process(self, pick: int) -> Process:
        return self.world.living[pick % len(self.world.living)]

    def _task(self, pick: int) -> tuple[Agent, Task]:
        return self.world.tasks[pick % len(self.world.tasks)]

    # The coordinator -------------------------------------------------------------------------------------------------

    @happens(weight=6)
    def the_present_leader_steps(self) -> None:
        leader = self.world.leaders.present
        if leader is None:
            self.world.leaders.somebody_wants_to_lead()
        else:
            self.world.leaders.renews(leader)
            self.world.leaders.steps(leader)

    @happens(weight=1, dies=DIES)
    def somebody_wants_to_lead(self, dies: int) -> None:
        self.world.leaders.somebody_wants_to_lead(dies)

    @happens(weight=2, when=lambda self: self.world.leaders.all, pick=st.sampled_from([-1, -1, -1, -1, 0]), dies=DIES)
    def a_leader_steps(self, pick: int, dies: int) -> None:
        self.world.leaders.steps(self.world.leaders.all[pick], dies)

    @happens(weight=1, when=lambda self: self.world.leaders.present, resigns=st.booleans())
    def the_leader_goes(self, resigns: bool) -> None:
        leader = self.world.leaders.present
        if leader is not None:
            (self.world.leaders.resigns if resigns else self.world.leaders.dies)(leader)

    # Processes of the cluster ----------------------------------------------------------------------------------------

    @happens(weight=6, when=lambda self: self.world.doorbells, again=st.booleans(), pick=PICK, dies=DIES)
    def a_doorbell_is_answered(self, again: bool, pick: int, dies: int) -> None:
        """`again`: it stays in the queue, to be answered a second time."""
        self.world.answer(pick, keep=again, dies=dies)

    @happens(weight=4, when=_has("living"), pick=PICK, dies=DIES)
    def a_process_works(self, pick: int, dies: int) -> None:
        self._process(pick).works(dies)

    @happens(weight=4, when=_has("living"), pick=PICK, dies=DIES)
    def a_process_ends(self, pick: int, dies: int) -> None:
        self._process(pick).ends(dies=dies)

    @happens(weight=1, when=_has("living"), pick=PICK)
    def a_process_is_killed(self, pick: int) -> None:
        self._process(pick).dies()

    @happens(weight=1, when=_has("living"), pick=PICK)
    def a_process_loses_its_session(self, pick: int) -> None:
        self._process(pick).is_cut_off()

    @happens(weight=1, when=_has("living"), pick=PICK)
    def a_process_renews(self, pick: int) -> None:
        self._process(pick).renews()

    @happens(weight=1, when=_has("living"), pick=PICK)
    def a_cluster_leaves(self, pick: int) -> None:
        self._process(pick).is_asked_to_leave()

    # Workers ---------------------------------------------------------------------------------------------------------

    @happens(weight=6, pick=PICK, fate=FATES, dies=DIES)
    def a_worker_calls(self, pick: int, fate: str, dies: int) -> None:
        self._agent(pick).call(fate, dies)
        self.world.forget_refused()

    @happens(weight=3, pick=PICK)
    def a_worker_is_heard_twice(self, pick: int) -> None:
        """The hand-shake in one event, or two heartbeats."""
        for _ in range(2):
            self._agent(pick).call()
        self.world.forget_refused()

    @happens(weight=2, when=_has("zombies"), dies=DIES)
    def a_zombie_calls(self, dies: int) -> None:
        """First it is asked for the session it holds: it echoes it as one that counts."""
        zombie = self.world.zombies[0]
        zombie.call(dies=dies)
        zombie.call()
        self.world.forget_refused()

    @happens(weight=1, when=_has("tasks"), pick=PICK)
    def a_start_that_died_at_once_calls(self, pick: int) -> None:
        """Its first call arrives long after its death: nothing may come of it."""
        agent, _ = self._task(pick)
        self.world.begins(Agent(agent.name)).call("answer lost")

    @happens(weight=2, when=lambda self: any(one.late for one in self.world.everybody))
    def an_old_call_arrives(self) -> None:
        next(one for one in self.world.everybody if one.late).old_call_arrives()
        self.world.forget_refused()

    @happens(weight=3, when=_has("tasks"), pick=PICK, saves=st.booleans(), dies=DIES)
    def a_worker_gets_further(self, pick: int, saves: bool, dies: int) -> None:
        agent, task = self._task(pick)
        if task.state == "running":
            task.unit += 1
            if saves:
                agent.saves(task, dies)

    @happens(weight=4, when=_has("tasks"), pick=PICK, uploads=st.booleans(), told=st.booleans(), dies=DIES)
    def a_worker_finishes(self, pick: int, uploads: bool, told: bool, dies: int) -> None:
        agent, task = self._task(pick)
        task.state = "completed"
        if uploads:
            agent.uploads(task, dies)
        if told:
            agent.call()
        self.world.forget_refused()

    @happens(
        weight=1,
        when=_has("tasks"),
        pick=PICK,
        error=ERRORS,
    )
    def a_child_of_a_worker_dies(self, pick: int, error: Reason) -> None:
        _, task = self._task(pick)
        if task.state == "running":
            task.state, task.error = "failed", error
            self.world.ledger.broken |= {task.id} if error == Reason.ERROR else set()

    @happens(weight=1, pick=PICK, zombie=MOSTLY)
    def a_worker_starts_again(self, pick: int, zombie: bool) -> None:
        """`zombie`: the start before it only seemed dead, and calls again some day."""
        self.world.restart(self._agent(pick), zombie=zombie)

    # Operators, and time ---------------------------------------------------------------------------------------------

    @happens(weight=1, when=lambda self: len(self.world.known) < 3, designed=st.booleans(), dies=DIES)
    def somebody_starts_a_research(self, designed: bool, dies: int) -> None:
        with suppress(Died), dying(dies):
            self.world.research(designed=designed)

    @happens(weight=1, pick=PICK, dies=DIES)
    def somebody_cancels(self, pick: int, dies: int) -> None:
        research = self.world.known[pick % len(self.world.known)]
        try:
            with dying(dies):
                researches.cancel(research, user="ada")
        except (Refused, Died):
            return
        self.world.ledger.cancelled.add(research)

    @happens(weight=3, when=lambda self: Research.objects.filter(state__in=RESUMABLE).exists(), dies=DIES)
    def somebody_resumes(self, dies: int) -> None:
        research = Research.objects.filter(state__in=RESUMABLE).earliest("id")
        try:
            with dying(dies):
                researches.resume(research.pk, user="ada")
        except Died:
            return
        self.world.ledger.cancelled.discard(research.pk)

    @happens(weight=1, pick=PICK, dies=DIES)
    def somebody_drains_a_worker(self, pick: int, dies: int) -> None:
        name = self._agent(pick).name
        self.world.ledger.drained.add(name)
        with suppress(Died, Refused, NotFound), dying(dies):
            workers.drain(name, user="ada")

    @happens(
        weight=3,
        seconds=st.sampled_from([0.9, 3.0, 7.0, 40.0]),
        web=st.sampled_from([True, True, False]),
        deaf=st.integers(0, 7),
    )
    def time_passes(self, seconds: float, web: bool, deaf: int) -> None:
        """`deaf`, bit by bit: who was frozen or cut off meanwhile: leader, processes, workers."""
        self.world.pass_time(seconds, web=web, deaf=deaf)

    # After every event -----------------------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "world"):
            self.world.look()

    def teardown(self) -> None:
        """Faults stop. Everything ends for a named reason; resumed, it completes, each phase once."""
        if not hasattr(self, "world"):
            return
        try:
            if sys.exc_info()[0] is None:
                self.world.finish()
        finally:
            self.world.power_cut()


@pytest.mark.scenario(30)
def test_in_any_order_of_events_and_deaths_the_invariants_hold_and_every_research_completes_once() -> None:
    clock.wipe()
    run_state_machine_as_test(Orders, settings=PROFILE)  # type: ignore[no-untyped-call]
