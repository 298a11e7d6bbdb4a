"""What a research needs next, example by example."""

from __future__ import annotations

from datetime import timedelta

import pytest

from research.lifecycle.states import ENDED, IN_PROCESS, PHASE_OF, Kind, Reason, State, Status
from research.lifecycle.step import (
    RING_AGAIN,
    Absorb,
    Fail,
    Look,
    Nothing,
    Orphan,
    Restore,
    Ring,
    Start,
    Step,
    TimeOut,
    Try,
)
from tests.unit.lifecycle.cast import EVIDENCE, NOW, ago, decide, lost, one

RUNNING, QUEUED, COMPLETED, FAILED, CANCELLED = (
    Status.RUNNING, Status.QUEUED, Status.COMPLETED, Status.FAILED, Status.CANCELLED,
)  # fmt: skip
GONE, LATE = Look(lost=EVIDENCE), Look(overdue={"late_s": 3.0})


@pytest.mark.parametrize("state", [State.PENDING, *ENDED])
@pytest.mark.parametrize("look", [Look(), GONE, LATE])
def test_a_research_that_is_not_active_needs_nothing(state: State, look: Look) -> None:
    for tries in ([], [one(Kind.TRAINING, RUNNING)], lost(Reason.ORPHANED)):
        assert decide(state, tries, look=look) == Nothing()


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_a_phase_without_a_try_is_started(state: State, kind: Kind) -> None:
    assert decide(state) == Start(kind, attempt=1)


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_results_of_other_phases_do_not_count_for_this_one(state: State, kind: Kind) -> None:
    others = [one(other, COMPLETED, pk) for pk, other in enumerate(Kind, 1) if other != kind]
    assert decide(state, others) == Start(kind, attempt=1)


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_a_completed_phase_is_absorbed_however_often_it_was_lost_before(state: State, kind: Kind) -> None:
    tries = [*lost(*[Reason.ORPHANED] * 7, kind=kind), one(kind, COMPLETED, 8)]
    assert decide(state, tries) == Absorb(8)
    assert decide(state, tries, counted_from=8) == Absorb(8), "after a resume, too: no phase counts twice"


# A live operation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_a_running_operation_whose_runner_may_live_is_left_alone(state: State, kind: Kind) -> None:
    assert decide(state, [one(kind, RUNNING)]) == Nothing()


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_a_lost_runner_makes_an_orphan_and_nothing_else_happens(state: State, kind: Kind) -> None:
    tries = [*lost(*[Reason.ORPHANED] * 9, kind=kind), one(kind, RUNNING, 10)]
    assert decide(state, tries, look=Look(lost=EVIDENCE, overdue={"late_s": 1.0})) == Orphan(10, EVIDENCE)


def test_a_deadline_that_passed_times_out() -> None:
    assert decide(State.DESIGNING, [one(Kind.DESIGN, RUNNING, 4)], look=LATE) == TimeOut(4, {"late_s": 3.0})


@pytest.mark.parametrize(("state", "kind"), PHASE_OF.items())
def test_a_queued_operation_is_never_an_orphan(state: State, kind: Kind) -> None:
    step = decide(state, [one(kind, QUEUED, rung_at=ago(0))], look=Look(lost=EVIDENCE, overdue={"late_s": 1.0}))
    assert isinstance(step, Nothing)


@pytest.mark.parametrize("kind", [Kind.TRAINING, Kind.BACKTEST])
def test_a_queued_operation_of_a_worker_waits_for_one_and_is_not_rung(kind: Kind) -> None:
    state = next(state for state, phase in PHASE_OF.items() if phase == kind)
    assert decide(state, [one(kind, QUEUED, rung_at=ago(3600))]) == Nothing()


@pytest.mark.parametrize(
    ("fields", "look", "step"),
    [
        ({}, Look(), Ring(1)),
        ({"rung_at": ago(1.9)}, Look(), Nothing(until=ago(1.9) + RING_AGAIN)),
        ({"rung_at": ago(2)}, Look(), Ring(1)),
        ({"rung_at": ago(60)}, Look(doorbell_waits=True), Nothing()),
        ({"not_before": ago(-3)}, Look(), Nothing(until=ago(-3))),
        ({"not_before": ago(-3), "rung_at": ago(60)}, Look(), Nothing(until=ago(-3))),
        ({"not_before": ago(0)}, Look(), Ring(1)),
    ],
    ids=["never rung", "rung just now", "not answered in 2 s", "the doorbell still waits: busy is not wedged",
         "its back-off still runs", "its back-off runs although it was rung", "its back-off is over"],
)  # fmt: skip
@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_queued_phase_is_rung_again(kind: Kind, fields: dict[str, object], look: Look, step: Step) -> None:
    state = next(state for state, phase in PHASE_OF.items() if phase == kind)
    assert decide(state, [one(kind, QUEUED, **fields)], look=look) == step


# After a try that ended ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.ORPHANED, Reason.TIMED_OUT, Reason.CRASHED, Reason.INTERRUPTED])
@pytest.mark.parametrize("restore", [None, Restore(checkpoint=3, unit=40)])
def test_a_lost_phase_goes_on_from_its_checkpoint_at_once(reason: Reason, restore: Restore | None) -> None:
    step = decide(State.TRAINING, lost(reason, first=6), restore=restore)
    assert step == Start(Kind.TRAINING, attempt=2, continues=6, restore=restore, delay=0.0)


@pytest.mark.parametrize("reason", [Reason.ERROR, Reason.INVALID_INPUT])
def test_what_would_fail_again_fails_the_research(reason: Reason) -> None:
    assert decide(State.TRAINING, lost(reason)) == Fail(reason, "Lost for the 1. time.")


def test_a_failure_without_a_reason_still_ends() -> None:
    assert decide(State.TRAINING, [one(Kind.TRAINING, FAILED, message="?")]) == Fail(Reason.ERROR, "?")


@pytest.mark.parametrize(("times", "delay"), [(1, 0), (2, 1), (3, 2), (4, 4)])
def test_losses_in_a_row_wait_longer_and_longer(times: int, delay: float) -> None:
    step = decide(State.TRAINING, lost(*[Reason.ORPHANED] * times))
    assert step == Start(Kind.TRAINING, times + 1, times, delay=delay)


def test_a_hand_over_never_waits() -> None:
    step = decide(State.TRAINING, lost(Reason.ORPHANED, Reason.ORPHANED, Reason.ORPHANED, Reason.INTERRUPTED))
    assert isinstance(step, Start)
    assert step.delay == 0


@pytest.mark.parametrize("reason", [Reason.ORPHANED, Reason.TIMED_OUT, Reason.CRASHED])
def test_five_losses_in_a_row_are_given_up_with_words_to_act_on(reason: Reason) -> None:
    assert isinstance(decide(State.TRAINING, lost(*[reason] * 4)), Start)
    step = decide(State.TRAINING, lost(*[reason] * 5))
    assert isinstance(step, Fail)
    assert step.reason == Reason.GAVE_UP
    assert "training was lost 5 times in a row without a new checkpoint" in step.message
    assert "Lost for the 5. time." in step.message
    assert "press resume" in step.message


def test_twenty_hand_overs_in_a_row_without_progress_are_given_up() -> None:
    assert isinstance(decide(State.TRAINING, lost(*[Reason.INTERRUPTED] * 19)), Start)
    step = decide(State.TRAINING, lost(*[Reason.INTERRUPTED] * 20))
    assert isinstance(step, Fail)
    assert "handed over 20 times" in step.message


def test_a_new_checkpoint_resets_the_count() -> None:
    tries = lost(*[Reason.ORPHANED] * 4, "orphaned+", *[Reason.ORPHANED] * 4)
    assert decide(State.TRAINING, tries) == Start(Kind.TRAINING, 10, 9, delay=4.0)


def test_an_assignment_that_was_never_reported_does_not_count() -> None:
    tries = lost(*[Reason.ORPHANED] * 12, reported=False)
    assert decide(State.TRAINING, tries) == Start(Kind.TRAINING, 13, 12, delay=0.0)


def test_losses_of_another_phase_do_not_count() -> None:
    tries = [*lost(*[Reason.ORPHANED] * 4, kind=Kind.DESIGN), one(Kind.DESIGN, COMPLETED, 5),
             *lost(Reason.ORPHANED, first=6)]  # fmt: skip
    assert decide(State.TRAINING, tries) == Start(Kind.TRAINING, 2, 6)


# After a resume ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tries", [lost(*[Reason.ORPHANED] * 5), lost(Reason.ERROR), [one(Kind.TRAINING, CANCELLED, reason="cancelled")]]
)
def test_a_resume_goes_on_from_the_checkpoint_with_the_count_anew(tries: list[Try]) -> None:
    last, restore = tries[-1].id, Restore(3, 40)
    step = decide(State.TRAINING, tries, restore=restore, counted_from=last)
    assert step == Start(Kind.TRAINING, attempt=1, continues=last, restore=restore)


def test_losses_before_a_resume_do_not_count_towards_the_limit_after_it() -> None:
    tries = lost(*[Reason.ORPHANED] * 9)
    assert isinstance(decide(State.TRAINING, tries, counted_from=5), Start)
    assert isinstance(decide(State.TRAINING, tries, counted_from=4), Fail)


def test_the_same_rows_give_the_same_step_cold_or_warm() -> None:
    tries = lost(Reason.ORPHANED, Reason.CRASHED)
    later = NOW + timedelta(days=3)
    assert decide(State.TRAINING, tries) == decide(State.TRAINING, list(tries), now=later)
