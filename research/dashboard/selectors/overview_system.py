"""How the system itself is: who leads, how much room there is, which workers are there, what needs a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from research.lifecycle.states import EXTERNAL, State
from research.models import Research, Term
from research.selectors.workers import WorkerState, WorkerView

if TYPE_CHECKING:
    from research.selectors.standing import Situation

RECENT = timedelta(hours=24)
MOST_TILES, MOST_FAILED = 60, 3


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs a person; `research` is the one it is about, if it is about one."""

    tone: str
    title: str
    text: str
    research: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Capacity, leader and alerts. `amnesty_until`: nobody in-process is judged before."""

    active: int
    places: int
    pending: int
    workers: int
    workers_connected: int
    leader: Term | None
    amnesty_until: datetime | None
    amnesty_reason: str
    alerts: list[Alert] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tile:
    """A worker; `seen_at` by the database's clock, None for one never heard of."""

    view: WorkerView
    seen_at: datetime | None

    @property
    def host(self) -> str:
        """`box, 8 cores, NVIDIA …` as far as it told."""
        said: dict[str, Any] = self.view.host
        cores = f"{said['cores']} cores" if said.get("cores") else ""
        gpu = said.get("gpu")
        name = gpu.get("name", "GPU") if isinstance(gpu, dict) else gpu or ""
        return ", ".join(str(part) for part in (said.get("hostname"), cores, name) if part)


@dataclass(frozen=True, slots=True)
class Workers:
    """Those that count, by name; `gone` left long ago; `more` are not listed."""

    tiles: list[Tile]
    gone: int
    more: int


def workers(situation: Situation) -> Workers:
    here = [view for view in situation.workers if view.state != WorkerState.GONE]
    tiles = [Tile(view, _seen(view, situation.now)) for view in here[:MOST_TILES]]
    return Workers(tiles, len(situation.workers) - len(here), len(here) - len(tiles))


def status(situation: Situation) -> Status:
    leader = Term.objects.filter(ended_at=None, lease_expires_at__gt=situation.now).first()
    until = leader.amnesty_until if leader else None
    here = [view for view in situation.workers if view.state != WorkerState.GONE]
    judged_late = until is not None and until > situation.now
    return Status(
        situation.active, situation.places, len(situation.pending), len(here), sum(view.present for view in here),
        leader, until if judged_late else None, leader.amnesty_reason if leader and judged_late else "",
        [*_nobody_leads(leader, situation), *_no_workers(situation), *_failed(situation.now)],
    )  # fmt: skip


def _nobody_leads(leader: Term | None, situation: Situation) -> list[Alert]:
    waiting = situation.active + len(situation.pending)
    if leader is not None or not waiting:
        return []
    text = f"{_researches(waiting)} cannot go on. Start a cluster: manage.py up, or manage.py cluster."
    return [Alert("bad", "No coordinator leads", text)]


def _no_workers(situation: Situation) -> list[Alert]:
    queued = Counter(kind for kind, _priority, _pk in situation.queue)
    return [
        Alert(
            "bad", f"No {kind} worker takes work",
            f"{queued[kind]} queued {kind} operation{'s' if queued[kind] > 1 else ''} cannot start. Start a worker: "
            f"python -m workers --kinds {kind} --name NAME --url URL.",
        )
        for kind in EXTERNAL if queued[kind] and not _may_be_able(kind, situation)
    ]  # fmt: skip


def _may_be_able(kind: str, situation: Situation) -> bool:
    """One that has just fallen silent is waited for before anybody is called."""
    suspect = any(view.state == WorkerState.SUSPECT and kind in view.kinds for view in situation.workers)
    return suspect or bool(situation.able(kind))


def _failed(now: datetime) -> list[Alert]:
    recent = Research.objects.filter(state=State.FAILED, ended_at__gt=now - RECENT)
    newest = list(recent.only("id", "message").order_by("-ended_at")[:MOST_FAILED])
    alerts = [Alert("bad", f"Research {row.pk} failed", row.message, row.pk) for row in newest]
    if len(newest) == MOST_FAILED:
        more = recent.aggregate(all=Count("id"))["all"] - MOST_FAILED
        if more > 0:
            alerts.append(Alert("bad", f"{_researches(more)} more failed", "in the last 24 hours."))
    return alerts


def _researches(count: int) -> str:
    return f"{count} research{'es' if count != 1 else ''}"


def _seen(view: WorkerView, now: datetime) -> datetime | None:
    return None if view.heartbeat_age_s is None else now - timedelta(seconds=view.heartbeat_age_s)
