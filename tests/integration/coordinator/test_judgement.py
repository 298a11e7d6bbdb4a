"""Is it alive? What the coordinator concludes from locks, leases and the cover, and what it does then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research.lifecycle.states import Reason, Status
from research.models import Event, Operation
from research.runners.liveness import Amnesty
from tests.integration.coordinator.cast import NONE, covered, held_design, let_go, live, tick, tries
from tests.support import factories
from tests.support.caller import completed, running
from tests.support.sql import execute, shift

if TYPE_CHECKING:
    from research.runners.hold import Hold

pytestmark = pytest.mark.django_db(transaction=True)
design = pytest.fixture(name="design")(held_design)


@pytest.fixture
def term() -> int:
    covered()
    return factories.term()


def silence(operation: Operation, seconds: float = 8) -> None:
    """Its worker has not been heard of for so long; its lease ended `seconds` - 6 ago."""
    name = factories.again(operation, Status.RUNNING).worker.name  # type: ignore[union-attr]
    shift("worker", -seconds, "last_seen_at", where=f"name = '{name}'")
    shift("operation", -seconds, "lease_expires_at", where=f"id = {operation.pk}")


# In-process: 1, 2, 3, 9, 28, 41 --------------------------------------------------------------------------------------


def test_a_design_whose_lock_is_held_and_lease_renewed_is_untouched(
    term: int, design: tuple[Operation, Hold]
) -> None:  # fmt: skip
    before = Operation.objects.filter(pk=design[0].pk).values().get()
    for _ in range(3):
        tick(term)
    assert Operation.objects.filter(pk=design[0].pk).values().get() == before


def test_a_design_whose_process_died_is_orphaned_with_clear_words_and_started_again_once(
    term: int, design: tuple[Operation, Hold]
) -> None:
    operation, hold = design
    let_go(hold)  # the operating system closes the session of a dead process
    for _ in range(3):
        tick(term)
    assert tries(operation.research) == [("design", "failed", "orphaned"), ("design", "queued", "")]
    again = live(operation.research)
    assert (again.continues_id, again.attempt) == (operation.pk, 2)
    [event] = Event.objects.filter(code="operation.orphaned")
    assert event.level == "warning"
    assert event.data["signal"] == "lock"
    assert "lost its runner cluster c1 pid 77: its database session is gone" in event.message


def test_a_frozen_process_keeps_its_lock_and_is_found_by_its_lease(term: int, design: tuple[Operation, Hold]) -> None:
    operation, hold = design
    shift("operation", -6, "lease_expires_at")
    tick(term)
    assert factories.again(operation, Status.FAILED).reason == Reason.ORPHANED
    [event] = Event.objects.filter(code="operation.orphaned")
    assert event.data["signal"] == "lease"
    assert 0.5 < event.data["late_s"] < 10
    assert hold._renew()
    with pytest.raises(Exception, match="no longer ours"):
        hold.guard()


def test_an_amnesty_judges_no_phase(term: int, design: tuple[Operation, Hold]) -> None:
    operation, hold = design
    let_go(hold)
    tick(term, Amnesty(active=True, reason="PostgreSQL restarted"))
    factories.again(operation, Status.RUNNING)
    tick(term, NONE)
    factories.again(operation, Status.FAILED)


def test_a_design_past_its_deadline_is_timed_out_and_started_again(term: int, design: tuple[Operation, Hold]) -> None:
    operation, _ = design
    shift("operation", -100, "deadline_at")
    tick(term)
    assert tries(operation.research) == [("design", "failed", "timed_out"), ("design", "queued", "")]


def test_the_lock_of_another_operation_does_not_keep_this_one_alive(term: int, design: tuple[Operation, Hold]) -> None:
    dead = factories.claimed()
    tick(term)
    factories.again(dead, Status.FAILED)
    factories.again(design[0], Status.RUNNING)


def test_a_stored_answer_is_what_the_next_design_goes_on_from(term: int, design: tuple[Operation, Hold]) -> None:
    operation, hold = design
    saved = factories.checkpoint(operation, 1, b"{}")
    let_go(hold)
    tick(term)
    assert (live(operation.research).resumed_from, live(operation.research).resumed_from_unit) == (saved, 1)


# External: 6, 11, 15, 16, 39, 40 -------------------------------------------------------------------------------------


def test_a_fresh_coordinator_leaves_running_trainings_alone(term: int) -> None:
    training = factories.training_on(factories.worker())
    factories.worker("idle").sync()
    for _ in range(3):
        tick(factories.term("fresh"))
    assert tries(training.research) == [("training", "running", "")]


def test_a_silent_worker_keeps_its_work_while_nobody_could_take_over(term: int) -> None:
    gpu = factories.worker()
    training = factories.training_on(gpu)
    silence(training, 600)
    tick(term)
    factories.again(training, Status.RUNNING)
    assert gpu.sync(running(training, 50)).operations[0].verdict == "continue"


def test_an_idle_worker_takes_over_after_the_lease_and_the_zombie_is_refused(term: int) -> None:
    """Scenario 16."""
    gpu, idle = factories.worker(), factories.worker("idle")
    training = factories.training_on(gpu)
    saved = factories.checkpoint(training, 40)
    silence(training)
    idle.sync()
    tick(term)
    assert tries(training.research) == [("training", "failed", "orphaned"), ("training", "queued", "")]
    assert "worker gpu has been silent for 8" in factories.again(training, Status.FAILED).message
    given = idle.ask()
    assert given is not None
    assert [(one.operation, one.unit) for one in given.checkpoints] == [(training.pk, 40)]
    assert live(training.research).resumed_from == saved
    assert gpu.sync(running(training, 60)).operations[0].verdict == "stop"
    [event] = Event.objects.filter(code="operation.orphaned")
    assert (event.data["signal"], event.data["taker"]) == ("lease", "idle")


@pytest.mark.parametrize(
    "spoil",
    ["idle = false", "draining = true", "drain_requested = true", "kinds = '[\"backtest\"]'",
     "last_seen_at = clock_timestamp() - interval '3 s'"],
    ids=["busy", "draining", "asked to drain", "of another kind", "suspect itself"],
)  # fmt: skip
def test_a_worker_that_could_not_do_it_takes_nothing_over(term: int, spoil: str) -> None:
    training = factories.training_on(factories.worker())
    factories.worker("idle").sync()
    silence(training)
    execute(f"UPDATE research_worker SET {spoil} WHERE name = 'idle'")
    tick(term)
    factories.again(training, Status.RUNNING)


def test_nothing_is_taken_over_before_the_lease_ends(term: int) -> None:
    training = factories.training_on(factories.worker())
    factories.worker("idle").sync()
    silence(training, 5)
    tick(term)
    factories.again(training, Status.RUNNING)


def test_while_no_web_process_can_hear_no_lease_ends(term: int) -> None:
    training = factories.training_on(factories.worker())
    silence(training, 3600)
    factories.worker("idle").sync()
    shift("cover", -3, "noted_at")
    tick(term)
    factories.again(training, Status.RUNNING)


@pytest.mark.parametrize(("up", "status"), [(5, Status.RUNNING), (7, Status.FAILED)])
def test_after_an_outage_of_any_length_a_worker_has_a_whole_lease_to_come_back(
    term: int, up: float, status: Status
) -> None:
    training = factories.training_on(factories.worker())
    silence(training, 3600)
    factories.worker("idle").sync()
    covered(up)
    tick(term)
    factories.again(training, status)


def test_no_lease_ends_while_the_silence_is_ours(term: int) -> None:
    training = factories.training_on(factories.worker())
    silence(training)
    factories.worker("idle").sync()
    execute("UPDATE research_cover SET silence_since = clock_timestamp() - interval '29 s', silence_ended = false")
    tick(term)
    factories.again(training, Status.RUNNING)
    shift("cover", -2, "silence_since")
    tick(term)
    factories.again(training, Status.FAILED)


def test_a_deadline_is_judged_with_or_without_another_worker(term: int) -> None:
    training = factories.training_on(factories.worker())
    shift("operation", -7 * 3600, "deadline_at")
    tick(term)
    assert factories.again(training, Status.FAILED).reason == Reason.TIMED_OUT


def test_a_deadline_that_passed_during_an_outage_waits_a_lease_for_the_spooled_result(term: int) -> None:
    """Scenario 40."""
    gpu = factories.worker()
    training = factories.training_on(gpu)
    result = factories.training_result(training)
    shift("operation", -7 * 3600, "deadline_at")
    covered(3)
    tick(term)
    factories.again(training, Status.RUNNING)
    assert gpu.sync(completed(training, result)).operations[0].verdict == "acknowledged"


def test_a_crash_goes_on_elsewhere_with_back_off_and_is_given_up_at_the_limit(term: int) -> None:
    """Scenario 20, for workers."""
    from tests.support.caller import failed

    gpu, row = factories.worker(), factories.training_research()
    tick(term)
    for turn in range(5):
        given = gpu.ask()
        assert given is not None, f"turn {turn}"
        gpu.sync(running(given.id))
        gpu.sync(failed(given.id))
        tick(term)
        if turn < 4:
            assert (live(row).not_before is None) == (turn == 0)
            execute("UPDATE research_operation SET not_before = NULL WHERE status = 'queued'")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", Reason.GAVE_UP)
    assert factories.again(Operation.objects.order_by("-id")[0], Status.FAILED).reason == Reason.CRASHED
    assert "lost 5 times in a row" in row.message
