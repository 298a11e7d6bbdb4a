"""Events for feeds, commands and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.models import Event, EventCounter
from research.selectors.times import iso

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST = 1000


def since(
    seq: int, *, limit: int = 200, research: int | None = None, topics: list[str] | None = None
) -> QuerySet[Event]:
    """The events after number `seq`, in order, `limit` (at most 1000) of them."""
    found = Event.objects.filter(seq__gt=seq)
    if research is not None:
        found = found.filter(research_id=research)
    if topics:
        found = found.filter(topic__in=topics)
    return found.order_by("seq")[: max(1, min(limit, MOST))]


def newest() -> int:
    """The number of the newest event; 0 before the first."""
    return EventCounter.objects.values_list("last", flat=True).first() or 0


def of_research(research_id: int, *, newest: int = MOST) -> list[Event]:
    """The newest events of one research, in order."""
    return list(reversed(Event.objects.filter(research_id=research_id).order_by("-seq")[:newest]))


def as_dict(event: Event) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "seq": event.seq, "at": iso(event.at), "topic": event.topic, "code": event.code, "level": event.level,
        "message": event.message, "research": event.research_id, "operation": event.operation_id,
        "worker": event.worker, "user": event.user, "data": event.data,
    }  # fmt: skip
