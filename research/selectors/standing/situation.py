"""What the sentences depend on beside the research itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, F, Max, Q

from research.coordinator.admission import capacity
from research.coordinator.attention import lost_in_process
from research.lifecycle.pace import stretched
from research.lifecycle.states import ACTIVE, Status
from research.models import Checkpoint, Cluster, Cover, Operation, Research, Term
from research.models.clock import DatabaseNow, In, database_now
from research.selectors.workers import WorkerView, all_workers
from research.services.cover import GAP_S

if TYPE_CHECKING:
    from datetime import datetime

CLUSTER_LATELY_S = 10.0
CANCELLED_LATELY_S = 3600.0


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A living cluster. `silent_s`: how long none of its tasks has finished, canaries included."""

    label: str
    running: int
    silent_s: float
    leaving: bool


class Situation:
    """Read once and only when asked; make a new one for every answer."""

    @cached_property
    def now(self) -> datetime:
        return database_now()

    # Who leads, and what there is to run in-process phases ------------------------------------------------------------

    @cached_property
    def led(self) -> bool:
        """Some coordinator's term runs."""
        return Term.objects.filter(ended_at=None, lease_expires_at__gt=DatabaseNow()).exists()

    @cached_property
    def clusters(self) -> list[ClusterView]:
        """Those whose main process was heard of lately."""
        lately = self.now - timedelta(seconds=CLUSTER_LATELY_S)
        running = dict(
            Operation.objects.running().in_process().values_list("cluster").annotate(Count("id")).order_by("cluster")
        )
        return [
            ClusterView(row.label, running.get(row.pk, 0), (self.now - row.stamped_at).total_seconds(),
                        row.drain_until is not None)
            for row in Cluster.objects.filter(ended_at=None, noted_at__gt=lately).order_by("started_at")
        ]  # fmt: skip

    @property
    def clustered(self) -> bool:
        """Some cluster is alive and stays: somebody will lead in a moment."""
        return any(not cluster.leaving for cluster in self.clusters)

    @cached_property
    def amnesty(self) -> tuple[float, str]:
        """For how many seconds no in-process phase is judged yet, 0 for none, and why."""
        last = Term.objects.order_by("-id").first()
        if last is None or last.amnesty_until is None:
            return 0.0, ""
        return max(0.0, (last.amnesty_until - self.now).total_seconds()), last.amnesty_reason

    @cached_property
    def lost(self) -> set[int]:
        """Researches whose in-process phase has no living process behind it, or is past its deadline."""
        return set(lost_in_process())

    # Places and the queue ---------------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> int:
        return capacity()

    @cached_property
    def active(self) -> int:
        return Research.objects.active().count()

    @cached_property
    def pending(self) -> list[int]:
        return list(Research.objects.pending().values_list("id", flat=True))

    @cached_property
    def queue(self) -> list[tuple[str, int, int]]:
        """Kind, priority and research of the operations that could start now."""
        ready = Q(not_before=None) | Q(not_before__lte=DatabaseNow())
        return list(Operation.objects.queued().filter(ready).values_list("kind", "research__priority", "research_id"))

    # Workers, and who hears them --------------------------------------------------------------------------------------

    @cached_property
    def _cover(self) -> Cover | None:
        return Cover.objects.first()

    @property
    def hears_s(self) -> float | None:
        """For how long some web process has heard workers without a gap; None while none does."""
        cover = self._cover
        if cover is None or (self.now - cover.noted_at).total_seconds() > GAP_S:
            return None
        return (self.now - cover.up_since).total_seconds()

    @property
    def deaf(self) -> bool:
        """Web processes heard workers once, and none does now."""
        return self._cover is not None and self.hears_s is None

    @property
    def silence_s(self) -> float:
        """For how many seconds no lease ends yet, because most workers fell silent together; 0 for none."""
        cover = self._cover
        if cover is None or cover.silence_since is None:
            return 0.0
        env = settings.ENV
        longest = max((stretched(worker.heartbeat_s, env.heartbeat) for worker in self.workers), default=1.0)
        return max(0.0, env.amnesty * longest - (self.now - cover.silence_since).total_seconds())

    @cached_property
    def workers(self) -> list[WorkerView]:
        return all_workers()

    def of_kind(self, kind: str) -> list[WorkerView]:
        """Workers that can run this kind, however they are."""
        return [worker for worker in self.workers if kind in worker.kinds]

    def able(self, kind: str) -> list[WorkerView]:
        """Workers that run this kind and take work."""
        return [worker for worker in self.of_kind(kind) if worker.present]

    # What is kept -----------------------------------------------------------------------------------------------------

    @cached_property
    def _checkpoints(self) -> dict[tuple[int, str], int]:
        usable = Checkpoint.objects.filter(unusable="", pruned_at=None, operation__research__state__in=ACTIVE)
        found = usable.values_list("operation__research_id", "operation__kind").annotate(Max("unit")).order_by()
        return {(research, kind): unit for research, kind, unit in found}

    def saved(self, operation: Operation) -> int | None:
        """The unit of the newest checkpoint its phase could go on from."""
        return self._checkpoints.get((operation.research_id, operation.kind))

    @cached_property
    def stopping(self) -> dict[int, WorkerView]:
        """By research: the worker that was not yet told of a cancel, or does not have its child stopped yet."""
        views = {worker.id: worker for worker in self.workers}
        rows = Operation.objects.filter(
            Q(worker__last_seen_at__lt=F("ended_at")) | Q(worker__idle=False, worker__draining=False),
            status=Status.CANCELLED, ended_at__gt=In(-CANCELLED_LATELY_S), incarnation=F("worker__incarnation"),
        )  # fmt: skip
        found = {row.research_id: views.get(row.worker_id or 0) for row in rows.only("research_id", "worker_id")}
        return {pk: view for pk, view in found.items() if view is not None and not view.operations}
