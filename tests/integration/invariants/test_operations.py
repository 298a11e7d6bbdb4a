"""Invariants 1-3 and 5 of recovery.md section 2, asked of the database itself with raw SQL."""

from __future__ import annotations

import pytest
from django.db import connection

from research.lifecycle.states import FINISHED, Kind, Reason, State, Status
from research.models import Operation
from research.services import researches
from tests.integration.invariants.refusals import change_of, copy_of, move_of, refused
from tests.support import factories
from tests.support.sql import attempt, execute

pytestmark = pytest.mark.django_db(transaction=True)

ANEW = {
    "status": "'queued'", "runner": "''", "worker_id": "NULL", "incarnation": "NULL", "started_at": "NULL",
    "ended_at": "NULL", "cluster": "NULL", "runner_pid": "NULL", "lease_expires_at": "NULL", "result": "NULL",
    "reason": "''", "message": "''",
}  # fmt: skip


def finished(status: Status) -> Operation:
    training = factories.training_on(factories.worker())
    if status == Status.COMPLETED:
        return factories.done(training, {"made": True})
    if status == Status.FAILED:
        return factories.lost(training)
    researches.cancel(training.research_id)
    return factories.again(training, Status.CANCELLED)


# 1: one live operation, one completed of each kind, live only while active -------------------------------------------


def test_a_research_has_no_second_live_operation() -> None:
    first = factories.queued(factories.training_research())
    with refused("one_live_operation_per_research"):
        copy_of(first.pk)
    running = factories.claimed()
    with refused("one_live_operation_per_research"):
        copy_of(running.pk, **ANEW)


def test_a_completed_phase_is_not_tried_again() -> None:
    done = finished(Status.COMPLETED)
    with refused("ktrdr.continues", "is completed by operation .* it is not tried again"):
        copy_of(done.pk, **ANEW)


def test_a_research_has_no_second_completed_operation_of_a_kind() -> None:
    """Even where the trigger that refuses another try were not there."""
    done = finished(Status.COMPLETED)
    attempt("ALTER TABLE research_operation DISABLE TRIGGER operation_begins")
    try:
        copy_of(done.pk, **ANEW)
    finally:
        attempt("ALTER TABLE research_operation ENABLE TRIGGER operation_begins")
    second = Operation.objects.queued().get()
    begin = "status = 'running', runner = 'me', worker_id = %d, incarnation = gen_random_uuid(), started_at = now()"
    change_of(
        second.pk, f"{begin % done.worker_id}, lease_expires_at = now(), deadline_at = now()", "operation.started"
    )
    with refused("one_completed_operation_per_kind"):
        change_of(second.pk, "status = 'completed', ended_at = now(), result = '{}'", "operation.completed")


@pytest.mark.parametrize("state", [State.PENDING, State.COMPLETED, State.FAILED, State.CANCELLED])
def test_an_inactive_research_gets_no_operation(state: State) -> None:
    build = {
        State.PENDING: factories.pending_research, State.COMPLETED: factories.completed_research,
        State.FAILED: factories.failed_research, State.CANCELLED: factories.cancelled_research,
    }  # fmt: skip
    inactive, model = build[state](), factories.queued(factories.training_research())
    with refused("ktrdr.inactive", f"needs a research in that phase, not {state}"):
        copy_of(model.pk, research_id=str(inactive.pk))


def test_an_operation_of_another_phase_is_refused() -> None:
    training, design = factories.training_research(), factories.queued(factories.designing_research())
    with refused("ktrdr.inactive", "a live design operation needs a research in that phase, not training"):
        copy_of(design.pk, research_id=str(training.pk))


def test_a_research_does_not_end_or_move_on_while_an_operation_of_it_lives() -> None:
    training = factories.training_on(factories.worker())
    over = "state = 'failed', reason = 'error', message = 'x', ended_at = now()"
    for setting, code in ((over, "research.failed"), ("state = 'backtesting'", "research.backtesting")):
        with refused("ktrdr.live", "still has a live operation"):
            move_of(training.research_id, setting, code)


# 2: finished is for ever ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", FINISHED)
@pytest.mark.parametrize(
    "setting", ["status = 'running'", "status = 'queued'", "message = 'other'", "unit = unit + 1", "result = '{}'",
                "reason = 'error'", "ended_at = now()", "lease_expires_at = now() + interval '1 h'"],
)  # fmt: skip
def test_a_finished_operation_never_changes(status: Status, setting: str) -> None:
    over = finished(status)
    with refused("ktrdr.finished", f"operation {over.pk} is {status} and never changes again"):
        change_of(over.pk, setting, "operation.started")


@pytest.mark.parametrize("status", FINISHED)
def test_a_finished_operation_is_not_deleted_but_by_retention(status: Status) -> None:
    over = finished(status)
    with refused("ktrdr.immutable", "an operation is a record"):
        attempt("DELETE FROM research_operation WHERE id = %(id)s", id=over.pk)
    attempt("SET LOCAL ktrdr.retention = on", "DELETE FROM research_operation WHERE id = %(id)s", id=over.pk)
    assert not Operation.objects.filter(pk=over.pk).exists()


def test_retention_ends_with_its_transaction() -> None:
    over = finished(Status.FAILED)
    attempt("SET LOCAL ktrdr.retention = on")
    with refused("ktrdr.immutable"):
        attempt("DELETE FROM research_operation WHERE id = %(id)s", id=over.pk)


@pytest.mark.parametrize(
    ("begun", "status", "code"),
    [(True, "queued", "queued"), (False, "completed", "completed")],
)
def test_an_operation_takes_only_the_ways_of_its_diagram(begun: bool, status: str, code: str) -> None:
    operation = factories.claimed() if begun else factories.queued(factories.designing_research())
    with refused("ktrdr.transition", f"cannot go from {operation.status} to {status}"):
        change_of(operation.pk, f"status = '{status}'", f"operation.{code}")


@pytest.mark.parametrize("status", ["running", *FINISHED])
def test_an_operation_begins_as_queued(status: str) -> None:
    with refused("ktrdr.transition", f"begins as queued, not {status}"):
        copy_of(factories.queued(factories.training_research()).pk, status=f"'{status}'")


def test_an_unknown_word_is_no_status_kind_reason_or_state() -> None:
    queued = factories.queued(factories.training_research())
    with refused("finished_has_end"):  # neither live nor finished
        change_of(queued.pk, "status = 'resting'", "operation.resting")
    with refused("operation_reason_known"):
        change_of(queued.pk, "reason = 'bad luck'", "operation.started")
    with refused("ktrdr.inactive"):
        copy_of(queued.pk, kind="'thinking'")


# 3: what a status needs ----------------------------------------------------------------------------------------------

RUNS = {
    "runner": "'cluster c1'", "started_at": "now()", "lease_expires_at": "now()", "deadline_at": "now()",
    "cluster": "gen_random_uuid()",
}  # fmt: skip


def _begin(**changes: str) -> str:
    return ", ".join(f"{column} = {value}" for column, value in ({"status": "'running'"} | RUNS | changes).items())


def test_a_queued_phase_can_be_claimed_by_hand_when_all_is_there() -> None:
    operation = factories.queued(factories.designing_research())
    change_of(operation.pk, _begin(), "operation.started")
    factories.again(operation, Status.RUNNING)


@pytest.mark.parametrize("column", RUNS)
def test_nothing_runs_without_a_runner_a_start_a_lease_and_a_deadline(column: str) -> None:
    operation = factories.queued(factories.designing_research())
    with refused("running_has_runner_and_start"):
        change_of(operation.pk, _begin(**{column: "''" if column == "runner" else "NULL"}), "operation.started")


def test_a_training_runs_on_a_worker_and_a_design_on_none() -> None:
    by = factories.worker().row()
    training = factories.queued(factories.training_research())
    design = factories.queued(factories.designing_research())
    with refused("running_has_runner_and_start"):
        change_of(training.pk, _begin(), "operation.started")
    with refused("running_has_runner_and_start"):
        change_of(training.pk, _begin(cluster="NULL", worker_id=str(by.pk)), "operation.started")
    with refused("running_has_runner_and_start"):
        change_of(design.pk, _begin(worker_id=str(by.pk)), "operation.started")


@pytest.mark.parametrize(
    "setting", ["runner = 'me'", "cluster = gen_random_uuid()", "started_at = now()", "runner_pid = 1",
                "incarnation = gen_random_uuid()"],
)  # fmt: skip
def test_a_queued_operation_has_no_runner(setting: str) -> None:
    queued = factories.queued(factories.training_research())
    with refused("ktrdr.runner", "given to it as it starts"):
        change_of(queued.pk, setting, "operation.queued")


def test_a_queued_operation_has_no_lease_that_could_end() -> None:
    queued = factories.queued(factories.training_research())
    with refused("queued_has_no_runner"):
        change_of(queued.pk, "lease_expires_at = now()", "operation.queued")


@pytest.mark.parametrize(
    ("ends", "code", "constraint"),
    [
        ("status = 'completed', result = '{}'", "completed", "finished_has_end"),
        ("status = 'failed', reason = 'error', message = 'x'", "error", "finished_has_end"),
        ("status = 'cancelled', reason = 'cancelled'", "cancelled", "finished_has_end"),
        ("ended_at = now()", "started", "finished_has_end"),
        ("status = 'failed', ended_at = now(), message = 'x'", "", "failed_has_reason_and_message"),
        ("status = 'failed', ended_at = now(), reason = 'error'", "error", "failed_has_reason_and_message"),
        ("status = 'failed', ended_at = now(), reason = 'error', message = 'x', result = '{}'", "error",
         "completed_has_result"),
        ("result = '{}'", "started", "completed_has_result"),
    ],
)  # fmt: skip
def test_an_end_has_a_time_a_reason_and_a_message(ends: str, code: str, constraint: str) -> None:
    operation = factories.claimed()
    with refused(constraint):
        change_of(operation.pk, ends, f"operation.{code}")


@pytest.mark.parametrize("result", ["NULL", "'null'", "'[]'", "'7'"])
def test_completed_needs_a_result(result: str) -> None:
    with refused("ktrdr.result", "a result that is no object"):
        ends = f"status = 'completed', ended_at = now(), result = {result}"
        change_of(factories.claimed().pk, ends, "operation.completed")


# 5: one runner in its whole life -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting", ["runner = 'another'", "cluster = gen_random_uuid()", "runner_pid = 78", "started_at = now()",
                "cluster = NULL"],
)  # fmt: skip
def test_a_running_phase_takes_no_second_runner(setting: str) -> None:
    operation = factories.claimed()
    with refused("ktrdr.runner", f"operation {operation.pk} has one runner in its whole life"):
        change_of(operation.pk, setting, "operation.started")


def test_a_training_goes_to_no_second_worker_or_incarnation() -> None:
    training, other = factories.training_on(factories.worker()), factories.worker("other").row()
    for setting in (f"worker_id = {other.pk}", "incarnation = gen_random_uuid()"):
        with refused("ktrdr.runner"):
            change_of(training.pk, setting, "operation.started")


def test_an_operation_that_ends_unbegun_gets_no_runner_with_its_end() -> None:
    queued = factories.queued(factories.designing_research())
    with refused("ktrdr.runner"):
        change_of(queued.pk, "status = 'cancelled', ended_at = now(), runner = 'me'", "operation.cancelled")


def test_a_worker_runs_one_operation() -> None:
    training = factories.training_on(factories.worker())
    second = factories.queued(factories.training_research())
    mine = f"worker_id = {training.worker_id}, incarnation = '{training.incarnation}', cluster = NULL"
    with refused("one_running_operation_per_worker"):
        begin = _begin().replace("cluster = gen_random_uuid()", mine)
        change_of(second.pk, begin, "operation.started")


@pytest.mark.parametrize(
    "setting", ["kind = 'design'", "attempt = 9", "seed = seed + 1", "spec = '{\"other\": 1}'", "queued_at = now()"]
)
def test_what_an_operation_is_about_never_changes(setting: str) -> None:
    training = factories.training_on(factories.worker())
    with refused("ktrdr.immutable", "never change"):
        change_of(training.pk, setting, "operation.started")


def test_an_operation_stays_with_its_research() -> None:
    training, other = factories.training_on(factories.worker()), factories.training_research()
    with refused("ktrdr.immutable"):
        change_of(training.pk, f"research_id = {other.pk}", "operation.started")


def test_the_unit_never_falls() -> None:
    training = factories.training_on(factories.worker())
    execute("UPDATE research_operation SET unit = 5 WHERE id = %(id)s", id=training.pk)
    with refused("ktrdr.unit", f"the unit of operation {training.pk} cannot fall"):
        change_of(training.pk, "unit = 4", "operation.started")


def test_kinds_and_reasons_here_are_those_of_the_code() -> None:
    """A kind or reason added to the code without a migration would be refused at run time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s)",
                       [["operation_kind_known", "operation_reason_known"]])  # fmt: skip
        texts = [str(row[0]) for row in cursor.fetchall()]
    for word in (*Kind.values, *Reason.values):
        assert any(f"'{word}'" in text for text in texts), word
