"""Cancel and resume: cancel wins over everything that arrives after it; of several resumes one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research.lifecycle.states import ACTIVE, ENDED, Reason, State, Status
from research.models import Event, Operation, Research
from research.services import locks, operations, researches
from research.services.change import change
from research.services.errors import Refused, StaleOperation
from tests.support import factories
from tests.support.caller import completed
from tests.support.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(22)
@pytest.mark.parametrize("build", [factories.failed_research, factories.cancelled_research])
def test_of_5_concurrent_resumes_exactly_one_wins(build: Callable[[], Research]) -> None:
    """Scenario 22."""
    row = build()
    results = at_once(*(lambda n=n: researches.resume(row.pk, user=f"user{n}") for n in range(5)))
    won = [one for one in results if isinstance(one, Research)]
    told = [str(one) for one in results if isinstance(one, Refused)]
    assert (len(won), len(told)) == (1, 4)
    assert all("perhaps somebody was faster" in text for text in told)
    assert Event.objects.filter(code="research.resumed").count() == 1
    assert Event.objects.get(code="research.resumed").user.startswith("user")
    row.refresh_from_db()
    assert (row.state, row.reason, row.ended_at) == (State.PENDING, "", None)


def test_of_5_concurrent_cancels_exactly_one_wins() -> None:
    training = factories.training_on(factories.worker())
    results = at_once(*(lambda: researches.cancel(training.research_id) for _ in range(5)))
    assert sum(isinstance(one, Research) for one in results) == 1
    assert sum(isinstance(one, Refused) for one in results) == 4
    assert Event.objects.filter(code="operation.cancelled").count() == 1


@pytest.mark.parametrize("state", [State.PENDING, State.COMPLETED, *ACTIVE])
def test_what_did_not_fail_cannot_be_resumed(state: State) -> None:
    build = {State.PENDING: factories.pending_research, State.COMPLETED: factories.completed_research}
    row = build[state]() if state in build else factories.research_in(state)
    events = Event.objects.count()
    with pytest.raises(Refused, match=f"is {state}"):
        researches.resume(row.pk)
    assert Event.objects.count() == events


@pytest.mark.parametrize("state", ENDED)
def test_what_is_over_cannot_be_cancelled(state: State) -> None:
    build = {State.COMPLETED: factories.completed_research, State.FAILED: factories.failed_research,
             State.CANCELLED: factories.cancelled_research}  # fmt: skip
    row = build[state]()
    with pytest.raises(Refused, match="nothing to cancel"):
        researches.cancel(row.pk)


def test_a_cancel_tells_intent_and_effect_as_two_events() -> None:
    training = factories.training_on(factories.worker())
    researches.cancel(training.research_id, user="ada")
    codes = list(Event.objects.filter(research_id=training.research_id).order_by("seq").values_list("code", flat=True))
    assert codes[-3:] == ["operator.cancel", "operation.cancelled", "research.cancelled"]


# 21 and 37: a cancel and a result, in both orders --------------------------------------------------------------------


def test_a_result_after_a_cancel_is_refused() -> None:
    design = factories.claimed()
    researches.cancel(design.research_id)
    with pytest.raises(StaleOperation), change() as record:
        operations.complete(record, design, result={"spec": {}})
    assert factories.again(design, Status.CANCELLED).result is None


def test_a_cancel_after_a_result_leaves_the_result_and_a_resume_goes_on_after_it() -> None:
    gpu = factories.worker()
    training = factories.training_on(gpu)
    gpu.sync(completed(training, factories.training_result(training)))
    row = researches.cancel(training.research_id)
    assert row.state == State.CANCELLED
    factories.again(training, Status.COMPLETED)
    researches.resume(row.pk)
    assert Operation.objects.filter(research=row).count() == 1


def test_a_cancel_and_a_result_at_the_same_moment_leave_one_truth() -> None:
    for turn in range(12):
        gpu = factories.worker(f"w{turn}")
        training = factories.training_on(gpu)
        call = completed(training, factories.training_result(training))
        cancelled, answered = at_once(
            lambda pk=training.research_id: researches.cancel(pk), lambda gpu=gpu, call=call: gpu.sync(call)
        )
        assert isinstance(cancelled, Research), cancelled
        assert not isinstance(answered, Exception), answered
        training.refresh_from_db()
        verdict = answered.operations[0].verdict  # type: ignore[union-attr]
        assert (training.status, verdict) in {(Status.COMPLETED, "acknowledged"), (Status.CANCELLED, "stop")}
        assert Research.objects.get(pk=training.research_id).state == State.CANCELLED


# Claims --------------------------------------------------------------------------------------------------------------


def claim(operation: Operation, pid: int) -> int:
    with change() as record:
        locks.operations([operation.pk])
        operations.claim_in_process(
            record, operation, cluster=factories.CLUSTER, pid=pid, runner=f"pid {pid}", lease=5, deadline=60
        )
    return pid


def test_of_several_processes_that_claim_one_operation_one_has_it() -> None:
    queued = factories.queued(factories.designing_research())
    results = at_once(*(lambda pid=pid: claim(queued, pid) for pid in range(1, 7)))
    won = [one for one in results if isinstance(one, int)]
    assert len(won) == 1
    assert sum(isinstance(one, StaleOperation) for one in results) == 5
    assert factories.again(queued, Status.RUNNING).runner_pid == won[0]
    assert Event.objects.filter(code="operation.started").count() == 1


def test_a_claim_and_a_cancel_at_once_never_leave_a_running_operation() -> None:
    for _ in range(8):
        queued = factories.queued(factories.designing_research())
        claimed, cancelled = at_once(lambda q=queued: claim(q, 5), lambda pk=queued.research_id: researches.cancel(pk))
        assert isinstance(cancelled, Research), cancelled
        assert isinstance(claimed, int | StaleOperation), claimed
        assert factories.again(queued, Status.CANCELLED).reason == Reason.CANCELLED


def test_only_the_process_that_has_it_may_end_it() -> None:
    design = factories.claimed()
    with pytest.raises(StaleOperation), change() as record:
        operations.complete(record, design, result={}, cluster=factories.CLUSTER, runner_pid=factories.PID + 1)
    factories.again(design, Status.RUNNING)
