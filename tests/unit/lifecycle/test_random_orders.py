"""The state machine under random orders of events, with crashes between any two writes (scenario 30)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from research.lifecycle.states import (
    ACTIVE,
    ENDED,
    FINISHED,
    LIVE,
    PHASE_OF,
    RESTARTING,
    RESUMABLE,
    Kind,
    Reason,
    State,
    Status,
)
from research.lifecycle.step import INTERRUPTED_CAP, Nothing, Start
from tests.unit.lifecycle.world import MAX_ORPHANS, Refused, Row, Runner, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.lifecycle.step import Step

PATIENCE = 200  # fair rounds in which a research must end once faults stop


def _somebody_runs(machine: RandomOrders) -> bool:
    return any(one.heard for one in machine.world.runners)


def _is_live(*status: Status) -> Callable[[RandomOrders], bool]:
    return lambda machine: machine.world.live is not None and machine.world.live.status in status


PICK = st.integers(0, 3)


@pytest.mark.scenario(30)
class RandomOrders(RuleBasedStateMachine):
    """Every rule is one event. `stale` is a decision made earlier by a coordinator that was then stopped."""

    @initialize(given=st.booleans())
    def begin(self, given: bool) -> None:
        self.world = World(strategy=given)
        self.seen: dict[int, Row] = {}
        self.stale: Step | None = None
        self.cancelled_at = 0

    def _runner(self, pick: int) -> Runner:
        living = [one for one in self.world.runners if one.heard]
        return living[pick % len(living)]

    @rule(taker=st.booleans())
    def the_coordinator_takes_a_step(self, taker: bool) -> None:
        self.world.admit()
        before = self.world.decide(self.world.look(taker=taker))
        assert before == self.world.decide(self.world.look(taker=taker)), "the same rows, the same step"
        self.world.apply(before)

    @rule()
    def it_decides_and_dies_before_it_applies(self) -> None:
        self.stale = self.world.decide()

    @precondition(lambda self: getattr(self, "stale", None) is not None)
    @rule()
    def a_thawed_one_applies_what_it_decided_long_ago(self) -> None:
        """Its term is over, so the transaction that locks, reads and decides is what it must take anew."""
        stale, self.stale = self.stale, None
        if stale == self.world.decide():
            self.world.apply(stale)

    @precondition(_is_live(Status.QUEUED))
    @rule(heard=st.sampled_from([True, True, True, False]), wait=st.booleans())
    def a_runner_claims(self, heard: bool, wait: bool) -> None:
        self.world.clock += 70 * wait
        with suppress(Refused):
            self.world.claim(heard=heard)

    @precondition(_somebody_runs)
    @rule(pick=PICK)
    def it_reports(self, pick: int) -> None:
        with suppress(Refused):
            self.world.report(self._runner(pick))

    @precondition(_somebody_runs)
    @rule(pick=PICK)
    def it_saves(self, pick: int) -> None:
        with suppress(Refused):
            self.world.save(self._runner(pick))

    @precondition(_somebody_runs)
    @rule(pick=PICK)
    def it_completes(self, pick: int) -> None:
        with suppress(Refused):
            self.world.end(self._runner(pick), Status.COMPLETED)

    @precondition(_somebody_runs)
    @rule(pick=PICK, reason=st.sampled_from([*RESTARTING, *RESTARTING, Reason.ERROR]))
    def it_fails(self, pick: int, reason: Reason) -> None:
        with suppress(Refused):
            self.world.end(self._runner(pick), Status.FAILED, reason)

    @precondition(_somebody_runs)
    @rule(pick=PICK)
    def it_is_killed(self, pick: int) -> None:
        with suppress(Refused):
            self.world.runners.remove(self._runner(pick))

    @precondition(_somebody_runs)
    @rule(pick=PICK)
    def it_freezes(self, pick: int) -> None:
        with suppress(Refused):
            self._runner(pick).heard = False

    @precondition(lambda self: not all(one.heard for one in self.world.runners))
    @rule()
    def all_frozen_wake(self) -> None:
        for runner in self.world.runners:
            runner.heard = True

    @precondition(_is_live(Status.RUNNING))
    @rule()
    def a_deadline_passes(self) -> None:
        assert self.world.live is not None
        self.world.change(self.world.live.id, overdue=True)

    @precondition(lambda self: bool(self.world.checkpoints))
    @rule()
    def the_newest_checkpoint_is_found_damaged(self) -> None:
        newest = self.world.usable(PHASE_OF.get(self.world.state, Kind.DESIGN))
        if newest is not None:
            newest.usable = False

    @precondition(_is_live(Status.QUEUED))
    @rule()
    def a_doorbell_is_lost(self) -> None:
        assert self.world.live is not None
        self.world.change(self.world.live.id, rung=False)

    @rule(seconds=st.sampled_from([0.5, 5.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock += seconds

    @rule(really=st.integers(0, 9))
    def somebody_cancels(self, really: int) -> None:
        with suppress(Refused):
            if really == 0:
                self.world.cancel()

    @precondition(lambda self: self.world.state in RESUMABLE)
    @rule()
    def somebody_resumes(self) -> None:
        self.world.resume()

    # Section 2 of recovery.md, after every event ---------------------------------------------------------------------

    @invariant()
    def one_live_operation_of_the_present_phase(self) -> None:
        live = [row for row in self.world.rows.values() if row.status in LIVE]
        assert len(live) <= 1
        assert all(PHASE_OF.get(self.world.state) == row.kind for row in live)
        assert self.world.state in ACTIVE or not live

    @invariant()
    def no_phase_counts_twice(self) -> None:
        done = [row.kind for row in self.world.rows.values() if row.status == Status.COMPLETED]
        assert len(done) == len(set(done))
        assert all(times == 1 for times in self.world.effects.values())

    @invariant()
    def what_is_finished_never_changes(self) -> None:
        for pk, row in self.seen.items():
            assert self.world.rows[pk] == row
        self.seen |= {row.id: row for row in self.world.rows.values() if row.status in FINISHED}

    @invariant()
    def each_try_goes_on_from_the_one_before(self) -> None:
        newest: dict[Kind, Row] = {}
        for row in self.world.rows.values():
            before = newest.get(row.kind)
            assert row.continues == (before.id if before else None)
            assert before is None or before.status in (Status.FAILED, Status.CANCELLED)
            assert row.attempt == 1 or (before is not None and row.attempt == before.attempt + 1)
            newest[row.kind] = row

    @invariant()
    def nobody_runs_what_was_never_claimed(self) -> None:
        assert all(self.world.rows[one.operation].status != Status.QUEUED for one in self.world.runners)

    @invariant()
    def a_queued_operation_is_never_an_orphan(self) -> None:
        assert all(row.claimed for row in self.world.rows.values() if row.status == Status.FAILED)

    @invariant()
    def losses_stay_within_their_limits(self) -> None:
        """Without new damage to checkpoints no start comes after the limit; so none is live beyond it."""
        live = self.world.live
        if live is None or live.status != Status.QUEUED or not all(one.usable for one in self.world.checkpoints):
            return
        lost = handed = 0
        for row in self.world.rows.values():
            if row.kind != live.kind or not self.world.counted_from < row.id < live.id:
                continue
            if any(one.operation == row.id and one.unit > row.resumed_from_unit for one in self.world.checkpoints):
                lost = handed = 0
            else:
                lost += row.reported and row.reason != Reason.INTERRUPTED
                handed += row.reason == Reason.INTERRUPTED
        assert lost < MAX_ORPHANS
        assert handed < INTERRUPTED_CAP

    @invariant()
    def an_error_is_never_tried_again_by_itself(self) -> None:
        for row in self.world.rows.values():
            before = self.world.rows.get(row.continues or 0)
            if before is not None and before.reason not in RESTARTING:
                assert row.attempt == 1, "only an operator's resume goes on after an error or a cancel"

    @invariant()
    def an_end_says_why(self) -> None:
        assert self.world.state not in RESUMABLE or self.world.reason
        assert all(row.reason for row in self.world.rows.values() if row.status == Status.FAILED)

    def teardown(self) -> None:
        """Faults stop: the research ends; resumed it completes, each phase once."""
        if not hasattr(self, "world"):
            return
        self._until_ended()
        if self.world.state in RESUMABLE:
            self.world.resume()
            self._until_ended()
        assert self.world.state == State.COMPLETED, (self.world.state, self.world.reason)
        assert self.world.effects.get(Kind.ASSESSMENT) == 1

    def _until_ended(self) -> None:
        for _ in range(PATIENCE):
            if self.world.state in ENDED:
                return
            self.world.admit()
            self.world.apply(self.world.decide())
            self.world.clock += 70
            live = self.world.live
            if live is not None and live.status == Status.QUEUED:
                self.world.change(live.id, rung=True)  # two seconds have passed: it is rung again
            with suppress(Refused):
                self.world.claim()
            for runner in list(self.world.runners):
                with suppress(Refused):
                    if runner.heard:
                        self.world.end(runner, Status.COMPLETED)
        raise AssertionError(f"The research never ended: {self.world.state}, {self.world.decide()}")


PROFILE = settings(
    max_examples=100, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.scenario(30)
def test_in_any_order_of_events_the_invariants_hold_and_the_research_ends() -> None:
    run_state_machine_as_test(RandomOrders, settings=PROFILE)  # type: ignore[no-untyped-call]


def test_the_model_reaches_a_give_up_and_goes_on_after_a_resume() -> None:
    """The model is no straw man: in it a phase can be lost until it is given up."""
    world = World()
    world.admit()
    for _ in range(MAX_ORPHANS):
        world.apply(world.decide())  # start
        world.clock += 70
        if world.decide() != Nothing():
            world.apply(world.decide())  # ring after the back-off
        world.claim(heard=False)
        world.apply(world.decide())  # orphaned
    world.apply(world.decide())
    assert (world.state, world.reason) == (State.FAILED, Reason.GAVE_UP)
    world.resume()
    world.admit()
    assert world.decide() == Start(Kind.DESIGN, 1, continues=MAX_ORPHANS)
