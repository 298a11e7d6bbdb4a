"""Strategies as designed or given, datasets, and the ledger of trials."""

from __future__ import annotations

from django.db import models


class Strategy(models.Model):
    """A validated specification. The same specification is one row, however often it is proposed."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    origin = models.CharField(max_length=32)  # "given" or the designer's name
    spec = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "strategies"

    def __str__(self) -> str:
        return self.name


class Dataset(models.Model):
    """Bars of one symbol and timeframe, as loaded; a new load is a new row, researches keep theirs. Times are UTC."""

    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64)  # of the blob: the bars themselves
    size = models.BigIntegerField()
    blob = models.CharField(max_length=200)
    bars = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    source = models.CharField(max_length=300, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="")
    quality = models.JSONField(default=dict)
    loaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["symbol", "timeframe", "-id"]
        constraints = [models.UniqueConstraint(fields=["symbol", "timeframe", "sha256"], name="dataset_loaded_once")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} ({self.bars} bars)"


class Trial(models.Model):
    """One strategy tried on one symbol and timeframe; survives the deletion of its research. `id` orders the ledger."""

    research_id = models.BigIntegerField(unique=True)
    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    strategy_sha256 = models.CharField(max_length=64)
    brief = models.TextField(blank=True, default="")
    lineage = models.JSONField(default=dict, blank=True)  # as on its research
    spec = models.JSONField()
    sharpe = models.FloatField(null=True)  # per period, not annualised
    dsr = models.FloatField(null=True)
    verdict = models.CharField(max_length=12)
    metrics = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["symbol", "timeframe", "id"], name="trial_of_market")]

    def __str__(self) -> str:
        return f"trial {self.pk} on {self.symbol} {self.timeframe}"
