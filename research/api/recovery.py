"""How recovery stands, for scripts of signed-in users."""

# ruff: noqa: TC002, ARG001 - ninja calls by name and reads the annotations at run time
from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from research.api.auth import session
from research.selectors.recovery import status

router = Router(auth=session)


@router.get("", response=dict[str, Any])
def recovery(request: HttpRequest) -> dict[str, Any]:
    """Who leads, who hears workers, what runs with which lease, and what would be done next and why."""
    return status()
