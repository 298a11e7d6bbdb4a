"""Workers as people see them: how they are is derived from when they were last heard of, by the database's clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection

from research.lifecycle.pace import stretched
from research.models import Operation, Worker
from research.services.cover import GAP_S

GONE_AFTER_S = 600.0


class WorkerState(StrEnum):
    CONNECTED = "connected"
    SUSPECT = "suspect"
    DISCONNECTED = "disconnected"
    DRAINING = "draining"
    GONE = "gone"


WORKER_TONE = {"connected": "good", "suspect": "warn", "disconnected": "bad", "draining": "warn", "gone": "quiet"}
"""Colour of a worker's state on a page, as `lifecycle.states.TONE`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds. `age` since the last word; `silence` only while somebody could hear; `ended`: its session was closed."""

    age: float | None
    silence: float
    ended: bool = False


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker; `heartbeat_age_s` is None for one never heard of."""

    id: int
    name: str
    incarnation: str | None
    session: int | None
    state: WorkerState
    kinds: list[str]
    heartbeat_age_s: float | None
    lease_s: float
    heartbeat_s: float
    idle: bool
    draining: bool
    host: dict[str, Any]
    operations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def present(self) -> bool:
        """It can be counted on for new work."""
        return self.state == WorkerState.CONNECTED

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


_HEARD = """
SELECT w.id,
  extract(epoch FROM clock_timestamp() - w.last_seen_at)::float8,
  extract(epoch FROM least(clock_timestamp(), c.noted_at + make_interval(secs => %s))
                     - greatest(w.last_seen_at, c.up_since))::float8,
  coalesce(s.ended_at IS NOT NULL, false)
FROM research_worker w
LEFT JOIN research_cover c ON c.id = 1
LEFT JOIN research_workersession s ON s.id = w.session
"""


def all_workers() -> list[WorkerView]:
    """Every worker, by name, with what it runs; three queries."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, [GAP_S])
        heard = {pk: Heard(age, max(0.0, silence or 0.0), ended) for pk, age, silence, ended in cursor.fetchall()}
    running: dict[int | None, list[Operation]] = {}
    for operation in Operation.objects.running().external():
        running.setdefault(operation.worker_id, []).append(operation)
    return [_view(row, heard[row.pk], running.get(row.pk, [])) for row in Worker.objects.all() if row.pk in heard]


def state_of(heard: Heard, *, lease_s: float, suspect_s: float, draining: bool, busy: bool = False) -> WorkerState:
    """How a worker is. Pure.

    Silence counts only while some web process could hear; a busy worker is never `gone`, since it may come back to its
    work.
    """
    if heard.age is None or (not busy and (heard.ended or heard.age > GONE_AFTER_S)):
        return WorkerState.GONE
    if heard.silence > lease_s or heard.ended:
        return WorkerState.DISCONNECTED
    if heard.silence > suspect_s:
        return WorkerState.SUSPECT
    return WorkerState.DRAINING if draining else WorkerState.CONNECTED


def _view(row: Worker, heard: Heard, running: list[Operation]) -> WorkerView:
    env = settings.ENV
    draining = row.draining or row.drain_requested
    suspect_s = env.suspect * stretched(row.heartbeat_s, env.heartbeat)
    state = state_of(heard, lease_s=row.lease_s, suspect_s=suspect_s, draining=draining, busy=bool(running))
    return WorkerView(
        id=row.pk, name=row.name, incarnation=str(row.incarnation) if row.incarnation else None, session=row.session,
        state=state, kinds=list(row.kinds), heartbeat_age_s=None if heard.age is None else round(heard.age, 3),
        lease_s=row.lease_s, heartbeat_s=row.heartbeat_s, idle=row.idle, draining=draining, host=dict(row.host),
        operations=[_brief(operation) for operation in running],
    )  # fmt: skip


def _brief(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.pk, "kind": operation.kind, "research": operation.research_id, "unit": operation.unit,
        "units": operation.units, "fraction": operation.fraction, "message": operation.progress_message,
    }  # fmt: skip
