"""Who counts as a worker: the hand-shake, older starts of a name, calls that are doubled, late or lost."""

from __future__ import annotations

import pytest

from research.lifecycle.states import Reason, Status
from research.models import Event, Operation, Worker, WorkerSession
from research.services import sync
from tests.support import factories
from tests.support.caller import Caller, completed, running
from tests.support.sql import shift
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(35)
def test_a_first_call_gets_a_session_and_nothing_else() -> None:
    factories.queued(factories.training_research())
    caller = Caller("gpu")
    outcome = caller.send(running(1))
    assert outcome.answer is not None
    assert outcome.answer.session == WorkerSession.objects.get().pk
    assert (outcome.answer.operations, outcome.answer.assignment, outcome.idle) == ([], None, False)
    assert caller.row().session is None, "it counts from the call that echoes the session"


def test_the_call_that_echoes_the_session_counts() -> None:
    caller = Caller("gpu").connect()
    [event] = Event.objects.filter(code="worker.connected")
    assert event.worker == "gpu"
    assert caller.row().idle


@pytest.mark.scenario(35)
def test_a_late_first_call_of_a_dead_start_concludes_nothing() -> None:
    """Scenario 35."""
    gpu = factories.worker()
    training = factories.training_on(gpu)
    dead = Caller("gpu")
    assert dead.send().answer is not None
    factories.again(training, Status.RUNNING)
    assert gpu.row().incarnation == gpu.incarnation
    assert gpu.sync(running(training)).operations[0].verdict == "continue"


def test_a_new_start_that_does_not_have_the_operation_orphans_it_at_once() -> None:
    training = factories.training_on(factories.worker())
    Caller("gpu").connect()
    lost = factories.again(training, Status.FAILED)
    assert lost.reason == Reason.ORPHANED
    assert "worker gpu came back as a new process that does not have it" in lost.message
    [event] = Event.objects.filter(code="operation.orphaned")
    assert (event.level, event.data["signal"]) == ("warning", "incarnation")


def test_a_new_start_that_reports_the_spooled_result_completes_it() -> None:
    training = factories.training_on(factories.worker())
    later = Caller("gpu")
    later.sync()
    result = factories.training_result(training)
    assert later.sync(completed(training, result)).operations[0].verdict == "acknowledged"
    factories.again(training, Status.COMPLETED)


def test_a_new_start_may_not_go_on_running_it() -> None:
    """An operation has one runner: only its own incarnation reports progress."""
    training = factories.training_on(factories.worker())
    later = Caller("gpu")
    later.sync()
    [answer] = later.sync(running(training, 50)).operations
    assert (answer.verdict, answer.reason) == ("stop", "superseded")
    assert Operation.objects.get(pk=training.pk).unit == 0


@pytest.mark.scenario(35)
def test_older_starts_of_a_name_are_refused_for_ever() -> None:
    old = factories.worker()
    new = Caller("gpu").connect()
    for _ in range(2):
        outcome = old.send()
        assert outcome.answer is None
        assert outcome.refused.startswith("another worker took the name gpu")
    assert Event.objects.filter(code="worker.refused", level="warning", worker="gpu").exists()
    assert new.sync() is not None


def test_a_start_that_was_offered_a_session_earlier_is_refused_once_a_newer_one_counts() -> None:
    slow = Caller("gpu")
    slow.sync()
    Caller("gpu").connect()
    assert slow.send().refused


@pytest.mark.scenario(35)
def test_a_newcomer_on_another_host_is_refused_while_the_present_one_lives() -> None:
    """Scenario 35: two hosts with one name; nobody's work is orphaned."""
    here = factories.worker(machine="here")
    training = factories.training_on(here)
    there = Caller("gpu", machine="there")
    assert "in use on another host" in there.send().refused
    shift("worker", -7, "last_seen_at")
    there.connect()
    assert factories.again(training, Status.FAILED).reason == Reason.ORPHANED
    assert here.send().refused


@pytest.mark.scenario(35)
def test_a_newcomer_that_was_offered_a_session_is_refused_when_the_other_comes_back_first() -> None:
    here = factories.worker(machine="here")
    shift("worker", -7, "last_seen_at")
    there = Caller("gpu", machine="there")
    there.sync()
    here.sync()
    assert "in use on another host" in there.send().refused


def test_an_incarnation_belongs_to_one_name() -> None:
    gpu = factories.worker()
    assert "belongs to another worker" in Caller("cpu", incarnation=gpu.incarnation).send().refused


@pytest.mark.scenario(45)
@pytest.mark.parametrize("seq", [0, 1, 2])
def test_a_call_with_a_lower_or_the_same_seq_changes_nothing(seq: int) -> None:
    gpu = factories.worker()
    training = factories.training_on(gpu)
    gpu.sync(running(training, 40))
    before = Operation.objects.filter(pk=training.pk).values().get(), gpu.row().last_seen_at
    for report in (running(training, 90), completed(training, factories.training_result(training))):
        [answer] = gpu.sync(report, seq=seq).operations
        assert answer.verdict == "continue"
    assert (Operation.objects.filter(pk=training.pk).values().get(), gpu.row().last_seen_at) == before


@pytest.mark.scenario(45)
def test_calls_of_one_worker_in_any_order_at_once_leave_the_newest_word() -> None:
    """Scenario 45: doubled and reordered calls."""
    gpu = factories.worker()
    training = factories.training_on(gpu)
    calls = [gpu.request(running(training, unit)) for unit in (10, 20, 30, 40)]
    results = at_once(*(lambda call=call: sync.handle(call, "x") for call in reversed(calls * 2)))
    assert not [one for one in results if isinstance(one, Exception)]
    assert Operation.objects.get(pk=training.pk).unit == 40
    assert gpu.row().seq == calls[-1].seq


def test_two_first_calls_of_one_name_at_once_make_one_worker() -> None:
    callers = [Caller("gpu") for _ in range(4)]
    results = at_once(*(caller.sync for caller in callers))
    assert not [one for one in results if isinstance(one, Exception)]
    assert Worker.objects.count() == 1
    assert WorkerSession.objects.count() == 4
