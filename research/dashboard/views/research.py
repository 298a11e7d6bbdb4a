"""The page of one research, and each part of it by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from research.dashboard.access import members_only
from research.dashboard.selectors.research_parts import PARTS
from research.dashboard.selectors.research_rows import Rows
from research.services.errors import NotFound

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@members_only
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page, or in words that there is no such research."""
    try:
        rows = Rows(pk)
    except NotFound:
        return render(request, "research/missing.html", {"pk": pk}, status=HTTPStatus.NOT_FOUND)
    context = {name: read(rows) for name, read in PARTS.items()}
    return render(request, "research/index.html", context | {"research": rows.research})


@members_only
@require_safe
def part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One part, as the page was built from."""
    if name not in PARTS:
        raise Http404(f"The page of a research has no part {name}.")
    try:
        rows = Rows(pk)
    except NotFound as problem:
        raise Http404(str(problem)) from None
    return render(request, f"research/{name}.html", {name: PARTS[name](rows), "research": rows.research})
