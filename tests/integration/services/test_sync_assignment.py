"""Who gets work: one operation for one idle worker, once per id, and never one that leaves, sleeps or was refused."""

from __future__ import annotations

from collections import Counter

import pytest

from research.lifecycle.states import Kind, Reason, State, Status
from research.models import Checkpoint, Event, Operation, Worker
from research.selectors.waiting import Situation, waiting_for
from research.services import checkpoints, sync, workers
from tests.support import factories
from tests.support.caller import Caller, running
from tests.support.sql import shift
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def ask(caller: Caller, **changes: object) -> object:
    """Look for work as the held call of this worker's newest state does."""
    assert caller.session is not None
    return sync.assign(caller.name, caller.session, changes.get("seq", caller.seq), caller.kinds)  # type: ignore[arg-type]


def test_an_idle_worker_is_given_the_oldest_work_it_can_do() -> None:
    backtest = factories.queued(factories.backtesting_research())
    first, second = (factories.queued(factories.training_research()) for _ in range(2))
    trainer = factories.worker("trainer", "training")
    given = trainer.ask()
    assert given is not None
    assert (given.id, given.kind, given.seed, given.attempt) == (first.pk, "training", 7, 1)
    assert given.inputs[0].sha256 == first.research.dataset.sha256
    now = factories.again(first, Status.RUNNING)
    assert (now.worker, now.incarnation) == (trainer.row(), trainer.incarnation)
    assert now.lease_expires_at is not None
    assert now.deadline_at is not None
    assert not now.reported
    for waiting in (second, backtest):
        factories.again(waiting, Status.QUEUED)


def test_the_higher_priority_goes_first() -> None:
    factories.queued(factories.training_research())
    urgent = factories.queued(factories.training_research(priority=5))
    given = factories.worker().ask()
    assert given is not None
    assert given.id == urgent.pk


def test_two_workers_that_ask_at_once_get_one_operation_each_and_none_twice() -> None:
    callers = [factories.worker(f"w{n}") for n in range(6)]
    for caller in callers:
        caller.sync()
    for _ in range(3):
        factories.queued(factories.training_research())
    results = at_once(*(lambda one=one: ask(one) for one in callers))
    assert not [one for one in results if isinstance(one, Exception)]
    given = Counter(one.id for one in results if one is not None)  # type: ignore[union-attr]
    assert set(given.values()) == {1}
    for caller in callers:
        ask(caller)
    assert Operation.objects.running().count() == 3
    assert Event.objects.filter(code="operation.started").count() == 3


@pytest.mark.scenario(45)
def test_two_calls_of_one_worker_at_once_start_one_operation() -> None:
    """Scenario 45."""
    gpu = factories.worker()
    gpu.sync()
    for _ in range(2):
        factories.queued(factories.training_research())
    at_once(*(lambda: ask(gpu) for _ in range(4)))
    assert Operation.objects.running().count() == 1


@pytest.mark.scenario(45)
def test_a_held_call_gives_nothing_once_a_newer_one_came() -> None:
    gpu = factories.worker()
    gpu.sync()
    held = gpu.seq
    gpu.sync()
    factories.queued(factories.training_research())
    assert ask(gpu, seq=held) is None
    assert ask(gpu) is not None


@pytest.mark.scenario(45)
def test_an_assignment_whose_answer_was_lost_is_given_again() -> None:
    gpu = factories.worker()
    operation = factories.queued(factories.training_research())
    first = gpu.ask()
    again = gpu.sync().assignment
    assert first is not None
    assert again is not None
    assert (again.id, again.seed, again.spec) == (first.id, first.seed, first.spec) == (operation.pk, 7, first.spec)
    assert Operation.objects.count() == 1
    assert Event.objects.filter(code="operation.started").count() == 1
    assert gpu.sync(running(operation)).assignment is None


def test_a_call_that_was_sent_before_the_assignment_does_not_count_as_not_having_it() -> None:
    gpu = factories.worker()
    gpu.sync()
    factories.queued(factories.training_research())
    late = gpu.request(draining=True, seq=gpu.seq + 0)
    assert ask(gpu) is not None
    assert sync.handle(late, "x").answer is not None
    assert Operation.objects.get().status == Status.RUNNING


def test_a_draining_worker_is_given_nothing() -> None:
    factories.queued(factories.training_research())
    gpu = factories.worker()
    assert gpu.sync(draining=True).assignment is None
    assert ask(gpu) is None
    workers.drain(factories.worker("other").name, user="ada")
    other = Caller("other", incarnation=Worker.objects.get(name="other").incarnation, seq=5)  # type: ignore[arg-type]
    other.session = other.row().session
    assert other.sync().drain
    assert ask(other) is None


def test_what_a_draining_worker_was_given_but_does_not_have_is_handed_over() -> None:
    gpu = factories.worker()
    operation = factories.training_on(gpu, reported=False)
    assert gpu.sync(draining=True).assignment is None
    over = factories.again(operation, Status.FAILED)
    assert over.reason == Reason.INTERRUPTED
    assert "had not begun" in over.message


def test_a_drain_asked_for_from_afar_ends_with_that_start() -> None:
    gpu = factories.worker()
    workers.drain("gpu", user="ada")
    assert gpu.sync().drain
    again = Caller("gpu").connect()
    assert not again.sync().drain


def test_a_worker_gets_only_its_kinds() -> None:
    factories.queued(factories.training_research())
    assert factories.worker("tester", "backtest").ask() is None


def test_an_operation_in_its_back_off_waits() -> None:
    lost = factories.orphaned_training()
    factories.queued(lost.research, delay=30.0)
    gpu = factories.worker()
    assert gpu.ask() is None
    shift("operation", -31, "not_before", where="not_before IS NOT NULL")
    assert gpu.ask() is not None


def test_a_session_that_was_never_confirmed_is_given_nothing() -> None:
    factories.queued(factories.training_research())
    stranger = Caller("gpu")
    stranger.sync()
    assert ask(stranger) is None


@pytest.mark.scenario(25)
def test_two_workers_and_three_researches_leave_the_third_waiting_visibly_and_then_served() -> None:
    """Scenario 25."""
    first, second, third = (factories.queued(factories.training_research()) for _ in range(3))
    one, two = factories.worker("one"), factories.worker("two")
    for caller, operation in ((one, first), (two, second)):
        assert caller.ask().id == operation.pk  # type: ignore[union-attr]
        caller.sync(running(operation))
    assert waiting_for(third.research, third, Situation()) == "all 2 training workers are busy"
    fourth = factories.queued(factories.training_research())
    assert waiting_for(fourth.research, fourth, Situation()) == "1 ahead of it"
    factories.done(factories.again(second, Status.RUNNING), {"made": True})
    given = two.ask()
    assert given is not None
    assert given.id == third.pk, "first come, first served"


def test_work_without_a_worker_says_so() -> None:
    waiting = factories.queued(factories.training_research())
    assert waiting_for(waiting.research, waiting, Situation()) == "no training worker is connected"


# Checkpoints to go on from (44, 19) ----------------------------------------------------------------------------------


def heir_of(lost: Operation, unit: int) -> object:
    saved = Checkpoint.objects.get(unit=unit)
    factories.queued(lost.research, restore=(saved.pk, unit))
    return factories.worker("heir").ask()


def test_an_heir_is_given_the_newest_checkpoints_newest_first() -> None:
    gone = factories.worker("gone")
    training = factories.training_on(gone)
    for unit in (4, 5, 6):
        factories.checkpoint(training, unit)
    given = heir_of(factories.lost(training), 6)
    assert [(one.operation, one.unit) for one in given.checkpoints] == [(training.pk, 6), (training.pk, 5)]  # type: ignore[attr-defined]


def test_an_unusable_checkpoint_is_passed_over_for_the_one_before() -> None:
    gone = factories.worker("gone")
    training = factories.training_on(gone)
    for unit in (4, 5):
        factories.checkpoint(training, unit)
    checkpoints.mark_unusable(Checkpoint.objects.get(unit=5).pk, "Its bytes were altered.")
    given = heir_of(factories.lost(training), 4)
    assert [one.unit for one in given.checkpoints] == [4]  # type: ignore[attr-defined]


def test_checkpoints_of_another_phase_are_not_given() -> None:
    row = factories.backtesting_research()
    factories.queued(row)
    given = factories.worker("tester").ask()
    assert given is not None
    assert (given.kind, given.checkpoints) == (Kind.BACKTEST, [])
    assert [one.name for one in given.inputs] == ["bars", "model"]
    assert row.state == State.BACKTESTING
