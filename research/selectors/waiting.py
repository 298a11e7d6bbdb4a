"""What a research waits for, in one sentence a person can act on. Empty when it does not wait."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q

from research.coordinator.admission import capacity
from research.lifecycle.states import IN_PROCESS, State, Status
from research.models import Cluster, Operation, Research, Term
from research.models.clock import DatabaseNow, database_now
from research.selectors.workers import WorkerState, WorkerView, all_workers

if TYPE_CHECKING:
    from datetime import datetime

CLUSTER_LATELY_S = 10.0


class Situation:
    """What the sentences depend on, read once and only when asked; make a new one for every answer."""

    @cached_property
    def now(self) -> datetime:
        return database_now()

    @cached_property
    def led(self) -> bool:
        """Some coordinator's term runs."""
        return Term.objects.filter(ended_at=None, lease_expires_at__gt=DatabaseNow()).exists()

    @cached_property
    def clustered(self) -> bool:
        """Some cluster is alive: somebody will lead in a moment."""
        lately = self.now - timedelta(seconds=CLUSTER_LATELY_S)
        return Cluster.objects.filter(ended_at=None, noted_at__gt=lately).exists()

    @property
    def why_not_led(self) -> str:
        if self.led:
            return ""
        return "the coordinator is called" if self.clustered else _NOBODY_LEADS

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
    def workers(self) -> list[WorkerView]:
        return all_workers()

    @cached_property
    def queue(self) -> list[tuple[str, int, int]]:
        """Kind, priority and research of the operations that could start now."""
        ready = Q(not_before=None) | Q(not_before__lte=DatabaseNow())
        return list(Operation.objects.queued().filter(ready).values_list("kind", "research__priority", "research_id"))

    def able(self, kind: str) -> list[WorkerView]:
        """Workers that run this kind and take work."""
        return [worker for worker in self.workers if kind in worker.kinds and worker.present]


def waiting_for(research: Research, live: Operation | None, situation: Situation) -> str:
    """`live` is the research's queued or running operation. Eight queries at most for any number of researches."""
    if research.state == State.PENDING:
        return _for_a_place(research, situation)
    if not research.is_active:
        return ""
    if live is None:
        return situation.why_not_led
    if live.status == Status.RUNNING:
        return "" if live.kind in IN_PROCESS else _for_its_worker(live, situation)
    if live.not_before is not None and live.not_before > situation.now:
        return f"starts again in {(live.not_before - situation.now).total_seconds():.0f} s"
    if live.kind in IN_PROCESS:
        return situation.why_not_led or "waits for a free process of the cluster"
    return _for_a_worker(live, situation)


_NOBODY_LEADS = "no coordinator leads: start a cluster (manage.py up, or manage.py cluster)"


def _for_a_place(research: Research, situation: Situation) -> str:
    ahead = situation.pending.index(research.pk) if research.pk in situation.pending else 0
    before = f", {ahead} ahead of it" if ahead else ""
    if situation.active + ahead >= situation.places:
        return f"waits for a free place: {situation.active} of {situation.places} researches are active{before}"
    return situation.why_not_led


def _for_a_worker(operation: Operation, situation: Situation) -> str:
    able = situation.able(operation.kind)
    if not able:
        return _why_none(operation.kind, situation)
    ahead = _ahead(operation, situation)
    if ahead:
        return f"{ahead} ahead of it"
    busy = [worker for worker in able if worker.operations]
    if len(busy) == len(able):
        whose = f"the {operation.kind} worker {able[0].name} is" if len(able) == 1 else (
            f"all {len(able)} {operation.kind} workers are"
        )  # fmt: skip
        return f"{whose} busy"
    return ""


def _why_none(kind: str, situation: Situation) -> str:
    states = {worker.state for worker in situation.workers if kind in worker.kinds}
    if WorkerState.SUSPECT in states:
        return f"the {kind} workers have just fallen silent"
    if WorkerState.DRAINING in states:
        return f"no {kind} worker takes new work: they are draining"
    return f"no {kind} worker is connected"


def _ahead(operation: Operation, situation: Situation) -> int:
    place = (-operation.research.priority, operation.research_id)
    return sum(kind == operation.kind and (-priority, research) < place for kind, priority, research in situation.queue)


def _for_its_worker(operation: Operation, situation: Situation) -> str:
    worker = next((one for one in situation.workers if one.id == operation.worker_id), None)
    if worker is None or worker.state not in (WorkerState.SUSPECT, WorkerState.DISCONNECTED):
        return ""
    silent = f"worker {worker.name} has been silent for {worker.heartbeat_age_s or 0:.0f} s"
    if worker.state == WorkerState.SUSPECT:
        return silent
    return f"{silent}: it may come back, or another {operation.kind} worker takes over"
