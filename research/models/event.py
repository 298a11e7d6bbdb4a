"""The append-only record of what happened to what, when and why."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Level(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class Topic(models.TextChoices):
    """What an event is about, for the feeds of the dashboard."""

    RESEARCH = "research", "Research"
    OPERATION = "operation", "Operation"
    RECOVERY = "recovery", "Recovery"
    WORKER = "worker", "Worker"
    OPERATOR = "operator", "Operator"
    SYSTEM = "system", "System"


class Event(models.Model):
    """`seq` is gap-free and in commit order: a trigger numbers the row as its transaction's last act.

    Ids of what it is about are plain numbers: an event outlives its subject. `data` carries the evidence.
    """

    seq = models.BigIntegerField(unique=True, editable=False, default=0)
    at = models.DateTimeField(editable=False, default=timezone.now)  # the trigger writes the database's clock
    topic = models.CharField(max_length=9, choices=Topic)
    code = models.CharField(max_length=40)  # "operation.orphaned"
    level = models.CharField(max_length=7, choices=Level, default=Level.INFO)
    message = models.TextField()
    research_id = models.BigIntegerField(null=True, blank=True)
    operation_id = models.BigIntegerField(null=True, blank=True)
    worker = models.CharField(max_length=63, blank=True, default="")
    user = models.CharField(max_length=150, blank=True, default="")
    data = models.JSONField(default=dict)
    xact = models.BigIntegerField(editable=False, default=0)  # its transaction: proves that a change has its event

    class Meta:
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["research_id", "seq"], name="event_of_research"),
            models.Index(fields=["topic", "-seq"], name="event_of_topic"),
            models.Index(fields=["worker", "-seq"], name="event_of_worker", condition=~models.Q(worker="")),
            models.Index(fields=["level", "-seq"], name="event_of_level", condition=~models.Q(level=Level.INFO)),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.code}: {self.message}"


class EventCounter(models.Model):
    """One row: the last number given. Its row lock, held to the commit, makes the numbers follow the commits."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"last event {self.last}"
