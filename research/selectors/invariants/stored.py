"""What the rows promise against what is on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.models import Artifact, Checkpoint, Dataset
from research.selectors.invariants.base import Breach
from research.services import blobs

if TYPE_CHECKING:
    from collections.abc import Iterator

SENTENCE = "Every stored file that is needed is there and has its SHA-256."


def damaged() -> list[Breach]:
    """Reads every dataset, artifact and usable checkpoint. A file let go while this runs is not missed."""
    found = []
    for kind, pk, blob, sha256 in _needed():
        try:
            blobs.verify(blob, sha256)
        except blobs.Damaged as problem:
            if kind != "checkpoint" or Checkpoint.objects.filter(pk=pk, pruned_at=None).exists():
                found.append(Breach("files_are_whole", 9, SENTENCE, f"{kind} {pk}", str(problem)))
    return found


def _needed() -> Iterator[tuple[str, int, str, str]]:
    fields = ("pk", "blob", "sha256")
    for pk, blob, sha256 in Dataset.objects.order_by("pk").values_list(*fields):
        yield "dataset", pk, blob, sha256
    for pk, blob, sha256 in Artifact.objects.order_by("pk").values_list(*fields):
        yield "artifact", pk, blob, sha256
    for pk, blob, sha256 in Checkpoint.objects.filter(pruned_at=None, unusable="").order_by("pk").values_list(*fields):
        yield "checkpoint", pk, blob, sha256
