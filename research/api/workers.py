"""Workers, as they are by the database's clock. Their own call, sync, is `research.api.sync`."""

# ruff: noqa: TC002, ARG001 - ninja calls by name and reads the annotations at run time
from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from research.api.auth import need, session
from research.selectors.workers import all_workers
from research.services import workers as service

router = Router(auth=session)


@router.get("", response=list[dict[str, Any]])
def workers(request: HttpRequest) -> list[dict[str, Any]]:
    """Every worker with its derived state, the age of its last heartbeat (s) and what it runs."""
    return [worker.as_dict() for worker in all_workers()]


@router.post("/{name}/draining", response={201: dict[str, Any]})
def drain(request: HttpRequest, name: str) -> Status:
    """Ask a worker to hand over what it runs and leave. 409 when it was asked before."""
    user = need(request, "research.change_worker")
    service.drain(name, user=user.get_username())
    [found] = [worker for worker in all_workers() if worker.name == name]
    return Status(HTTPStatus.CREATED, found.as_dict())
