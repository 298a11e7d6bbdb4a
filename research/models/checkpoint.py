"""What a runner saved: checkpoints to go on from, artifacts of a result, and the measures on the way."""

from __future__ import annotations

from django.db import models


class Checkpoint(models.Model):
    """Write-once. `unit` is the last one it contains; `size` is bytes; `blob` the name in the blob storage."""

    operation = models.ForeignKey("Operation", on_delete=models.CASCADE, related_name="checkpoints")
    unit = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    blob = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    pruned_at = models.DateTimeField(null=True, blank=True)
    unusable = models.CharField(max_length=300, blank=True, default="")  # why it cannot be gone on from

    class Meta:
        ordering = ["-unit"]
        constraints = [models.UniqueConstraint(fields=["operation", "unit"], name="checkpoint_written_once")]

    def __str__(self) -> str:
        return f"checkpoint of operation {self.operation_id} at unit {self.unit}"


class Artifact(models.Model):
    """A file of a result. Write-once while its operation runs, immutable after."""

    operation = models.ForeignKey("Operation", on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    blob = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["operation", "name"], name="artifact_written_once")]

    def __str__(self) -> str:
        return f"{self.name} of operation {self.operation_id}"


class Measure(models.Model):
    """The measures of one unit of an operation: {"loss": 0.61, "validation_loss": 0.64, "fold": 0, "seed": 0}."""

    operation = models.ForeignKey("Operation", on_delete=models.CASCADE, related_name="measures")
    unit = models.BigIntegerField()
    values = models.JSONField()

    class Meta:
        ordering = ["unit"]
        constraints = [models.UniqueConstraint(fields=["operation", "unit"], name="measure_written_once")]

    def __str__(self) -> str:
        return f"measures of operation {self.operation_id} at unit {self.unit}"
