"""Researches that are started again and again."""

from __future__ import annotations

from django.db import models


class Schedule(models.Model):
    """Every `every_s` seconds a research like this is begun, with a random seed. Times are UTC, the database's clock.

    `asked` is what `services.researches.create` takes: symbol, timeframe, designer, given, overrides, priority.
    """

    brief = models.TextField()
    asked = models.JSONField(default=dict)
    every_s = models.PositiveIntegerField()
    next_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    started = models.PositiveIntegerField(default=0)  # so many researches
    last = models.ForeignKey("Research", null=True, blank=True, on_delete=models.PROTECT, related_name="schedules")
    problem = models.TextField(blank=True, default="")  # why the last turn began nothing

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["next_at"], name="schedule_due", condition=models.Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"schedule {self.pk}: {self.brief[:60]}"
