"""How much disk what is stored takes, by kind."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from research.models import Artifact, Checkpoint, Dataset


@dataclass(frozen=True, slots=True)
class Stored:
    """`size` in bytes, as the rows say: files that no row needs are not counted."""

    what: str
    count: int
    size: int

    @property
    def text(self) -> str:
        return f"{self.count} {self.what}, {self.size / 2**20:.1f} MiB"


def usage() -> list[Stored]:
    """Checkpoints that are kept, artifacts and datasets."""
    kinds = {
        "checkpoints": Checkpoint.objects.filter(pruned_at=None),
        "artifacts": Artifact.objects.all(),
        "datasets": Dataset.objects.all(),
    }
    totals = {what: rows.aggregate(count=Count("pk"), size=Sum("size")) for what, rows in kinds.items()}
    return [Stored(what, total["count"], total["size"] or 0) for what, total in totals.items()]
