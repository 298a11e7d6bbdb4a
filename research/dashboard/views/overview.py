"""The overview: the page, and each part of it by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from research.dashboard.access import members_only
from research.dashboard.forms import StartForm
from research.dashboard.selectors import overview_events, overview_researches, overview_system
from research.selectors.standing import Situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

PARTS: dict[str, Callable[[Situation], Any]] = {
    "status": overview_system.status,
    "researches": overview_researches.researches,
    "workers": overview_system.workers,
    "feed": lambda _situation: overview_events.feed(),
    "ended": lambda _situation: overview_researches.ended(),
}


@members_only
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return page(request, StartForm())


@members_only
@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part, as the page was built from."""
    if name not in PARTS:
        raise Http404(f"The overview has no part {name}.")
    return render(request, f"overview/{name}.html", {name: PARTS[name](Situation())})


def page(request: HttpRequest, form: StartForm, status: int = HTTPStatus.OK) -> HttpResponse:
    """The whole overview, with the form to start a research as it stands."""
    situation = Situation()
    context = {name: read(situation) for name, read in PARTS.items()}
    return render(request, "overview/index.html", context | {"form": form}, status=status)
