"""One step at a time: fenced by the term, locked from before the decision, never the end of another research."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import transaction

from research.coordinator import apply
from research.coordinator.admission import admit
from research.coordinator.facts import gather
from research.coordinator.leader import Leader
from research.coordinator.tasks import resume_if_needed
from research.lifecycle.states import Kind, Reason, State, Status
from research.lifecycle.step import Orphan
from research.models import Event, Operation, Research
from research.services import locks, researches, terms
from research.services.change import change
from research.services.errors import StaleOperation
from tests.integration.coordinator.cast import NONE, covered, live, state, tick, tries
from tests.support import factories
from tests.support.caller import completed
from tests.support.sql import execute, shift
from tests.support.threads import aside, waits_for_a_lock
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def term() -> int:
    covered()
    return factories.term()


def rows() -> list[Any]:
    return [list(Operation.objects.order_by("id").values()), list(Research.objects.order_by("id").values())]


# 38: decided, then something else commits first ----------------------------------------------------------------------


@pytest.mark.scenario(38)
def test_a_coordinator_whose_term_was_taken_applies_nothing(term: int) -> None:
    row = factories.training_research()
    factories.pending_research()
    factories.term("the next")
    before = rows()
    with pytest.raises(terms.Deposed):
        apply.advance(row.pk, term, NONE)
    factories.worker("place")  # another free place, so that there is somebody to admit
    with pytest.raises(terms.Deposed):
        admit(term)
    assert rows() == before


@pytest.mark.scenario(38)
def test_a_coordinator_whose_term_ended_unnoticed_applies_nothing(term: int) -> None:
    row = factories.training_research()
    shift("term", -4, "lease_expires_at")
    before = rows()
    with pytest.raises(terms.Deposed):
        apply.advance(row.pk, term, NONE)
    assert rows() == before


@pytest.mark.scenario(38)
@pytest.mark.parametrize("what", ["cancel", "sync", "new leader"])
def test_nothing_comes_between_a_decision_and_its_apply(term: int, what: str) -> None:
    """Research, operation and term are locked from before the decision to the commit."""
    gpu = factories.worker()
    training = factories.training_on(gpu)
    result = factories.training_result(training)
    acts: dict[str, Callable[[], object]] = {
        "cancel": lambda: researches.cancel(training.research_id),
        "sync": lambda: gpu.sync(completed(training, result)),
        "new leader": lambda: factories.term("the next"),
    }
    with ExitStack() as stack:
        with transaction.atomic():
            terms.must_hold(term)
            row = locks.research_or_none(training.research_id)
            assert row is not None
            gather(row, lock=True)
            future = stack.enter_context(aside(acts[what]))
            wait_until(waits_for_a_lock, what="the other session waits for our locks")
            assert not future.done()
        future.result(20)


@pytest.mark.scenario(38)
def test_a_lease_that_was_renewed_after_the_decision_is_not_ended_by_it(term: int) -> None:
    """The runner renews without a lock of the research: the update itself must find the lease as it was judged."""
    lost = factories.claimed()
    with change() as record:
        facts = gather(lost.research, lock=False)
        step = facts.decide(NONE)
        assert isinstance(step, Orphan)
        with aside(lambda: shift("operation", 5, "lease_expires_at")) as renewed:
            renewed.result(20)
        with pytest.raises(StaleOperation):
            apply._apply(step, facts, record)
    factories.again(lost, Status.RUNNING)


@pytest.mark.scenario(38)
def test_a_research_that_somebody_holds_is_left_for_the_next_look(term: int) -> None:
    row = factories.training_research()
    with ExitStack() as stack, transaction.atomic():
        locks.research(row.pk)
        stack.enter_context(aside(lambda: apply.advance(row.pk, term, NONE))).result(20)
        assert tries(row) == []
    tick(term)
    assert tries(row) == [("training", "queued", "")]


def test_a_deadlock_is_no_error_of_the_research_and_the_step_is_taken_again(term: int) -> None:
    row = factories.training_research()
    operation = factories.training_on(factories.worker(), row)
    with ExitStack() as stack, transaction.atomic():
        execute("SELECT 1 FROM research_operation WHERE id = %(id)s FOR UPDATE", id=operation.pk)
        future = stack.enter_context(aside(lambda: apply.advance(row.pk, term, NONE)))
        wait_until(waits_for_a_lock, what="the coordinator waits for the operation")
        execute("SELECT 1 FROM research_research WHERE id = %(id)s FOR UPDATE", id=row.pk)  # and we for the research
        future.result(20)
    assert state(row) == State.TRAINING
    apply.advance(row.pk, term, NONE)
    factories.again(operation, Status.RUNNING)


# 24: one fails, the others go on -------------------------------------------------------------------------------------


@pytest.mark.scenario(24)
def test_an_error_in_one_research_fails_that_one_with_its_trace_and_the_others_go_on(term: int) -> None:
    bad, good = factories.training_research(), factories.training_research()
    gpu, cpu = factories.worker("gpu"), factories.worker("cpu")
    broken = factories.training_on(gpu, bad)
    incomplete = factories.training_result(broken)
    del incomplete["base_rate"]  # accepted by its form, but the gate cannot be decided
    gpu.sync(completed(broken, incomplete))
    whole = factories.training_on(cpu, good)
    cpu.sync(completed(whole, factories.training_result(whole)))
    tick(term)
    assert (state(bad), bad.reason) == (State.FAILED, Reason.ERROR)
    assert "KeyError: 'base_rate'" in bad.message
    [event] = Event.objects.filter(code="research.failed")
    assert "Traceback" in event.data["traceback"]
    assert state(good) == State.BACKTESTING
    factories.again(broken, Status.COMPLETED)


@pytest.mark.scenario(24)
def test_a_gate_that_does_not_pass_ends_nothing(term: int) -> None:
    row, gpu = factories.training_research(), factories.worker()
    training = factories.training_on(gpu, row)
    gpu.sync(completed(training, factories.training_result(training, diverged=1)))
    tick(term)
    assert state(row) == State.BACKTESTING
    assert row.gates["training"]["passed"] is False
    assert Event.objects.filter(code="gate.failed").count() == 1


def test_weights_that_are_not_finite_skip_the_backtest(term: int) -> None:
    row, gpu = factories.training_research(), factories.worker()
    training = factories.training_on(gpu, row)
    gpu.sync(completed(training, factories.training_result(training, finite=False)))
    tick(term)
    assert state(row) == State.ASSESSING
    assert live(row).kind == Kind.ASSESSMENT


@pytest.mark.parametrize("build", [factories.cancelled_research, factories.failed_research])
def test_an_error_found_in_a_research_that_ended_meanwhile_changes_nothing(
    term: int, build: Callable[[], Research]
) -> None:
    build()
    before, events = rows(), Event.objects.count()
    apply._fail(Research.objects.get().pk, term, "Traceback: KeyError")
    assert (rows(), Event.objects.count()) == (before, events)


def test_an_error_of_the_work_fails_the_research_and_is_not_tried_again(term: int) -> None:
    design = factories.claimed()
    factories.lost(design, Reason.INVALID_INPUT)
    for _ in range(2):
        tick(term)
    assert (state(design.research), design.research.reason) == (State.FAILED, Reason.INVALID_INPUT)
    assert tries(design.research) == [("design", "failed", "invalid_input")]


# 8: who is called ----------------------------------------------------------------------------------------------------


@pytest.mark.scenario(8)
def test_a_coordinator_is_called_when_there_is_work_and_nobody_leads() -> None:
    from django_q.models import OrmQ

    assert resume_if_needed() is False, "nothing to do"
    factories.completed_research()
    factories.failed_research()
    assert resume_if_needed() is False, "only finished ones"
    factories.training_research()
    assert resume_if_needed() is True
    assert OrmQ.objects.count() == 1
    with Leader(uuid4(), "leads"):
        assert resume_if_needed() is False, "somebody leads"
    assert OrmQ.objects.count() == 1


@pytest.mark.scenario(8)
def test_a_leader_that_died_is_missed_at_once_though_its_lease_runs_on() -> None:
    factories.training_research()
    leader = Leader(uuid4(), "dies").__enter__()
    leader.session.close()  # what the operating system does for a dead process
    assert terms.present() is not None
    assert resume_if_needed() is True


def test_a_doorbell_and_its_operation_are_one_transaction(term: int) -> None:
    from django_q.models import OrmQ

    row = factories.designing_research()
    tick(term)
    assert OrmQ.objects.count() == 1
    assert live(row).rung_at is not None
    OrmQ.objects.all().delete()
    tick(term)
    assert OrmQ.objects.count() == 0, "it is not rung again within 2 s"
    shift("operation", -3, "rung_at")
    tick(term)
    tick(term)
    assert OrmQ.objects.count() == 1
    shift("operation", -3, "rung_at")
    tick(term)
    assert OrmQ.objects.count() == 1, "a doorbell that waits is enough: busy is not wedged"
