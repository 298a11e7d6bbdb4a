"""How recovery stands: who leads, who can hear, what runs where, and what would be done next and why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from research.coordinator.admission import capacity
from research.coordinator.facts import gather
from research.lifecycle import step as steps
from research.lifecycle.states import State
from research.models import Research, Term
from research.models.clock import database_now
from research.runners.liveness import Amnesty
from research.selectors.researches import operation_dict
from research.selectors.standing import Situation, standing
from research.selectors.times import iso
from research.selectors.workers import all_workers
from research.services import terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from research.coordinator.facts import Facts
    from research.models import Operation
    from research.selectors.workers import WorkerView

LATELY = timedelta(hours=24)


def status() -> dict[str, Any]:
    """JSON-ready; reads only. `api_up_since` is None while no web process can hear workers.

    `standing`: every research that is not over, and those that ended lately and need somebody, in words.
    """
    now, term = database_now(), terms.present()
    amnesty = _amnesty(term, now)
    situation = Situation()
    facts = [gather(research, lock=False) for research in Research.objects.active().order_by("id")]
    return {
        "at": iso(now),
        "leader": None if term is None else _leader(term, now),
        "amnesty": amnesty.reason if amnesty.active else "",
        "api_up_since": _up_since(situation),
        "silence_s": round(situation.silence_s, 3),
        "standing": [*_standing(facts, situation)],
        "active": [_active(one, now) for one in facts],
        "pending": len(situation.pending),
        "places": situation.places,
        "workers": [_worker(one) for one in all_workers()],
        "planned": [*_begins(situation), *(_planned(one, amnesty, situation) for one in facts)],
    }


def _leader(term: Term, now: datetime) -> dict[str, Any]:
    return {
        "term": term.pk, "label": term.label, "cluster": str(term.cluster), "since": iso(term.started_at),
        "lease_s": _seconds(term.lease_expires_at, now),
    }  # fmt: skip


def _amnesty(term: Term | None, now: datetime) -> Amnesty:
    """That of the term in office; without one, that of the next, which takes over the last one's."""
    last = term or Term.objects.order_by("-id").first()
    if last is None or last.amnesty_until is None or last.amnesty_until <= now:
        return Amnesty()
    return Amnesty(active=True, reason=last.amnesty_reason)


def _up_since(situation: Situation) -> str | None:
    heard = situation.hears_s
    return None if heard is None else iso(situation.now - timedelta(seconds=heard))


def _standing(facts: list[Facts], situation: Situation) -> Iterator[dict[str, Any]]:
    others = Research.objects.filter(
        Q(state=State.PENDING)
        | Q(state=State.FAILED, ended_at__gt=situation.now - LATELY)
        | Q(pk__in=situation.stopping)
    )
    live = {one.research.pk: one.live for one in facts}
    for research in [*(one.research for one in facts), *others.order_by("id")]:
        stands = standing(research, live.get(research.pk), situation)
        yield {"research": research.pk, "state": research.state, **stands.as_dict()}


def _active(facts: Facts, now: datetime) -> dict[str, Any]:
    live = facts.live
    operation = None
    if live is not None:
        operation = operation_dict(live) | {
            "lease_s": _seconds(live.lease_expires_at, now), "deadline_s": _seconds(live.deadline_at, now),
        }  # fmt: skip
    return {"id": facts.research.pk, "state": facts.research.state, "operation": operation}


def _worker(worker: WorkerView) -> dict[str, Any]:
    keys = ("name", "incarnation", "state", "kinds", "heartbeat_age_s", "operations")
    return {key: value for key, value in worker.as_dict().items() if key in keys}


def _begins(situation: Situation) -> list[dict[str, Any]]:
    """The pending researches that have a place."""
    free = max(0, capacity() - situation.active)
    why = "it has the highest priority, then was created first, and a place is free"
    return [_plan(research, None, "begin", why) for research in situation.pending[:free]]


def _planned(facts: Facts, amnesty: Amnesty, situation: Situation) -> dict[str, Any]:
    step, live = facts.decide(amnesty), facts.live
    name, why = _words(step, facts, standing(facts.research, live, situation).waits or _lives(live, amnesty))
    return _plan(facts.research.pk, live.pk if live else None, name, why)


def _plan(research: int, operation: int | None, step: str, why: str) -> dict[str, Any]:
    return {"research": research, "operation": operation, "step": step, "why": why}


def _words(step: steps.Step, facts: Facts, waits: str) -> tuple[str, str]:
    match step:
        case steps.Orphan(_, evidence):
            return "orphan", f"its runner is lost: {evidence['text']}"
        case steps.TimeOut(_, evidence):
            return "time out", f"its deadline passed {evidence['late_s']} s ago"
        case steps.Ring():
            return "ring", "nobody answered its doorbell for 2 s"
        case steps.Start(kind, attempt, continues, restore, delay):
            begin = f"from unit {restore.unit}" if restore else "from its beginning"
            after = f"; operation {continues} ended as {_reason(facts, continues)}" if continues else ""
            return "start", f"{kind}, try {attempt}, {begin}{f', in {delay:g} s' if delay else ''}{after}"
        case steps.Absorb(operation):
            return "move on", f"operation {operation} has the result of this phase"
        case steps.Fail(reason, message):
            return "fail", f"{reason}: {message}"
    return "wait", waits


def _reason(facts: Facts, operation: int) -> str:
    found = next((one for one in facts.operations if one.pk == operation), None)
    return (found.reason or found.status) if found else "unknown"


def _lives(live: Operation | None, amnesty: Amnesty) -> str:
    if live is not None and live.is_in_process and amnesty.active:
        return f"no phase is judged now: {amnesty.reason}"
    return "its runner lives" if live is not None and live.runner else "it is about to begin"


def _seconds(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((moment - now).total_seconds(), 3)
