"""A research: one pass of the loop for one idea."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.urls import reverse

from research.lifecycle.states import ACTIVE, ENDED, RESUMABLE, Reason, State
from research.models.checks import among


class ResearchQuerySet(models.QuerySet["Research"]):
    def active(self) -> ResearchQuerySet:
        return self.filter(state__in=ACTIVE)

    def pending(self) -> ResearchQuerySet:
        """Waiting to begin, in the order in which they will."""
        return self.filter(state=State.PENDING).order_by("-priority", "id")

    def unfinished(self) -> ResearchQuerySet:
        return self.exclude(state__in=ENDED)

    def resumable(self) -> ResearchQuerySet:
        return self.filter(state__in=RESUMABLE)


class Research(models.Model):
    """Times are UTC. `seed` decides every random choice; `memory_seq` says how far of ledger and memory it may read."""

    brief = models.TextField()
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=13, choices=Reason, blank=True, default="")
    message = models.TextField(blank=True, default="")
    priority = models.IntegerField(default=0)
    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    designer = models.CharField(max_length=32, default="evolution")
    seed = models.BigIntegerField()
    memory_seq = models.BigIntegerField(default=0)
    given = models.JSONField(null=True, blank=True)  # a specification given by the user; then nothing is designed
    # What its strategy was made from: {"parent": trial, "research": of the trial, "change": kind}, or nothing.
    lineage = models.JSONField(default=dict, blank=True)
    overrides = models.JSONField(default=list, blank=True)  # ["training.epochs=5000", ...]
    strategy = models.ForeignKey("Strategy", null=True, blank=True, on_delete=models.PROTECT, related_name="researches")
    dataset = models.ForeignKey("Dataset", on_delete=models.PROTECT, related_name="researches")
    # Done again to compare bits: reads the same data and memory, and counts as no trial of its own.
    reproduces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reproductions"
    )
    # The first bar that a search may not read; and, for a result on what lies behind it, whose and which opening.
    holdout_from = models.DateTimeField(null=True, blank=True)
    holdout_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="holdouts")
    holdout_opening = models.PositiveIntegerField(null=True, blank=True)
    gates = models.JSONField(default=dict, blank=True)  # {"training": {...}, "backtest": {...}}
    verdict = models.JSONField(null=True, blank=True)
    metrics = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Operations up to this id do not count towards the limits: an operator resumed the research after them.
    counted_from = models.BigIntegerField(default=0)

    objects = ResearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "researches"
        indexes = [
            models.Index(fields=["state", "-priority", "id"], name="research_queue",
                         condition=~models.Q(state__in=ENDED)),
            models.Index(fields=["-ended_at"], name="research_ended", condition=models.Q(state__in=ENDED)),
            # What the list is filtered and sorted by.
            models.Index(fields=["state", "-id"], name="research_by_state"),
            models.Index(fields=["symbol", "timeframe", "-id"], name="research_by_market"),
            models.Index(KT("verdict__label"), models.F("id").desc(), name="research_by_verdict"),
            models.Index(
                Cast(KT("metrics__sharpe"), models.FloatField()).desc(nulls_last=True), models.F("id").desc(),
                name="research_by_sharpe",
            ),
        ]  # fmt: skip
        constraints = [
            among("state", State, "research_state_known"),
            models.CheckConstraint(
                name="research_ended_has_time",
                condition=models.Q(state__in=ENDED, ended_at__isnull=False)
                | (~models.Q(state__in=ENDED) & models.Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="research_failed_has_reason_and_message",
                condition=~models.Q(state=State.FAILED) | (~models.Q(reason="") & ~models.Q(message="")),
            ),
            models.CheckConstraint(
                name="research_completed_has_verdict",
                condition=~models.Q(state=State.COMPLETED) | models.Q(verdict__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"research {self.pk}: {self.brief[:60]}"

    def get_absolute_url(self) -> str:
        return reverse("research", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in RESUMABLE
