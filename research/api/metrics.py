"""`/metrics`: figures for Prometheus, in its text format, version 0.0.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from research.lifecycle.states import LIVE, Kind, State
from research.models import EventCounter, Operation, Research, Term
from research.models.clock import DatabaseNow
from research.selectors.workers import WorkerState, all_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

Sample = tuple[dict[str, str], float]


def metrics(_request: HttpRequest) -> HttpResponse:
    """Seven queries; nothing in it names a person, a brief or a host."""
    lines = [line for part in (_researches(), _operations(), _workers(), _system()) for line in part]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _researches() -> Iterator[str]:
    counts = dict(Research.objects.order_by().values_list("state").annotate(Count("id")))
    samples = [({"state": state.value}, float(counts.get(state.value, 0))) for state in State]
    yield from _family("ktrdr_researches", "gauge", "Researches by state", samples)


def _operations() -> Iterator[str]:
    rows = Operation.objects.live().order_by().values_list("kind", "status").annotate(Count("id"))
    counts = {(kind, status): count for kind, status, count in rows}
    samples = [
        ({"kind": kind.value, "status": status.value}, float(counts.get((kind.value, status.value), 0)))
        for kind in Kind
        for status in LIVE
    ]
    yield from _family("ktrdr_operations_live", "gauge", "Live operations by kind and status", samples)
    endings = Operation.objects.filter(ended_at__isnull=False).order_by().values_list("kind", "status", "reason")
    ended = [
        ({"kind": kind, "status": status, "reason": reason}, float(count))
        for kind, status, reason, count in endings.annotate(Count("id"))
    ]
    yield from _family("ktrdr_operations_ended", "gauge", "Finished operations on record", ended)


def _workers() -> Iterator[str]:
    states = [worker.state for worker in all_workers()]
    samples = [({"state": state.value}, float(states.count(state))) for state in WorkerState]
    yield from _family("ktrdr_workers", "gauge", "Workers by state", samples)


def _system() -> Iterator[str]:
    last = EventCounter.objects.values_list("last", flat=True).first() or 0
    yield from _family("ktrdr_events_total", "counter", "Events recorded", [({}, float(last))])
    led = Term.objects.filter(ended_at=None, lease_expires_at__gt=DatabaseNow()).exists()
    yield from _family("ktrdr_leader", "gauge", "1 when a coordinator leads", [({}, float(led))])


def _family(name: str, kind: str, about: str, samples: list[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inner = ",".join(f'{key}="{text}"' for key, text in labels.items())
        yield f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}"
