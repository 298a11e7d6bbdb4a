"""The page of one research."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse

from research.dashboard.access import members_only

if TYPE_CHECKING:
    from django.http import HttpRequest


@members_only
def show(request: HttpRequest, pk: int) -> HttpResponse:  # noqa: ARG001
    return HttpResponse(f"Research {pk}")


@members_only
def part(request: HttpRequest, pk: int, name: str) -> HttpResponse:  # noqa: ARG001
    raise Http404(f"The page of research {pk} has no part {name}.")
