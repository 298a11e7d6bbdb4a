"""Workers, as they are by the database's clock. Their own call, sync, is `research.api.sync`."""

# ruff: noqa: TC002, ARG001 - ninja calls by name and reads the annotations at run time
from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from research.api.auth import session
from research.selectors.workers import all_workers

router = Router(auth=session)


@router.get("", response=list[dict[str, Any]])
def workers(request: HttpRequest) -> list[dict[str, Any]]:
    """Every worker with its derived state, the age of its last heartbeat (s) and what it runs."""
    return [worker.as_dict() for worker in all_workers()]
