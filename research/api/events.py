"""Events and measures, to be followed by number or unit."""

# ruff: noqa: TC002, ARG001 - ninja calls by name and reads the annotations at run time
from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from research.api.auth import session
from research.models import Measure, Operation
from research.selectors import events as selector
from research.services.errors import NotFound

router = Router(auth=session)


@router.get("events", response=list[dict[str, Any]])
def events(
    request: HttpRequest, since: int = 0, limit: int = Query(200, ge=1, le=1000), research: int | None = None
) -> list[dict[str, Any]]:
    """Events after number `since`, in order; the numbers have no gaps."""
    return [selector.as_dict(event) for event in selector.since(since, limit=limit, research=research)]


@router.get("operations/{int:operation}/measures", response=list[dict[str, Any]])
def measures(
    request: HttpRequest, operation: int, since: int = -1, limit: int = Query(1000, ge=1, le=10_000)
) -> list[dict[str, Any]]:
    """Measures of units after `since`, in order: `unit` and `values`."""
    if not Operation.objects.filter(pk=operation).exists():
        raise NotFound(f"There is no operation {operation}.")
    found = Measure.objects.filter(operation_id=operation, unit__gt=since).order_by("unit")
    return [{"unit": unit, "values": values} for unit, values in found.values_list("unit", "values")[:limit]]
