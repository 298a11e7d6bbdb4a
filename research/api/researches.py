"""Researches, for scripts of signed-in users."""

# ruff: noqa: TC001, TC002, ARG001 - ninja calls by name and reads the annotations at run time
from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from research.api.auth import need, session
from research.coordinator.tasks import resume_if_needed
from research.lifecycle.states import State
from research.selectors import researches as selector
from research.selectors.standing import Situation
from research.services import researches as service

router = Router(auth=session)


class NewResearch(Schema):
    """`given` is a strategy (then nothing is designed); `overrides` are `path=value`."""

    brief: str
    symbol: str = ""
    timeframe: str = ""
    seed: int | None = Field(None, ge=0)
    designer: str = "evolution"
    given: dict[str, Any] | None = None
    overrides: list[str] = []
    priority: int = 0


@router.get("", response=list[dict[str, Any]])
def researches(
    request: HttpRequest,
    state: list[State] = Query([]),  # noqa: B008 - how ninja is told
    limit: int = Query(100, ge=1, le=1000),
    before: int | None = None,
) -> list[dict[str, Any]]:
    """The newest first; `before` is the id to go on below."""
    situation = Situation()
    return [selector.summary(row, situation) for row in selector.newest(limit=limit, states=state, before=before)]


@router.get("/{int:research}", response=dict[str, Any])
def research(request: HttpRequest, research: int) -> dict[str, Any]:
    """One research with its operations and events."""
    return selector.detail(selector.get(research))


@router.post("", response={201: dict[str, Any]})
def start(request: HttpRequest, body: NewResearch) -> Status:
    """Create a research; the coordinator begins it."""
    user = need(request, "research.add_research")
    made = service.create(**body.dict(), user=user)
    resume_if_needed()
    return Status(HTTPStatus.CREATED, selector.detail(selector.get(made.pk)))


@router.post("/{int:research}/cancellation", response={201: dict[str, Any]})
def cancel(request: HttpRequest, research: int) -> Status:
    """Cancel a research that is not over. 409 when it is."""
    user = need(request, "research.change_research")
    service.cancel(research, user=user.get_username())
    return Status(HTTPStatus.CREATED, selector.detail(selector.get(research)))


@router.post("/{int:research}/resumption", response={201: dict[str, Any]})
def resume(request: HttpRequest, research: int) -> Status:
    """Make a failed or cancelled research active again. 409 when it is neither, or somebody was faster."""
    user = need(request, "research.change_research")
    service.resume(research, user=user.get_username())
    resume_if_needed()
    return Status(HTTPStatus.CREATED, selector.detail(selector.get(research)))
