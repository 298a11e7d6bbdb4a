"""The handoff's tests, on PostgreSQL: restarts of the backend as its coordinator sees them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from research.coordinator import apply
from research.coordinator.leader import Leader
from research.coordinator.tasks import resume_if_needed
from research.lifecycle.states import State
from research.models import Event, Operation, Research
from research.runners.hold import Hold
from tests.integration.coordinator.cast import NONE, covered, live, tick, tries
from tests.support import factories
from tests.support.sql import shift

pytestmark = pytest.mark.django_db(transaction=True)
INSIDE = [State.DESIGNING, State.ASSESSING]
OUTSIDE = [State.TRAINING, State.BACKTESTING]


@pytest.fixture(autouse=True)
def _heard() -> None:
    covered()


def in_process(state: State) -> Operation:
    """Runs, as far as the rows say; nobody holds its lock."""
    return factories.claimed(factories.queued(factories.research_in(state)))


def on_a_worker(state: State) -> Operation:
    research = factories.research_in(state)
    return factories.training_on(factories.worker(f"worker-{research.pk}"), research)


def look_at(operation: Operation) -> None:
    """Three fresh coordinators look at it one after the other, whether or not anything calls for attention."""
    for _ in range(3):
        apply.advance(operation.research_id, factories.term("fresh"), NONE)


@pytest.mark.scenario(1, 2, 9)
@pytest.mark.parametrize("state", INSIDE)
def test_a_phase_without_its_process_is_found_on_the_first_look_and_started_again_once(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    lost = in_process(state)
    for _ in range(3):
        tick(factories.term("fresh"))
    ends = [end for end in tries(lost.research) if end[0] == lost.kind]
    assert ends == [(lost.kind, "failed", "orphaned"), (lost.kind, "queued", "")]
    again = live(lost.research)
    assert (again.continues_id, again.attempt) == (lost.pk, 2)
    [event] = Event.objects.filter(code="operation.orphaned")
    words = f"operation {lost.pk} lost its runner cluster c1 pid 77: its database session is gone."
    assert event.message.endswith(words)
    assert (event.level, event.data["signal"], event.research_id) == ("warning", "lock", lost.research_id)
    assert any(record.levelname == "WARNING" and words in record.getMessage() for record in caplog.records)
    lost.refresh_from_db()
    assert lost.message == event.message


@pytest.mark.scenario(3)
@pytest.mark.parametrize("state", INSIDE)
def test_a_phase_whose_lock_is_held_and_lease_renewed_is_untouched(state: State) -> None:
    operation = factories.queued(factories.research_in(state))
    hold = Hold(operation.pk, factories.CLUSTER)
    assert hold.take()
    try:
        factories.claimed(operation)
        before = Operation.objects.filter(pk=operation.pk).values().get()
        look_at(operation)
        assert Operation.objects.filter(pk=operation.pk).values().get() == before
    finally:
        hold.release()


@pytest.mark.scenario(6)
@pytest.mark.parametrize("state", OUTSIDE)
def test_a_fresh_coordinator_does_not_take_work_on_a_worker_for_an_orphan(state: State) -> None:
    operation = on_a_worker(state)
    factories.worker("idle").sync()
    before = Operation.objects.filter(pk=operation.pk).values().get()
    look_at(operation)
    assert Operation.objects.filter(pk=operation.pk).values().get() == before
    assert not Event.objects.filter(level="warning").exists()


@pytest.mark.scenario(6, 7)
def test_of_researches_in_mixed_phases_only_those_of_the_backend_itself_are_started_again() -> None:
    mine = [in_process(state) for state in INSIDE]
    theirs = [on_a_worker(state) for state in OUTSIDE]
    covered(0.5)  # the whole backend is back since half a second, the workers were not heard for a minute
    shift("worker", -60, "last_seen_at")
    shift("operation", -60, "lease_expires_at", where="status = 'running' AND worker_id IS NOT NULL")
    factories.worker("idle").sync()  # it could take over, and must not
    for _ in range(3):
        tick(factories.term("fresh"))
    assert [Operation.objects.get(pk=one.pk).reason for one in mine] == ["orphaned", "orphaned"]
    assert [live(one.research).attempt for one in mine] == [2, 2]
    assert [live(one.research).pk for one in theirs] == [one.pk for one in theirs]
    assert Event.objects.filter(code="operation.orphaned").count() == 2
    assert {one.state for one in Research.objects.all()} >= {*INSIDE, *OUTSIDE}


@pytest.mark.scenario(8)
def test_resuming_calls_one_coordinator_when_there_is_work_and_otherwise_does_nothing() -> None:
    from django_q.models import OrmQ

    assert resume_if_needed() is False, "there is nothing"
    factories.failed_research()
    factories.cancelled_research()
    assert resume_if_needed() is False, "there are only finished ones"
    factories.training_research()
    assert resume_if_needed() is True, "there is an active one"
    with Leader(uuid4(), "leads"):
        assert resume_if_needed() is False, "somebody leads already"
    assert OrmQ.objects.count() == 1
