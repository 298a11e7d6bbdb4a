"""Checkpoints are let go when nobody can need them: first their rows, then their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction

from research.lifecycle.states import Kind, State
from research.models import Checkpoint, Operation
from research.selectors.invariants.checking import check
from research.services import absorb, checkpoints, locks, operations, pruning, retention
from research.services.change import change
from tests.integration.services_data import rows
from tests.integration.services_data.test_checkpoints import files, send, send_artifact, units

if TYPE_CHECKING:
    from pathlib import Path

    from research.models import Research, Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gpu() -> Worker:
    return rows.worker("gpu")


@pytest.fixture
def training(gpu: Worker) -> Operation:
    return rows.running(gpu)


def heir_of(lost: Operation, origin: Checkpoint, by: str) -> Operation:
    rows.lost(lost)
    return rows.running(rows.worker(by), lost.research, continues=lost.pk, restore=(origin.pk, origin.unit), attempt=2)


def test_a_long_training_leaves_no_trail_of_rows(training: Operation) -> None:
    for unit in range(1, 30):
        send(training, unit, f"at {unit}".encode())
    assert units() == [29, 28]


def test_what_operations_went_on_from_and_how_far_each_came_stays_on_record(
    training: Operation, blob_dir: Path
) -> None:
    origin = [send(training, unit, f"at {unit}".encode()) for unit in (4, 5, 6)][1]
    heir = heir_of(training, origin, "cpu")
    sent = [send(heir, unit, f"heir {unit}".encode()) for unit in (7, 8, 9)]
    rows.lost(heir)
    assert units() == [9, 8, 6, 5], "6 is the best of the first, 5 the one the second went on from"
    assert operations.best_units(training.research_id) == {training.pk: 6, heir.pk: 9}
    assert files(blob_dir) == {origin.blob, sent[1].blob, sent[2].blob}
    second = rows.running(rows.worker("tpu"), training.research, continues=heir.pk, restore=(sent[2].pk, 9), attempt=3)
    send(second, 10, b"second 10")
    send(second, 11, b"second 11")
    assert origin.blob not in files(blob_dir), "no live operation goes on from it any more"
    assert origin.pk in Checkpoint.objects.values_list("pk", flat=True), "but an operation points at its row"
    assert not [breach for breach in check(deep=True).breaches if breach.number in {4, 9}]


def test_a_change_that_is_undone_lets_nothing_go(training: Operation, blob_dir: Path) -> None:
    kept = [send(training, unit, f"at {unit}".encode()) for unit in (1, 2)]
    undone = transaction.atomic()
    undone.__enter__()
    assert pruning.release(training.research_id) == 2
    undone.__exit__(RuntimeError, RuntimeError(), None)
    assert files(blob_dir) == {row.blob for row in kept}
    assert [row.unit for row in checkpoints.usable_checkpoints(training.research_id, Kind.TRAINING)] == [2, 1]


def test_retention_is_allowed_for_those_rows_alone(training: Operation) -> None:
    send(training, 1)
    with transaction.atomic():
        pruning.forget_rows([training.research_id])
        with pytest.raises(IntegrityError, match=r"ktrdr\.immutable"), transaction.atomic():
            Checkpoint.objects.all().delete()
    assert units() == [1]


def assessed(training: Operation) -> Research:
    """Its research, about to complete, with checkpoints and an artifact left."""
    send_artifact(training, "model.safetensors", b"model")
    rows.completed(training)
    for state in (State.BACKTESTING, State.ASSESSING):
        rows.move(training.research, state)
    return training.research


def complete(research: Research) -> None:
    from research.phases.base import Leaves

    verdict = {"label": "reject", "text": "No."}
    with change() as record:
        locked = locks.research(research.pk)
        leaves = Leaves(State.COMPLETED, "Done.", verdict=verdict, metrics={})
        absorb.absorb(record, locked, Operation.objects.filter(research=locked).latest("id"), leaves)


def test_the_change_that_completes_a_research_lets_its_checkpoints_go_and_keeps_its_artifacts(
    training: Operation, blob_dir: Path
) -> None:
    for unit in (1, 2, 3):
        send(training, unit, f"at {unit}".encode())
    research = assessed(training)
    assert len(files(blob_dir)) == 3
    complete(research)
    assert units() == [3]
    assert Checkpoint.objects.filter(pruned_at=None).count() == 0
    assert files(blob_dir) == {training.artifacts.get().blob}


def test_what_a_kill_between_commit_and_deletion_left_goes_with_the_next_look(
    training: Operation, blob_dir: Path
) -> None:
    """Rows as they are after a completion by an older version, and a file whose row is gone."""
    row = send(training, 3)
    (blob_dir / row.blob).with_name("2-of-a-killed-process").write_bytes(b"let go, not deleted")
    send_artifact(training, "model.safetensors", b"model")
    rows.finish(rows.completed(training).research)
    tidied = retention.tidy(older_than=-1)
    assert (tidied.checkpoints, tidied.files) == (1, 1)
    assert files(blob_dir) == {training.artifacts.get().blob}


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_a_research_that_may_be_resumed_keeps_what_it_can_go_on_from(
    training: Operation, blob_dir: Path, state: State
) -> None:
    row = send(training, 3)
    rows.lost(training)
    with change() as record:
        from research.models import Research, Topic
        from research.models.clock import DatabaseNow

        ended = {"ended_at": DatabaseNow()} | ({"reason": "gave_up", "message": "No."} if state == "failed" else {})
        Research.objects.filter(pk=training.research_id).update(state=state, **ended)
        record.event(Topic.RESEARCH, f"research.{state}", "It ends.", research=training.research_id)
    assert retention.tidy(older_than=-1).checkpoints == 0
    assert files(blob_dir) == {row.blob}
