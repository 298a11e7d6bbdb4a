"""Checkpoints and artifacts: stored once, verified, for running operations of the one who sends them.

The bytes are durable before the row is committed; a kill in between leaves a file that no row names, which
`retention` removes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from research.models import Artifact, Checkpoint, Level, Operation, Topic
from research.services import blobs, locks, pruning
from research.services.change import change
from research.services.errors import NotFound, Refused, ServiceError
from research.services.uploads import By, ByProcess, ByWorker, admit
from workers.faults import point

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from research.services.blobs import Stored


def commit_checkpoint(
    operation_id: int, unit: int, stream: Iterable[bytes], sha256: str, *, worker: str, incarnation: UUID
) -> Checkpoint:
    """Store a worker's checkpoint. Sent again it changes nothing (the stream is then not read); so does one that comes
    after a later one of its operation, which is then returned: an operation's units only grow, so it was late.

    Raises `NotFound`, `Forbidden` (another worker's operation), `Over` (finished), `Refused` (another incarnation, or
    the unit is committed with other bytes), `Invalid` (SHA-256), `TooLarge`, `NoSpace`.
    """
    return _checkpoint(operation_id, unit, stream, sha256, ByWorker(worker, incarnation))


def commit_checkpoint_bytes(
    operation_id: int, unit: int, payload: bytes, *, cluster: UUID, pid: int | None = None
) -> Checkpoint:
    """The same for an in-process runner, with the cluster (and process) it belongs to as evidence."""
    return _checkpoint(operation_id, unit, [payload], "", ByProcess(cluster, pid))


def commit_artifact(
    operation_id: int, name: str, stream: Iterable[bytes], sha256: str, *, worker: str, incarnation: UUID
) -> Artifact:
    """Store a file of a worker's result; a later incarnation of the same name may. Raises as `commit_checkpoint`."""
    return _artifact(operation_id, name, stream, sha256, ByWorker(worker, incarnation, later=True))


def commit_artifact_bytes(
    operation_id: int, name: str, payload: bytes, *, cluster: UUID, pid: int | None = None
) -> Artifact:
    """The same for an in-process runner."""
    return _artifact(operation_id, name, [payload], "", ByProcess(cluster, pid))


def usable_checkpoints(research_id: int, kind: str) -> list[Checkpoint]:
    """What a phase can go on from, newest first: of every try of that phase, neither pruned nor unusable."""
    found = Checkpoint.objects.filter(operation__research_id=research_id, operation__kind=kind)
    return list(found.filter(pruned_at=None, unusable="").order_by("-unit", "-id"))


def mark_unusable(checkpoint_id: int, why: str) -> bool:
    """Never go on from this checkpoint again; False when that was known. Raises `NotFound`.

    Under the lock of its research: a coordinator that is about to go on from it starts first, or sees it.
    """
    with change() as record:
        locks.operations(Checkpoint.objects.filter(pk=checkpoint_id).values_list("operation_id", flat=True))
        checkpoint = Checkpoint.objects.select_related("operation").filter(pk=checkpoint_id).first()
        if checkpoint is None:
            raise NotFound(f"There is no checkpoint {checkpoint_id}.")
        updated = Checkpoint.objects.filter(pk=checkpoint_id, unusable="").update(unusable=why[:300] or "unusable")
        if updated:
            record.event(
                Topic.RECOVERY, "checkpoint.unusable",
                f"The checkpoint of operation {checkpoint.operation_id} at unit {checkpoint.unit} cannot be used: "
                f"{why} The one before it is used, or the phase starts at its beginning.",
                level=Level.WARNING, research=checkpoint.operation.research_id, operation=checkpoint.operation_id,
                checkpoint=checkpoint_id, unit=checkpoint.unit,
            )  # fmt: skip
    point("checkpoint.marked")
    return bool(updated)


def _checkpoint(operation_id: int, unit: int, stream: Iterable[bytes], sha256: str, by: By) -> Checkpoint:
    admit(_look(operation_id), by, operation_id)
    if sha256 and (known := _committed(operation_id, unit, sha256)):
        return known
    name = f"operations/{operation_id}/checkpoints/{unit}-{blobs.random_suffix()}"
    with _stored(name, stream, sha256, "checkpoint") as stored, change() as record:
        operation = admit(_lock(operation_id), by, operation_id)
        known = _committed(operation_id, unit, stored.sha256)
        if known is not None:
            pruning.delete_after_commit(stored.blob)
            return known
        row = Checkpoint.objects.create(
            operation=operation, unit=unit, sha256=stored.sha256, size=stored.size, blob=stored.blob
        )
        pruning.prune(operation)
        point("checkpoint.pruned")
        record.touch("operation", operation.pk)
    point("checkpoint.committed")
    return row


def _artifact(operation_id: int, name: str, stream: Iterable[bytes], sha256: str, by: By) -> Artifact:
    admit(_look(operation_id), by, operation_id)
    if sha256 and (known := _kept(operation_id, name, sha256)):
        return known
    blob = f"operations/{operation_id}/artifacts/{blobs.random_suffix()}-{name}"
    with _stored(blob, stream, sha256, "artifact") as stored, change() as record:
        operation = admit(_lock(operation_id), by, operation_id)
        known = _kept(operation_id, name, stored.sha256)
        if known is not None:
            pruning.delete_after_commit(stored.blob)
            return known
        row = Artifact.objects.create(
            operation=operation, name=name, sha256=stored.sha256, size=stored.size, blob=stored.blob
        )
        record.touch("operation", operation.pk)
    point("artifact.committed")
    return row


@contextmanager
def _stored(name: str, stream: Iterable[bytes], sha256: str, what: str) -> Iterator[Stored]:
    """The bytes are durable within; they are removed again when the row is refused.

    Not after an error of the database: it may have committed without our hearing of it. `retention` knows later.
    """
    stored = blobs.store(name, stream, sha256=sha256, what=what, most=blobs.limit())
    try:
        yield stored
    except ServiceError:
        blobs.delete(stored.blob)
        raise


def _look(operation_id: int) -> Operation | None:
    return Operation.objects.select_related("worker").filter(pk=operation_id).first()


def _lock(operation_id: int) -> Operation | None:
    return locks.operations([operation_id]).get(operation_id)


def _committed(operation_id: int, unit: int, sha256: str) -> Checkpoint | None:
    there = Checkpoint.objects.filter(operation_id=operation_id)
    known = there.filter(unit=unit).first()
    if known is None:  # let go meanwhile, perhaps with its row
        return there.filter(unit__gt=unit, unusable="").order_by("-unit").first()
    if known.sha256 != sha256:
        raise Refused(f"Operation {operation_id} has another checkpoint at unit {unit}: a checkpoint is written once.")
    return known


def _kept(operation_id: int, name: str, sha256: str) -> Artifact | None:
    known = Artifact.objects.filter(operation_id=operation_id, name=name).first()
    if known is not None and known.sha256 != sha256:
        raise Refused(f"Operation {operation_id} has another artifact {name}: an artifact is written once.")
    return known
