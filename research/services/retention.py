"""What nobody needs any more: uploads that became no row, files of pruned checkpoints, checkpoints of what is done.

Each is let go by the change that makes it needless (`pruning`); this comes by now and then for what a kill left.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.db import transaction

from research.lifecycle.states import State
from research.models import Artifact, Checkpoint, Dataset
from research.services import blobs, locks, pruning
from workers.faults import point

if TYPE_CHECKING:
    from research.services.blobstorage import BlobStorage

UPLOAD_S = 3600.0  # an upload younger than this may still become a row
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    files: int
    checkpoints: int


def tidy(*, older_than: float = UPLOAD_S) -> Tidied:
    """Let go of checkpoints of completed researches and remove files no row needs that are `older_than` seconds."""
    checkpoints = prune_completed()
    tidied = Tidied(files=sweep_files(older_than=older_than), checkpoints=checkpoints)
    if tidied.files or tidied.checkpoints:
        log.info("Tidied: %d files that no row needs, %d checkpoints of what is done.", tidied.files, checkpoints)
    return tidied


def prune_completed() -> int:
    """A completed research never goes on: its checkpoints go. Those of failed and cancelled ones stay for a resume."""
    left = Checkpoint.objects.filter(operation__research__state=State.COMPLETED, pruned_at=None)
    count = 0
    for research in sorted(set(left.values_list("operation__research_id", flat=True))):
        with transaction.atomic():
            locks.research(research)
            count += pruning.release(research)
    return count


def sweep_files(*, older_than: float = UPLOAD_S) -> int:
    """Remove files older than so many seconds that no dataset, artifact or unpruned checkpoint names."""
    store = cast("BlobStorage", blobs.storage())
    candidates = list(
        store.files(older_than=older_than)
    )  # listed before the rows are read: a later row cannot be missed
    needed = _needed()
    unneeded = [name for name, unfinished in candidates if unfinished or name not in needed]
    for name in unneeded:
        store.delete(name)
        point("retention.removed")
    return len(unneeded)


def _needed() -> set[str]:
    return {
        *Dataset.objects.values_list("blob", flat=True),
        *Artifact.objects.values_list("blob", flat=True),
        *Checkpoint.objects.filter(pruned_at=None).values_list("blob", flat=True),
    }
