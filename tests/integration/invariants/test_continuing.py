"""Invariants 4 and 9: where a try goes on from, checkpoints written once, nothing stored for what does not run."""

from __future__ import annotations

import pytest
from django.db import connection

from research.lifecycle.states import Reason, Status
from research.models import Artifact, Checkpoint, Operation
from tests.integration.invariants.refusals import copy_of, refused
from tests.integration.invariants.test_operations import ANEW, change_of
from tests.support import factories
from tests.support.sql import attempt
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def again(lost: Operation, **columns: str) -> None:
    """The next try after a lost one, by hand."""
    copy_of(lost.pk, **(ANEW | {"continues_id": str(lost.pk), "attempt": "attempt + 1"} | columns))


def test_the_next_try_points_at_the_one_before() -> None:
    lost = factories.orphaned_training(unit=4)
    saved = Checkpoint.objects.get()
    again(lost, resumed_from_id=str(saved.pk), resumed_from_unit="4")
    assert Operation.objects.queued().get().continues == lost


def test_a_next_try_that_points_at_nothing_or_at_an_older_one_is_refused() -> None:
    first = factories.orphaned_training()
    with refused("ktrdr.continues", f"goes on after operation {first.pk}, not after none"):
        again(first, continues_id="NULL")
    second = factories.lost(factories.training_on(factories.worker("next"), first.research))
    with refused("ktrdr.continues", f"goes on after operation {second.pk}, not after operation {first.pk}"):
        again(first)


def test_a_first_try_goes_on_from_nothing() -> None:
    lost = factories.orphaned_training()
    stranger = factories.training_research()
    with refused("ktrdr.continues", f"goes on after none, not after operation {lost.pk}"):
        again(lost, research_id=str(stranger.pk))


def test_a_try_says_the_unit_of_the_checkpoint_it_goes_on_from() -> None:
    lost = factories.orphaned_training(unit=4)
    saved = Checkpoint.objects.get()
    for unit in ("3", "NULL"):
        with refused("ktrdr.resumed", f"checkpoint {saved.pk} is none of this phase"):
            again(lost, resumed_from_id=str(saved.pk), resumed_from_unit=unit)
    with refused("resumed_unit_has_checkpoint"):
        again(lost, resumed_from_unit="4")


def test_a_try_goes_on_from_no_checkpoint_of_another_research_or_phase() -> None:
    lost = factories.orphaned_training(unit=4)
    saved = Checkpoint.objects.get()
    other = factories.lost(factories.training_on(factories.worker("other")))
    with refused("ktrdr.resumed"):
        again(other, resumed_from_id=str(saved.pk), resumed_from_unit="4")
    assert lost.pk != other.pk


@pytest.mark.parametrize("spoil", ["unusable = 'cut off'", "pruned_at = now()"])
def test_a_try_goes_on_from_no_checkpoint_that_is_unusable_or_let_go(spoil: str) -> None:
    lost = factories.orphaned_training(unit=4)
    saved = Checkpoint.objects.get()
    attempt(f"UPDATE research_checkpoint SET {spoil}")
    with refused("ktrdr.resumed", "that can be gone on from"):
        again(lost, resumed_from_id=str(saved.pk), resumed_from_unit="4")


def test_where_a_try_goes_on_from_never_changes() -> None:
    lost = factories.orphaned_training(unit=4)
    next_one = factories.queued(lost.research)
    for setting in ("continues_id = NULL", f"resumed_from_id = {Checkpoint.objects.get().pk}, resumed_from_unit = 4"):
        with refused("ktrdr.immutable"):
            change_of(next_one.pk, setting, "operation.queued")


# Checkpoints and artifacts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting", ["unit = 5", "sha256 = repeat('0', 64)", "size = 1", "blob = 'other'", "created_at = now()",
                "operation_id = operation_id + 1"],
)  # fmt: skip
def test_a_checkpoint_is_written_once(setting: str) -> None:
    factories.checkpoint(factories.training_on(factories.worker()), 4)
    for retention in ("off", "on"):
        with refused("ktrdr.immutable", "a checkpoint is written once"):
            attempt(f"SET LOCAL ktrdr.retention = {retention}", f"UPDATE research_checkpoint SET {setting}")


def test_a_checkpoint_is_let_go_and_found_unusable_for_ever() -> None:
    factories.checkpoint(factories.training_on(factories.worker()), 4)
    attempt("UPDATE research_checkpoint SET pruned_at = now(), unusable = 'cut off'")
    for setting in ("pruned_at = NULL", "pruned_at = now() + interval '1 h'", "unusable = ''"):
        with refused("ktrdr.immutable", "for ever"):
            attempt(f"UPDATE research_checkpoint SET {setting}")


def test_a_checkpoint_is_deleted_by_retention_alone() -> None:
    factories.checkpoint(factories.training_on(factories.worker()), 4)
    with refused("ktrdr.immutable"):
        attempt("DELETE FROM research_checkpoint")
    attempt("SET LOCAL ktrdr.retention = on", "DELETE FROM research_checkpoint")


@pytest.mark.parametrize("begun", [False, True])
def test_what_a_live_operation_goes_on_from_is_not_let_go(begun: bool) -> None:
    lost = factories.orphaned_training(unit=4)
    saved = Checkpoint.objects.get()
    heir = factories.queued(lost.research, restore=(saved.pk, 4))
    if begun:
        assert factories.worker("heir").ask() is not None
    with refused("ktrdr.in_use", f"a live operation goes on from checkpoint {saved.pk}"):
        attempt("UPDATE research_checkpoint SET pruned_at = now()")
    heir.refresh_from_db()
    factories.lost(heir)
    attempt("UPDATE research_checkpoint SET pruned_at = now()")


@pytest.mark.parametrize("table", ["checkpoint", "artifact"])
@pytest.mark.parametrize("status", ["queued", *[Status.COMPLETED, Status.FAILED, Status.CANCELLED]])
def test_nothing_is_stored_for_an_operation_that_does_not_run(table: str, status: str) -> None:
    if status == "queued":
        operation = factories.queued(factories.training_research())
    else:
        from tests.integration.invariants.test_operations import finished

        operation = finished(Status(status))
    columns = {"checkpoint": ("unit, unusable", "4, ''"), "artifact": ("name", "'model'")}[table]
    with refused("ktrdr.not_running", f"operation {operation.pk} is {status}: nothing more can be stored for it"):
        attempt(f"INSERT INTO research_{table} (operation_id, sha256, size, blob, created_at, {columns[0]})"
                f" VALUES (%(id)s, repeat('0', 64), 1, 'x', now(), {columns[1]})", id=operation.pk)  # fmt: skip


def test_a_unit_and_a_name_are_stored_once() -> None:
    training = factories.training_on(factories.worker())
    factories.checkpoint(training, 4)
    factories.artifact(training, "model")
    for table, columns in (("checkpoint", "unit, unusable"), ("artifact", "name")):
        copied = f"operation_id, sha256, size, blob, created_at, {columns}"
        with refused(f"{table}_written_once"):
            attempt(f"INSERT INTO research_{table} ({copied}) SELECT {copied} FROM research_{table}")


@pytest.mark.parametrize(
    "sql", ["UPDATE research_artifact SET sha256 = repeat('0', 64)", "UPDATE research_artifact SET name = 'other'",
            "DELETE FROM research_artifact"],
)  # fmt: skip
def test_an_artifact_never_changes(sql: str) -> None:
    factories.artifact(factories.training_on(factories.worker()), "model")
    with refused("ktrdr.immutable", "of research_artifact refused: it is a record"):
        attempt(sql)


@pytest.mark.parametrize("sql", ["UPDATE research_trial SET verdict = 'promote'", "DELETE FROM research_trial"])
def test_the_ledger_of_trials_never_changes(sql: str) -> None:
    factories.completed_research()
    with refused("ktrdr.immutable", "of research_trial refused: it is a record"):
        attempt(sql)


def test_a_checkpoint_and_an_end_at_the_same_moment_leave_either_order_but_never_a_late_checkpoint() -> None:
    for turn in range(10):
        training = factories.training_on(factories.worker(f"w{turn}"))

        def end(training: Operation = training) -> str:
            factories.lost(training, Reason.ORPHANED)
            return "ended"

        def save(training: Operation = training) -> str:
            factories.checkpoint(training, 4)
            return "saved"

        ended, saved = at_once(end, save)
        assert ended == "ended"
        assert Checkpoint.objects.filter(operation=training).exists() == (saved == "saved")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM research_checkpoint c JOIN research_operation o ON o.id = c.operation_id"
                       " WHERE c.created_at > o.ended_at + interval '1 s'")  # fmt: skip
        assert cursor.fetchone() == (0,)
    assert not Artifact.objects.exists()
