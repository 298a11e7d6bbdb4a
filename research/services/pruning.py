"""Letting checkpoints go: first the rows, in the transaction that makes them needless; after its commit the bytes.

A kill in between leaves a file that no row names, which `retention` removes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from research.models import Checkpoint, Operation
from research.models.clock import DatabaseNow
from research.services import blobs
from workers.faults import point

if TYPE_CHECKING:
    from django.db.models import QuerySet

KEPT = 2  # newest usable checkpoints of a phase

# What stays of those let go: what an operation went on from (it points there), the highest of each operation (it says
# how far that one came), and what was found unusable (the record of a damage).
_DUST = """
DELETE FROM research_checkpoint AS old USING research_operation AS operation
WHERE operation.id = old.operation_id AND operation.research_id = ANY(%s)
  AND old.pruned_at IS NOT NULL AND old.unusable = ''
  AND NOT EXISTS (SELECT 1 FROM research_operation AS heir WHERE heir.resumed_from_id = old.id)
  AND EXISTS (SELECT 1 FROM research_checkpoint AS higher
              WHERE higher.operation_id = old.operation_id AND higher.unit > old.unit AND higher.unusable = '')
"""


def prune(operation: Operation) -> None:
    """Let go of all but the newest usable ones of this phase and those that a live operation goes on from.

    In the transaction of a new checkpoint, its research locked.
    """
    phase = Checkpoint.objects.filter(
        operation__research_id=operation.research_id, operation__kind=operation.kind, pruned_at=None
    )
    newest = list(phase.filter(unusable="").order_by("-id").values_list("id", flat=True)[:KEPT])
    in_use = Operation.objects.live().filter(resumed_from__isnull=False).values("resumed_from_id")
    if let_go(phase.exclude(pk__in=newest).exclude(pk__in=in_use)):
        forget_rows([operation.research_id])


def release(research_id: int) -> int:
    """All checkpoints of a completed research, which never goes on: in the transaction that completes it."""
    released = let_go(Checkpoint.objects.filter(operation__research_id=research_id, pruned_at=None))
    if released:
        forget_rows([research_id])
    return released


def let_go(unneeded: QuerySet[Checkpoint]) -> int:
    """Mark them, and delete their bytes once that is committed. Returns how many."""
    files = list(unneeded.values_list("id", "blob"))
    Checkpoint.objects.filter(pk__in=[pk for pk, _ in files]).update(pruned_at=DatabaseNow())
    for _, blob in files:
        delete_after_commit(blob)
    return len(files)


def forget_rows(researches: list[int]) -> int:
    """Delete the rows of checkpoints let go that tell nothing any more. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('ktrdr.retention', 'on', true)")
        cursor.execute(_DUST, [researches])
        forgotten: int = cursor.rowcount
        cursor.execute("SELECT set_config('ktrdr.retention', 'off', true)")
    return forgotten


def delete_after_commit(blob: str) -> None:
    """A failure only leaves a file for `retention`: the commit stands."""

    def delete() -> None:
        point("blob.let_go")
        blobs.delete(blob)

    transaction.on_commit(delete, robust=True)
