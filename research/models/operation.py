"""An operation: one try at one phase of a research, by one runner. Its id is the fencing token."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from research.lifecycle.states import EXTERNAL, FINISHED, IN_PROCESS, LIVE, Kind, Reason, Status
from research.models.checks import among


class OperationQuerySet(models.QuerySet["Operation"]):
    def live(self) -> OperationQuerySet:
        return self.filter(status__in=LIVE)

    def running(self) -> OperationQuerySet:
        return self.filter(status=Status.RUNNING)

    def queued(self) -> OperationQuerySet:
        return self.filter(status=Status.QUEUED)

    def in_process(self) -> OperationQuerySet:
        return self.filter(kind__in=IN_PROCESS)

    def external(self) -> OperationQuerySet:
        return self.filter(kind__in=EXTERNAL)


class Operation(models.Model):
    """Times are UTC. `unit` counts epochs or bars and never falls; lease and deadline hold while running."""

    research = models.ForeignKey("Research", on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=13, choices=Reason, blank=True, default="")
    message = models.TextField(blank=True, default="")
    attempt = models.PositiveIntegerField(default=1)
    spec = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    # Both point inside the same research, which is deleted as a whole: nothing is ever nulled in a finished operation.
    continues = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="continued_by")
    resumed_from = models.ForeignKey(
        "Checkpoint", null=True, blank=True, on_delete=models.CASCADE, related_name="resumed_by"
    )
    resumed_from_unit = models.BigIntegerField(null=True, blank=True)

    runner = models.CharField(max_length=200, blank=True, default="")  # a label for people: "cluster ab12 pid 77"
    cluster = models.UUIDField(null=True, blank=True)  # of an in-process runner
    runner_pid = models.IntegerField(null=True, blank=True)  # the same, on its cluster's host
    worker = models.ForeignKey(
        "Worker", null=True, blank=True, on_delete=models.PROTECT, related_name="operations"
    )  # of an external one
    incarnation = models.UUIDField(null=True, blank=True)
    assigned_seq = models.BigIntegerField(null=True, blank=True)
    reported = models.BooleanField(default=False)  # its runner has said once that it has it
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)  # the last doorbell
    doorbell = models.BigIntegerField(null=True, blank=True)  # its row in the task queue
    not_before = models.DateTimeField(null=True, blank=True)  # back-off

    unit = models.BigIntegerField(default=0)
    units = models.BigIntegerField(default=0)
    fraction = models.FloatField(default=0)
    progress_message = models.CharField(max_length=200, blank=True, default="")
    progressed_at = models.DateTimeField(null=True, blank=True)
    metrics_through = models.BigIntegerField(default=-1)
    result = models.JSONField(null=True, blank=True)

    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["research", "id"], name="operation_of_research"),
            models.Index(fields=["kind", "queued_at"], name="operation_queue", condition=Q(status=Status.QUEUED)),
            models.Index(fields=["worker"], name="operation_running_on", condition=Q(status=Status.RUNNING)),
            models.Index(
                F("rung_at").asc(nulls_first=True),
                name="operation_unheard",
                condition=Q(status=Status.QUEUED, kind__in=IN_PROCESS),
            ),
            models.Index(
                fields=["cluster"], name="operation_in_process", condition=Q(status=Status.RUNNING, kind__in=IN_PROCESS)
            ),
        ]
        constraints = [
            among("status", Status, "operation_status_known"),
            among("kind", Kind, "operation_kind_known"),
            among("reason", Reason, "operation_reason_known", blank=True),
            models.UniqueConstraint(
                fields=["research"], condition=Q(status__in=LIVE), name="one_live_operation_per_research"
            ),
            models.UniqueConstraint(
                fields=["research", "kind"],
                condition=Q(status=Status.COMPLETED),
                name="one_completed_operation_per_kind",
            ),
            models.UniqueConstraint(
                fields=["worker"],
                condition=Q(status=Status.RUNNING),
                name="one_running_operation_per_worker",
            ),
            models.CheckConstraint(
                name="running_has_runner_and_start",
                condition=~Q(status=Status.RUNNING)
                | (
                    ~Q(runner="")
                    & Q(started_at__isnull=False, lease_expires_at__isnull=False, deadline_at__isnull=False)
                    & (
                        Q(kind__in=IN_PROCESS, cluster__isnull=False, worker__isnull=True)
                        | Q(kind__in=EXTERNAL, worker__isnull=False, incarnation__isnull=False)
                    )
                ),
            ),
            models.CheckConstraint(
                name="queued_has_no_runner",
                condition=~Q(status=Status.QUEUED)
                | Q(
                    runner="",
                    started_at__isnull=True,
                    worker__isnull=True,
                    cluster__isnull=True,
                    incarnation__isnull=True,
                    runner_pid__isnull=True,
                    lease_expires_at__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="finished_has_end",
                condition=Q(status__in=FINISHED, ended_at__isnull=False)
                | (Q(status__in=LIVE) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="failed_has_reason_and_message",
                condition=~Q(status=Status.FAILED) | (~Q(reason="") & ~Q(message="")),
            ),
            models.CheckConstraint(
                name="completed_has_result",
                condition=Q(status=Status.COMPLETED, result__isnull=False)
                | (~Q(status=Status.COMPLETED) & Q(result__isnull=True)),
            ),
            models.CheckConstraint(
                name="resumed_unit_has_checkpoint",
                condition=Q(resumed_from__isnull=True, resumed_from_unit__isnull=True)
                | Q(resumed_from__isnull=False, resumed_from_unit__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"operation {self.pk} ({self.kind}, {self.status})"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_in_process(self) -> bool:
        return self.kind in IN_PROCESS
