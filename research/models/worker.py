"""Workers as the backend knows them: name, present incarnation, when last heard of; and their tokens."""

from __future__ import annotations

from django.db import models


class WorkerToken(models.Model):
    """A bearer token for the worker `name` and for `name`-1, `name`-2, …; only its SHA-256 is stored."""

    name = models.CharField(max_length=63)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token for {self.name}"


class Worker(models.Model):
    """`incarnation` and `session` are those that count; times are UTC. Whether it is well is derived, never stored."""

    name = models.CharField(max_length=63, unique=True)
    incarnation = models.UUIDField(null=True, blank=True)
    session = models.BigIntegerField(null=True, blank=True)
    seq = models.BigIntegerField(default=-1)
    kinds = models.JSONField(default=list)
    host = models.JSONField(default=dict)
    entry = models.CharField(max_length=200, blank=True, default="")  # the URL it comes through
    draining = models.BooleanField(default=False)  # its own word
    drain_requested = models.BooleanField(default=False)  # an operator's
    idle = models.BooleanField(default=False)  # it reported no operation and could take one
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    lease_s = models.FloatField(default=6)
    heartbeat_s = models.FloatField(default=1)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WorkerSession(models.Model):
    """One incarnation of a worker. Its id is the session number; it counts from `confirmed_at` until `ended_at`."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="sessions")
    incarnation = models.UUIDField(unique=True)
    host = models.JSONField(default=dict)
    offered_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"session {self.pk} of worker {self.worker_id}"
