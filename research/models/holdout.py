"""The part of a market's bars that no search reads."""

from __future__ import annotations

from django.db import models


class Holdout(models.Model):
    """`begins_at` is the time of its first bar, UTC; it moves forward when more bars are loaded, and never back.

    `opened` counts how often it was asked for one result.
    """

    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    begins_at = models.DateTimeField()
    opened = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["symbol", "timeframe"]
        constraints = [models.UniqueConstraint(fields=["symbol", "timeframe"], name="one_holdout_of_a_market")]

    def __str__(self) -> str:
        return f"hold-out of {self.symbol} {self.timeframe} from {self.begins_at:%Y-%m-%d}, opened {self.opened} times"
