"""What the backend knows of itself: who leads, since when the web can hear, which clusters are alive."""

from __future__ import annotations

from django.db import models


class Term(models.Model):
    """One leader's time in office. Times are the database's. `epoch` names the database's own life (see liveness)."""

    cluster = models.UUIDField()
    backend_pid = models.IntegerField()  # of the session that holds the leader lock
    label = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField()
    ticked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    epoch = models.CharField(max_length=200, default="")
    amnesty_until = models.DateTimeField(null=True, blank=True)
    amnesty_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(ended_at__isnull=True), name="one_term_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"term {self.pk} of {self.label}"


class Cover(models.Model):
    """One row: since when, without a gap, some web process could hear workers (the lease clock)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    up_since = models.DateTimeField()
    noted_at = models.DateTimeField()
    silence_since = models.DateTimeField(null=True, blank=True)  # most workers of an entry went silent together
    silence_ended = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"covered since {self.up_since}"


class WebProcess(models.Model):
    """A web process that covers. `backend_pid` is its listening session, which holds the cover lock."""

    id = models.UUIDField(primary_key=True)
    backend_pid = models.IntegerField()
    label = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.label


class Cluster(models.Model):
    """A start of `manage.py cluster`. `stamped_at` is when one of its tasks last finished."""

    id = models.UUIDField(primary_key=True)
    label = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    stamped_at = models.DateTimeField()
    noted_at = models.DateTimeField()
    drain_until = models.DateTimeField(null=True, blank=True)  # it takes no new phase; running ones hand over by then
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.label
