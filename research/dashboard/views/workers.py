"""The pages of the workers: all of them, and one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from research.dashboard.access import members_only
from research.dashboard.selectors import workers_list, workers_one
from research.services.errors import NotFound

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@members_only
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return render(request, "workers/index.html", {"workers": workers_list.workers()})


@members_only
@require_safe
def part(request: HttpRequest) -> HttpResponse:
    """The list, as the page was built from."""
    return render(request, "workers/list.html", {"workers": workers_list.workers()})


@members_only
@require_safe
def one(request: HttpRequest, name: str) -> HttpResponse:
    """The whole page of a worker, or in words that there is none of this name."""
    try:
        found = workers_one.one(name)
    except NotFound:
        return render(request, "workers/missing.html", {"name": name}, status=HTTPStatus.NOT_FOUND)
    return render(request, "workers/one.html", {"one": found})


@members_only
@require_safe
def one_part(request: HttpRequest, name: str) -> HttpResponse:
    """The same, without the frame."""
    try:
        return render(request, "workers/one_part.html", {"one": workers_one.one(name)})
    except NotFound as problem:
        raise Http404(str(problem)) from None
