"""Checkpoints and artifacts: stored once, for the one who runs the operation."""

from __future__ import annotations

import hashlib
from threading import Barrier, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connections

from research.lifecycle.states import Kind
from research.models import Artifact, Checkpoint, Event, Operation, Worker
from research.services import blobs, checkpoints
from research.services.errors import Forbidden, NotFound, Refused
from research.services.uploads import Over
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


def sha(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def send(operation: Operation, unit: int, payload: bytes = b"weights", **by: object) -> Checkpoint:
    assert operation.worker is not None
    evidence = {"worker": operation.worker.name, "incarnation": operation.incarnation} | by
    return checkpoints.commit_checkpoint(operation.pk, unit, [payload], sha(payload), **evidence)


def send_artifact(operation: Operation, name: str, payload: bytes, **by: object) -> Artifact:
    assert operation.worker is not None
    evidence = {"worker": operation.worker.name, "incarnation": operation.incarnation} | by
    return checkpoints.commit_artifact(operation.pk, name, [payload], sha(payload), **evidence)


def files(folder: Path) -> set[str]:
    """What lies there but for the datasets."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith("datasets/")}


def units() -> list[int]:
    return list(Checkpoint.objects.order_by("-unit").values_list("unit", flat=True))


@pytest.fixture
def gpu() -> Worker:
    return rows.worker("gpu")


@pytest.fixture
def training(gpu: Worker) -> Operation:
    return rows.running(gpu)


def test_a_checkpoint_is_stored_with_its_hash_and_tells_no_event(training: Operation) -> None:
    before = Event.objects.count()
    row = send(training, 3)
    assert blobs.read(row.blob, row.sha256) == b"weights"
    assert (row.unit, row.size, row.sha256) == (3, 7, sha(b"weights"))
    assert Event.objects.count() == before


@pytest.mark.scenario(44)
def test_a_checkpoint_sent_twice_changes_nothing(training: Operation, blob_dir: Path) -> None:
    first = send(training, 3)
    assert send(training, 3).pk == first.pk
    assert files(blob_dir) == {first.blob}


@pytest.mark.scenario(44)
def test_a_late_copy_of_one_that_was_let_go_changes_nothing(training: Operation, blob_dir: Path) -> None:
    sent = [send(training, unit, f"at {unit}".encode()) for unit in (1, 2, 3, 4)]
    assert send(training, 1, b"at 1").pk == sent[-1].pk
    assert units() == [4, 3], "the newer ones are not pushed out by an older one that comes late"
    assert files(blob_dir) == {row.blob for row in sent[2:]}


def test_another_content_for_a_committed_unit_is_refused(training: Operation, blob_dir: Path) -> None:
    first = send(training, 3)
    with pytest.raises(Refused, match="written once"):
        send(training, 3, b"other")
    assert files(blob_dir) == {first.blob}


@pytest.mark.scenario(44)
def test_a_zombie_commits_nothing_after_the_take_over(training: Operation, blob_dir: Path) -> None:
    rows.lost(training)
    with pytest.raises(Over, match="failed"):
        send(training, 3)
    assert files(blob_dir) == set()


@pytest.mark.scenario(44)
def test_a_take_over_while_the_bytes_come_in_wins(training: Operation, gpu: Worker, blob_dir: Path) -> None:
    def slow() -> object:
        yield b"wei"
        rows.lost(training)
        yield b"ghts"

    with pytest.raises(Over):
        checkpoints.commit_checkpoint(
            training.pk,
            3,
            slow(),
            sha(b"weights"),
            worker="gpu",
            incarnation=gpu.incarnation,
        )
    assert files(blob_dir) == set()
    assert not Checkpoint.objects.exists()


def test_only_the_assigned_worker_and_incarnation_may(training: Operation) -> None:
    with pytest.raises(Forbidden, match="not assigned to worker other"):
        send(training, 3, worker="other")
    with pytest.raises(Refused, match="another incarnation"):
        send(training, 3, incarnation=uuid4())
    Worker.objects.update(incarnation=uuid4())  # the name has a new life: the old one is refused for ever
    with pytest.raises(Refused, match="another incarnation"):
        send(training, 3)


def test_an_operation_nobody_knows_or_runs_takes_nothing(gpu: Worker) -> None:
    with pytest.raises(NotFound):
        checkpoints.commit_checkpoint(999, 1, [b""], sha(b""), worker="gpu", incarnation=uuid4())
    waiting = rows.queued(rows.research())
    with pytest.raises(Refused, match="queued"):
        checkpoints.commit_checkpoint(waiting.pk, 1, [b""], sha(b""), worker="gpu", incarnation=uuid4())


def test_the_two_newest_are_kept(training: Operation, blob_dir: Path) -> None:
    sent = [send(training, unit, f"at {unit}".encode()) for unit in (1, 2, 3, 4)]
    usable = checkpoints.usable_checkpoints(training.research_id, Kind.TRAINING)
    assert [row.unit for row in usable] == [4, 3]
    assert files(blob_dir) == {row.blob for row in sent[2:]}
    assert units() == [4, 3], "the rows of those let go went with their bytes"


@pytest.mark.scenario(44)
def test_an_unusable_one_does_not_count_among_the_two(training: Operation) -> None:
    sent = [send(training, unit, f"at {unit}".encode()) for unit in (1, 2)]
    assert checkpoints.mark_unusable(sent[1].pk, "It is cut off.")
    assert not checkpoints.mark_unusable(sent[1].pk, "Again.")
    send(training, 3)
    usable = checkpoints.usable_checkpoints(training.research_id, Kind.TRAINING)
    assert [row.unit for row in usable] == [3, 1]
    [event] = Event.objects.filter(code="checkpoint.unusable")
    assert "It is cut off." in event.message


def test_what_a_live_operation_continues_from_is_kept(training: Operation, blob_dir: Path) -> None:
    origin = send(training, 5, b"five")
    send(training, 6, b"six")
    rows.lost(training)
    heir = rows.running(rows.worker("cpu"), training.research, continues=training.pk, restore=(origin.pk, 5))
    for unit in (7, 8, 9):
        send(heir, unit, f"at {unit}".encode())
    usable = checkpoints.usable_checkpoints(training.research_id, Kind.TRAINING)
    assert [row.unit for row in usable] == [9, 8, 5]
    assert origin.blob in files(blob_dir)


def test_a_later_incarnation_may_send_the_artifacts_of_a_spooled_result(training: Operation, gpu: Worker) -> None:
    later = uuid4()
    Worker.objects.update(incarnation=later)
    row = send_artifact(training, "model.safetensors", b"model", incarnation=later)
    assert send_artifact(training, "model.safetensors", b"model", incarnation=later).pk == row.pk
    with pytest.raises(Refused, match="written once"):
        send_artifact(training, "model.safetensors", b"other", incarnation=later)
    with pytest.raises(Refused, match="another incarnation"):
        send_artifact(training, "equity.npy", b"x")  # the incarnation before


def test_a_process_of_the_cluster_stores_with_its_own_evidence() -> None:
    design = rows.running_design()
    row = checkpoints.commit_checkpoint_bytes(design.pk, 1, b"answer", cluster=rows.CLUSTER, pid=77)
    assert checkpoints.commit_checkpoint_bytes(design.pk, 1, b"answer", cluster=rows.CLUSTER).pk == row.pk
    assert checkpoints.commit_artifact_bytes(design.pk, "answer.json", b"{}", cluster=rows.CLUSTER, pid=77)
    for evidence in ({"cluster": uuid4()}, {"cluster": rows.CLUSTER, "pid": 78}):
        with pytest.raises(Refused, match="not this process's"):
            checkpoints.commit_checkpoint_bytes(design.pk, 2, b"x", **evidence)


def test_two_uploads_of_one_checkpoint_at_once_give_one_row_and_one_file(training: Operation, blob_dir: Path) -> None:
    """Both have sent their bytes before either commits."""
    together, failures = Barrier(2, timeout=20), []

    def upload() -> None:
        def stream() -> object:
            yield b"weights"
            together.wait()

        try:
            checkpoints.commit_checkpoint(
                training.pk,
                3,
                stream(),
                sha(b"weights"),
                worker="gpu",
                incarnation=training.incarnation,
            )
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert files(blob_dir) == {Checkpoint.objects.get().blob}
